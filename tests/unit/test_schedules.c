/* Schedules against Keras' formulas. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "optim/schedule.h"
#include "support/nets.h"

static _Alignas(16) char record[512];

static const ls_schedule_type *schedule(const char *name, const char *options) {
    for (const ls_schedule_type *const *type = ls_schedule_types; *type; type++) {
        if (strcmp((*type)->name, name) != 0) continue;
        assert_true((*type)->options_bytes <= sizeof record);
        set_options((*type)->options, record, options);
        return *type;
    }
    fail_msg("no schedule %s", name);
    return NULL;
}

static void expect_rate(const ls_schedule_type *type, int64_t step, double expected) {
    double rate = type->rate(record, step);
    if (!(fabs(rate - expected) <= 1e-12)) fail_msg("%s at %lld: %.17g", type->name, (long long)step, rate);
}

static void test_exponential_decay(void **state) {
    (void)state;
    const ls_schedule_type *type =
        schedule("exponential_decay", "initial_learning_rate=0.5 decay_steps=10 decay_rate=0.25");
    expect_rate(type, 0, 0.5);
    expect_rate(type, 5, 0.25);
    expect_rate(type, 20, 0.03125);
    type = schedule("exponential_decay", "initial_learning_rate=0.5 decay_steps=10 decay_rate=0.25 staircase=true");
    expect_rate(type, 9, 0.5);
    expect_rate(type, 10, 0.125);
}

/* tf.keras.optimizers.schedules.PiecewiseConstantDecay: a boundary itself has the value before it. */
static void test_piecewise_constant_decay(void **state) {
    (void)state;
    const ls_schedule_type *type = schedule("piecewise_constant_decay", "boundaries=10,12 values=1,0.5,0.25");
    assert_int_equal(type->check(record), LS_OK);
    expect_rate(type, 10, 1);
    expect_rate(type, 11, 0.5);
    expect_rate(type, 12, 0.5);
    expect_rate(type, 13, 0.25);
    type = schedule("piecewise_constant_decay", "boundaries=10,12 values=1,0.5");
    assert_int_equal(type->check(record), LS_INVALID);
    type = schedule("piecewise_constant_decay", "boundaries=10,10 values=1,0.5,0.25");
    assert_int_equal(type->check(record), LS_INVALID);
}

static void test_cosine_decay(void **state) {
    (void)state;
    const ls_schedule_type *type = schedule("cosine_decay", "initial_learning_rate=0.8 decay_steps=100 alpha=0.25");
    expect_rate(type, 0, 0.8);
    expect_rate(type, 50, 0.5);
    expect_rate(type, 100, 0.2);
    expect_rate(type, 1000, 0.2);
}

static void test_cosine_decay_with_warm_up(void **state) {
    (void)state;
    const ls_schedule_type *type =
        schedule("cosine_decay", "initial_learning_rate=0.1 decay_steps=100 warmup_steps=10 warmup_target=0.6");
    assert_int_equal(type->check(record), LS_OK);
    expect_rate(type, 0, 0.1);
    expect_rate(type, 5, 0.35);
    expect_rate(type, 10, 0.6);
    expect_rate(type, 60, 0.3);
    expect_rate(type, 110, 0);
    type = schedule("cosine_decay", "initial_learning_rate=0.1 decay_steps=100 warmup_steps=10");
    assert_int_equal(type->check(record), LS_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exponential_decay),
        cmocka_unit_test(test_piecewise_constant_decay),
        cmocka_unit_test(test_cosine_decay),
        cmocka_unit_test(test_cosine_decay_with_warm_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
