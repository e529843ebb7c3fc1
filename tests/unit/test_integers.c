/* The binary search against looking at every run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/integers.h"

static void the_run_that_holds_it(void **unused) {
    (void)unused;
    enum { RUNS = 40 };
    int64_t begin[RUNS] = {0};
    for (int i = 1; i < RUNS; i++) begin[i] = begin[i - 1] + 1 + i * i % 7;
    for (int count = 1; count <= RUNS; count++) {
        int64_t run = 0;
        for (int64_t at = 0; at < begin[count - 1] + 9; at++) {
            while (run + 1 < count && begin[run + 1] <= at) run++;
            assert_int_equal(ls_find_run(begin, count, at), run);
        }
    }
}

static void the_smaller_and_the_larger(void **unused) {
    (void)unused;
    assert_true(ls_min(INT64_MIN, INT64_MAX) == INT64_MIN && ls_min(2, 1) == 1 && ls_min(1, 2) == 1);
    assert_true(ls_max(INT64_MIN, INT64_MAX) == INT64_MAX && ls_max(2, 1) == 2 && ls_max(1, 2) == 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_run_that_holds_it),
                                       cmocka_unit_test(the_smaller_and_the_larger)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
