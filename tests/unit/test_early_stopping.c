/* Early stopping: Keras' rules, on made-up curves. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "train/early_stopping.h"

/* Runs over values until it stops; returns the number of epochs run. improved: one letter an epoch, 'i' or '.'. */
static int run(const ls_early_stopping *settings, int64_t parts, int count, const double *values, char *improved,
               ls_position *position) {
    *position = ls_position_start();
    for (int e = 0; e < count; e++) {
        ls_verdict verdict = ls_early_stopping_update(settings, parts, values[e], position);
        improved[e] = verdict.improved ? 'i' : '.';
        improved[e + 1] = '\0';
        position->epoch++;
        assert_int_equal(verdict.stop, ls_early_stopping_is_over(settings, position));
        if (verdict.stop) return e + 1;
    }
    return count;
}

static void patience(void **unused) {
    (void)unused;
    const double values[] = {5, 4, 4.5, 4, 3, 3, 3.5, 3.1, 2};
    char improved[16];
    ls_position position;
    ls_early_stopping settings = {.enabled = true, .patience = 3};
    assert_int_equal(run(&settings, 1, 9, values, improved, &position), 8);
    assert_string_equal(improved, "ii..i...");
    assert_true(position.best == 3);
    assert_int_equal(position.best_epoch, 4);
    assert_int_equal(position.wait, 3);
    settings.patience = 4; /* more patience, and the run would go on */
    assert_false(ls_early_stopping_is_over(&settings, &position));
    settings.patience = 2;
    assert_int_equal(run(&settings, 1, 9, values, improved, &position), 4);
    settings.patience = 0;
    assert_int_equal(run(&settings, 1, 9, values, improved, &position), 3);
    settings.patience = 1;
    assert_int_equal(run(&settings, 1, 9, values, improved, &position), 3);
}

static void min_delta(void **unused) {
    (void)unused;
    const double values[] = {5, 4.75, 4.4, 4.3, 3.9};
    char improved[16];
    ls_position position;
    ls_early_stopping settings = {.enabled = true, .patience = 10, .min_delta = 0.5};
    run(&settings, 1, 5, values, improved, &position);
    assert_string_equal(improved, "iiiii"); /* each is the best so far; only two are better by enough */
    assert_true(position.best == 3.9);
    assert_int_equal(position.best_epoch, 4);
    assert_true(position.stopping_best == 4.4);
    assert_int_equal(position.wait, 2);
}

static void nan_never_improves(void **unused) {
    (void)unused;
    const double values[] = {(double)NAN, 5, (double)NAN, (double)NAN, 4};
    char improved[16];
    ls_position position;
    ls_early_stopping settings = {.enabled = true, .patience = 3};
    run(&settings, 1, 5, values, improved, &position);
    assert_string_equal(improved, ".i..i");
}

static void the_best_is_known_without_stopping(void **unused) {
    (void)unused;
    const double values[] = {5, 6, 7, 8, 4};
    char improved[16];
    ls_position position;
    ls_early_stopping settings = {.enabled = false, .patience = 1};
    assert_int_equal(run(&settings, 1, 5, values, improved, &position), 5);
    assert_string_equal(improved, "i...i");
}

/* Of three parts one is always worse: what counts is their mean, at the end of the cycle. */
static void parts_are_judged_together(void **unused) {
    (void)unused;
    const double values[] = {1, 2, 9, 1, 2, 8.5, 1, 2, 8.5, 2, 2, 8, 0, 0, 0};
    char improved[16];
    ls_position position;
    ls_early_stopping settings = {.enabled = true, .patience = 2};
    assert_int_equal(run(&settings, 3, 15, values, improved, &position), 12);
    assert_string_equal(improved, "..i..i......");
    assert_true(position.best == 11.5 / 3);
    assert_int_equal(position.best_epoch, 5);
    assert_true(position.cycle_sum == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patience),
        cmocka_unit_test(min_delta),
        cmocka_unit_test(nan_never_improves),
        cmocka_unit_test(the_best_is_known_without_stopping),
        cmocka_unit_test(parts_are_judged_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
