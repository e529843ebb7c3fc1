/* log.c - lines for stderr and the log file, and the progress bar that shares the terminal with them; see log.h. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/text.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* over what follows, and over whole lines on stderr */
static int this_rank;
static FILE *file;
static bool bar_drawn; /* the cursor stands behind a bar, which the next line replaces */

#define CLEAR_LINE "\r\033[K"
static const double redraw_s = 0.1, line_s = 10;

void ls_log_init(int rank) { this_rank = rank; }

ls_status ls_log_open(const char *path) {
    if (this_rank != 0) return LS_OK;
    /* Neither a link that leads elsewhere nor a pipe that holds us up. */
    int fd = ls_fd_open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ELOOP)
        return LS_RAISE(LS_ERROR, "%s: is a symbolic link, and Lockstep does not write through links; remove it", path);
    FILE *opened = fd >= 0 ? fdopen(fd, "a") : NULL;
    if (opened == NULL) {
        ls_status status = LS_RAISE(LS_ERROR, "%s: cannot open the log file: %s", path, strerror(errno));
        if (fd >= 0) (void)close(fd);
        return status;
    }
    setvbuf(opened, NULL, _IOLBF, 0); /* what was logged stays, however the process ends */
    ls_log_close();
    pthread_mutex_lock(&mutex);
    file = opened;
    pthread_mutex_unlock(&mutex);
    return LS_OK;
}

void ls_log_close(void) {
    pthread_mutex_lock(&mutex);
    if (file != NULL) fclose(file);
    file = NULL;
    pthread_mutex_unlock(&mutex);
}

static void write_to_file(const char *prefix, const char *text) {
    if (file == NULL) return;
    char stamp[32];
    time_t now = time(NULL);
    struct tm local;
    strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", localtime_r(&now, &local));
    fprintf(file, "%s %s%s\n", stamp, prefix, text);
}

/* One line to the file and to stderr, with the mutex held; in this order, for a pipe that nobody reads any more ends
 * the process. */
static void write_line(const char *prefix, const char *text) {
    write_to_file(prefix, text);
    fprintf(stderr, "%s%s%s\n", bar_drawn ? CLEAR_LINE : "", prefix, text);
    bar_drawn = false;
}

/* Names in it come from anywhere: a terminal, now or when the log file is read, must not take them for commands. */
static void log_text(const char *prefix, const char *text, bool lines) {
    char shown[LS_MESSAGE_MAX * 4];
    ls_text_show(text, lines, shown, sizeof shown);
    pthread_mutex_lock(&mutex);
    write_line(prefix, shown);
    pthread_mutex_unlock(&mutex);
}

static void log_formatted(const char *prefix, const char *format, va_list arguments) {
    char text[LS_MESSAGE_MAX];
    vsnprintf(text, sizeof text, format, arguments);
    log_text(prefix, text, false);
}

void ls_log_info(const char *format, ...) {
    if (this_rank != 0) return;
    va_list arguments;
    va_start(arguments, format);
    log_formatted("", format, arguments);
    va_end(arguments);
}

void ls_log_detail(const char *format, ...) {
    if (this_rank != 0) return;
    char text[LS_MESSAGE_MAX], shown[LS_MESSAGE_MAX * 4];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ls_text_show(text, false, shown, sizeof shown);
    pthread_mutex_lock(&mutex);
    write_to_file("", shown);
    pthread_mutex_unlock(&mutex);
}

void ls_log_warn(const char *format, ...) {
    if (this_rank != 0) return;
    va_list arguments;
    va_start(arguments, format);
    log_formatted("lockstep: warning: ", format, arguments);
    va_end(arguments);
}

void ls_log_rank(const char *format, ...) {
    char prefix[64];
    snprintf(prefix, sizeof prefix, "lockstep: rank %d: ", this_rank);
    va_list arguments;
    va_start(arguments, format);
    log_formatted(prefix, format, arguments);
    va_end(arguments);
}

void ls_log_failure(void) {
    const ls_failure *failure = ls_failure_get();
    if (this_rank != 0 || failure->status == LS_OK) return;
    log_text(failure->status == LS_STOPPED ? "lockstep: " : "lockstep: error: ", failure->message, false);
    const char *trace = getenv("LOCKSTEP_TRACE");
    if (trace != NULL && strcmp(trace, "1") == 0) log_text("", failure->trace, true);
}

/* "0:07", "12:34", "1:02:03" */
static void format_duration(double seconds, char *text, size_t capacity) {
    long s = seconds > 0 ? (long)(seconds + 0.5) : 0;
    if (s >= 3600)
        snprintf(text, capacity, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, capacity, "%ld:%02ld", s / 60, s % 60);
}

/* "120/469  26 %  ETA 0:35  loss 0.123" */
static void format_progress(const ls_progress *progress, int64_t done, const char *text, char *line, size_t capacity) {
    double elapsed_s = ls_clock_s() - progress->start_s;
    double share = progress->total > 0 ? (double)done / (double)progress->total : 1;
    bool finished = done >= progress->total;
    char time[32];
    format_duration(finished || share <= 0 ? elapsed_s : elapsed_s * (1 / share - 1), time, sizeof time);
    const char *label = finished || share <= 0 ? "" : "ETA ";
    snprintf(line, capacity, "%lld/%lld  %3.0f %%  %s%s%s%s", (long long)done, (long long)progress->total, 100 * share,
             label, time, *text != '\0' ? "  " : "", text);
}

static int terminal_columns(void) {
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* "title [=====>    ] 120/469 ...", cut at the terminal's edge: a line that wraps cannot be redrawn. */
static void draw_bar(const ls_progress *progress, int64_t done, const char *line) {
    enum { WIDTH = 24, COLUMNS_MAX = 512 };
    static const char full[] = "========================", empty[] = "                        ";
    double share = progress->total > 0 ? (double)done / (double)progress->total : 1;
    int filled = share < 1 ? (int)(share * WIDTH) : WIDTH;
    char bar[COLUMNS_MAX], shown[COLUMNS_MAX];
    snprintf(bar, sizeof bar, "%s [%.*s%s%.*s] %s", progress->title, filled, full, filled < WIDTH ? ">" : "",
             filled < WIDTH ? WIDTH - filled - 1 : 0, empty, line);
    fprintf(stderr, CLEAR_LINE "%.*s", terminal_columns() - 1, ls_text_show(bar, false, shown, sizeof shown));
    bar_drawn = true;
}

void ls_progress_begin(ls_progress *progress, const char *title, int64_t total) {
    double now_s = ls_clock_s();
    *progress = (ls_progress){.title = title, .total = total, .start_s = now_s, .last_s = now_s};
    progress->terminal = isatty(STDERR_FILENO) == 1;
}

void ls_progress_update(ls_progress *progress, int64_t done, const char *text) {
    double now_s = ls_clock_s();
    if (this_rank != 0 || now_s - progress->last_s < (progress->terminal ? redraw_s : line_s)) return;
    progress->last_s = now_s;
    char line[256];
    format_progress(progress, done, text, line, sizeof line);
    if (!progress->terminal) {
        ls_log_info("%s: %s", progress->title, line);
        return;
    }
    pthread_mutex_lock(&mutex);
    draw_bar(progress, done, line);
    pthread_mutex_unlock(&mutex);
}

void ls_progress_end(ls_progress *progress, int64_t done, const char *text) {
    char line[256];
    format_progress(progress, done, text, line, sizeof line);
    ls_log_info("%s: %s", progress->title, line);
}
