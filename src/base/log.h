/* log.h - messages for people: to stderr, and to the run's log file once there is one.
 *
 * Only rank 0 prints (ls_log_init says who that is), so a message that every rank logs is seen once.
 * A line is one line, whatever names are in it: control characters and bytes that are no UTF-8 are shown as "\x1b"
 * (ls_text_show). Results never come here: they go to stdout. All functions are Local; they may be called from any
 * thread. */
#ifndef LS_BASE_LOG_H
#define LS_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* Says who this process is; before the call it speaks as rank 0. */
void ls_log_init(int rank);

/* From now on lines also go to this file (appended, with a time stamp; rank 0 only). Errors: LS_ERROR, the file cannot
 * be opened. */
ls_status ls_log_open(const char *path);
void ls_log_close(void);

void ls_log_info(const char *format, ...) __attribute__((format(printf, 1, 2))); /* the line as it is */
void ls_log_warn(const char *format, ...) __attribute__((format(printf, 1, 2))); /* "lockstep: warning: ..." */
/* To the log file alone: what is only looked at when something is looked for. */
void ls_log_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints the thread's failure once: "lockstep: error: MESSAGE", and its trace where LOCKSTEP_TRACE=1 is in the
 * environment. */
void ls_log_failure(void);
/* A line for one rank's own news, printed whatever the rank: "lockstep: rank 3: ...". */
void ls_log_rank(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A progress line for long work: a bar that redraws itself on a terminal, a plain line every ten seconds elsewhere.
 * Rank 0 only. text may be empty. ls_progress_end leaves a final line; any other line printed takes the bar's place
 * too. */
typedef struct ls_progress {
    const char *title;
    int64_t total;
    double start_s, last_s;
    bool terminal;
} ls_progress;

void ls_progress_begin(ls_progress *progress, const char *title, int64_t total);
void ls_progress_update(ls_progress *progress, int64_t done, const char *text);
void ls_progress_end(ls_progress *progress, int64_t done, const char *text);

#endif
