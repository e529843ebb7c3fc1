/* Lines, the log file and the progress bar, off and on a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static int real_stderr;
static char captured_path[] = "/tmp/lockstep-test-log-XXXXXX";
static char captured[8192];

static int begin_capture(void **state) {
    (void)state;
    real_stderr = dup(STDERR_FILENO);
    strcpy(strrchr(captured_path, '-'), "-XXXXXX");
    int file = mkstemp(captured_path);
    if (file < 0) return -1;
    dup2(file, STDERR_FILENO);
    return close(file);
}

static int end_capture(void **state) {
    (void)state;
    ls_log_close();
    ls_log_init(0);
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    return unlink(captured_path);
}

static void read_whole(const char *path, char *text, size_t capacity) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, capacity - 1, file)] = '\0';
    fclose(file);
}

static void test_lines(void **state) {
    (void)state;
    ls_log_info("epoch %d", 3);
    ls_log_warn("%s is slow", "rank 1");
    LS_RAISE(LS_INVALID, "units must be at least 1");
    ls_log_failure();
    LS_RAISE(LS_STOPPED, "stopped by SIGTERM");
    ls_log_failure();
    read_whole(captured_path, captured, sizeof captured);
    assert_string_equal(captured, "epoch 3\n"
                                  "lockstep: warning: rank 1 is slow\n"
                                  "lockstep: error: units must be at least 1\n"
                                  "lockstep: stopped by SIGTERM\n");
}

/* A file's name must neither act on the terminal nor look like a line of its own; the log file is read on one, too. */
static void test_names_cannot_act(void **state) {
    (void)state;
    char path[] = "/tmp/lockstep-test-log-file-XXXXXX", logged[1024];
    close(mkstemp(path));
    assert_int_equal(ls_log_open(path), LS_OK);
    LS_RAISE(LS_INVALID, "%s: no such file", "a\x1b]0;b\x07\nlockstep: error: c\xc2\x9b \xff \xc3\xa4");
    ls_log_failure();
    ls_log_detail("%s", "\x1b[2J");
    ls_log_close();
    read_whole(captured_path, captured, sizeof captured);
    assert_string_equal(
        captured, "lockstep: error: a\\x1b]0;b\\x07\\x0alockstep: error: c\\xc2\\x9b \\xff \xc3\xa4: no such file\n");
    read_whole(path, logged, sizeof logged);
    assert_null(strchr(logged, '\x1b'));
    assert_non_null(strstr(logged, " \\x1b[2J\n"));
    unlink(path);
}

static void test_trace_is_asked_for(void **state) {
    (void)state;
    LS_RAISE(LS_ERROR, "disk full");
    setenv("LOCKSTEP_TRACE", "1", 1);
    ls_log_failure();
    unsetenv("LOCKSTEP_TRACE");
    read_whole(captured_path, captured, sizeof captured);
    assert_non_null(strstr(captured, "error: disk full\ntest_trace_is_asked_for ("));
}

static void test_only_rank_0_speaks(void **state) {
    (void)state;
    ls_log_init(3);
    ls_log_info("everybody says this");
    ls_log_warn("and this");
    LS_RAISE(LS_ERROR, "and this");
    ls_log_failure();
    ls_progress progress;
    ls_progress_begin(&progress, "importing", 10);
    ls_progress_end(&progress, 10, "");
    ls_log_rank("my own news");
    read_whole(captured_path, captured, sizeof captured);
    assert_string_equal(captured, "lockstep: rank 3: my own news\n");
}

static void test_file_gets_stamped_lines(void **state) {
    (void)state;
    char path[] = "/tmp/lockstep-test-log-file-XXXXXX";
    close(mkstemp(path));
    for (int i = 0; i < 2; i++) { /* the second opening appends */
        assert_int_equal(ls_log_open(path), LS_OK);
        ls_log_warn("number %d", i);
        ls_log_close();
    }
    ls_log_info("not in the file");
    char text[1024];
    read_whole(path, text, sizeof text);
    unlink(path);
    int year, month, day, hour, minute, second, end = 0;
    const char *line = text;
    for (int i = 0; i < 2; i++, line = strchr(line, '\n') + 1) {
        assert_int_equal(sscanf(line, "%d-%d-%d %d:%d:%d %n", &year, &month, &day, &hour, &minute, &second, &end), 6);
        assert_memory_equal(line + end, i == 0 ? "lockstep: warning: number 0\n" : "lockstep: warning: number 1\n", 28);
    }
    assert_string_equal(line, "");
}

static void test_file_that_cannot_be_opened(void **state) {
    (void)state;
    assert_int_equal(ls_log_open("/nonexistent/log.txt"), LS_ERROR);
    assert_non_null(strstr(ls_failure_get()->message, "/nonexistent/log.txt: "));
    ls_log_init(1);
    assert_int_equal(ls_log_open("/nonexistent/log.txt"), LS_OK); /* only rank 0 has a file */
}

static void test_progress_off_a_terminal(void **state) {
    (void)state;
    ls_progress progress;
    ls_progress_begin(&progress, "importing", 200);
    assert_false(progress.terminal);
    ls_progress_update(&progress, 10, "too early for a line");
    progress.last_s -= 11;
    progress.start_s -= 30;
    ls_progress_update(&progress, 50, "loss 0.5");
    ls_progress_update(&progress, 51, "too early again");
    ls_progress_end(&progress, 200, "");
    read_whole(captured_path, captured, sizeof captured);
    assert_string_equal(captured, "importing: 50/200   25 %  ETA 1:30  loss 0.5\n"
                                  "importing: 200/200  100 %  0:30\n");
}

static void test_bar_on_a_terminal(void **state) {
    (void)state;
    ls_progress progress;
    ls_progress_begin(&progress, "importing", 4);
    progress.terminal = true;
    progress.last_s -= 1;
    ls_progress_update(&progress, 2, "");
    ls_log_info("news in between");
    progress.last_s -= 1;
    ls_progress_update(&progress, 3, "with a text so long that it would wrap on a terminal of eighty columns");
    ls_progress_end(&progress, 4, "");
    read_whole(captured_path, captured, sizeof captured);
    const char *expected = "\r\033[Kimporting [============>           ] 2/4   50 %  ETA 0:00"
                           "\r\033[Knews in between\n"
                           "\r\033[Kimporting [==================>     ] 3/4   75 %  ETA 0:00  with a text so long "
                           "\r\033[Kimporting: 4/4  100 %  0:00\n";
    assert_string_equal(captured, expected);
}

int main(void) {
#define CAPTURED(test) cmocka_unit_test_setup_teardown(test, begin_capture, end_capture)
    const struct CMUnitTest tests[] = {
        CAPTURED(test_lines),
        CAPTURED(test_names_cannot_act),
        CAPTURED(test_trace_is_asked_for),
        CAPTURED(test_only_rank_0_speaks),
        CAPTURED(test_file_gets_stamped_lines),
        CAPTURED(test_file_that_cannot_be_opened),
        CAPTURED(test_progress_off_a_terminal),
        CAPTURED(test_bar_on_a_terminal),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
