/* The learning rate on a plateau: Keras' rules, on made-up curves. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "train/plateau.h"

/* One letter an epoch: 'r' where the rate is reduced. */
static void run(const ls_plateau *settings, int64_t parts, int count, const double *values, char *letters) {
    ls_position position = ls_position_start();
    for (; position.epoch < count; position.epoch++)
        letters[position.epoch] = ls_plateau_update(settings, parts, values[position.epoch], &position) ? 'r' : '.';
    letters[count] = '\0';
}

/* As ReduceLROnPlateau of Keras 3 does with these values. */
static void test_patience_and_min_delta(void **state) {
    (void)state;
    const double values[] = {5, 4, 4.5, 4, 3, 2.95, 3.5, 3.1, 2, NAN};
    char letters[16];
    ls_plateau settings = {.enabled = true, .patience = 2};
    run(&settings, 1, 10, values, letters);
    assert_string_equal(letters, "...r...r..");
    settings.min_delta = 0.1;
    run(&settings, 1, 10, values, letters);
    assert_string_equal(letters, "...r..r...");
    settings.patience = 1;
    run(&settings, 1, 10, values, letters);
    assert_string_equal(letters, "..rr.rrr.r");
    settings.enabled = false;
    run(&settings, 1, 10, values, letters);
    assert_string_equal(letters, "..........");
}

static void test_cooldown(void **state) {
    (void)state;
    const double values[] = {1, 2, 2, 2, 2, 2, 2, 2, 2, 2};
    char letters[16];
    ls_plateau settings = {.enabled = true, .patience = 2, .cooldown = 3};
    run(&settings, 1, 10, values, letters);
    assert_string_equal(letters, "..r...r...");
}

/* With data in parts the mean of a cycle counts. */
static void test_parts(void **state) {
    (void)state;
    const double values[] = {5, 1, 1, 4, 4, 4, 0, 0};
    char letters[16];
    ls_plateau settings = {.enabled = true, .patience = 1};
    run(&settings, 2, 8, values, letters);
    assert_string_equal(letters, ".....r..");
}

static void test_rate(void **state) {
    (void)state;
    ls_plateau settings = {.factor = 0.5, .min_lr = 0.3};
    assert_true(ls_plateau_rate(&settings, 1, 0) == 1);
    assert_true(ls_plateau_rate(&settings, 1, 1) == 0.5);
    assert_true(ls_plateau_rate(&settings, 1, 2) == 0.3);
    assert_true(ls_plateau_rate(&settings, 1, 1000) == 0.3);
    assert_true(ls_plateau_rate(&settings, 0.2, 3) == 0.2); /* below the lowest from the start */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patience_and_min_delta),
        cmocka_unit_test(test_cooldown),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
