/* The error record of a thread: messages, traces, and copies for other threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "base/status.h"

static ls_status open_door(int number) {
    if (number < 0) return LS_RAISE(LS_INVALID, "door %d: no such door", number);
    return LS_OK;
}

static ls_status enter_room(int number, int *inside) {
    LS_TRY(open_door(number));
    *inside = 1;
    return LS_OK;
}

static ls_status visit(int number, int *inside, int *cleaned) {
    ls_status status;
    if (LS_FAILED(status = enter_room(number, inside))) goto done;
done:
    *cleaned = 1;
    return status;
}

static void test_success_passes(void **state) {
    (void)state;
    int inside = 0, cleaned = 0;
    assert_int_equal(visit(1, &inside, &cleaned), LS_OK);
    assert_true(inside && cleaned);
    assert_int_equal(ls_failure_get()->status, LS_OK);
    assert_string_equal(ls_failure_get()->message, "");
}

static void test_failure_is_recorded_and_traced(void **state) {
    (void)state;
    int inside = 0, cleaned = 0;
    assert_int_equal(visit(-3, &inside, &cleaned), LS_INVALID);
    assert_true(!inside && cleaned);
    const ls_failure *failure = ls_failure_get();
    assert_int_equal(failure->status, LS_INVALID);
    assert_string_equal(failure->message, "door -3: no such door");
    const char *origin = strstr(failure->trace, "open_door ("), *middle = strstr(failure->trace, "\nenter_room (");
    const char *outermost = strstr(failure->trace, "\nvisit (");
    assert_true(origin == failure->trace && middle > origin && outermost > middle);
    assert_non_null(strstr(failure->trace, "test_status.c:"));
}

static void test_new_failure_replaces_the_record(void **state) {
    (void)state;
    int inside = 0, cleaned = 0;
    visit(-1, &inside, &cleaned);
    assert_int_equal(LS_RAISE(LS_ERROR, "while cleaning up: %s", ls_failure_get()->message), LS_ERROR);
    assert_string_equal(ls_failure_get()->message, "while cleaning up: door -1: no such door");
    assert_null(strstr(ls_failure_get()->trace, "open_door"));
}

static void test_prefix(void **state) {
    (void)state;
    LS_RAISE(LS_INVALID, "units must be at least 1");
    assert_int_equal(ls_failure_prefix("%s:%d:%d: ", "config.yaml", 12, 5), LS_INVALID);
    assert_string_equal(ls_failure_get()->message, "config.yaml:12:5: units must be at least 1");
}

static void test_long_texts_are_cut(void **state) {
    (void)state;
    char text[2 * LS_MESSAGE_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ls_status status = LS_RAISE(LS_ERROR, "%s", text);
    ls_failure_prefix("%s", "begin ");
    for (int i = 0; i < 200; i++) assert_true(LS_FAILED(status));
    assert_int_equal(strlen(ls_failure_get()->message), LS_MESSAGE_MAX - 1);
    assert_memory_equal(ls_failure_get()->message, "begin x", 7);
    assert_int_equal(strlen(ls_failure_get()->trace), LS_TRACE_MAX - 1);
}

static void *fail_elsewhere(void *copy) {
    if (ls_failure_get()->status != LS_OK) return NULL; /* the copy stays empty */
    LS_RAISE(LS_ERROR, "disk full");
    *(ls_failure *)copy = *ls_failure_get();
    return NULL;
}

static void test_records_belong_to_threads_and_travel(void **state) {
    (void)state;
    LS_RAISE(LS_INVALID, "mine");
    ls_failure other = {0};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &other), 0);
    pthread_join(thread, NULL);
    assert_string_equal(ls_failure_get()->message, "mine");
    assert_int_equal(ls_failure_set(&other), LS_ERROR);
    assert_string_equal(ls_failure_get()->message, "disk full");
    assert_non_null(strstr(ls_failure_get()->trace, "fail_elsewhere"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_success_passes),
        cmocka_unit_test(test_failure_is_recorded_and_traced),
        cmocka_unit_test(test_new_failure_replaces_the_record),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_records_belong_to_threads_and_travel),
    };
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
