/* Losses against plain formulas in double, at the ends of the range, and as means over the whole batch. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "nn/loss.h"
#include "nn/metric.h"
#include "support/nets.h"
#include "support/types.h"

enum { ROWS = 5, WIDTH = 37 };

static ls_pool *pool;
static float z[ROWS * WIDTH], target[ROWS * WIDTH], dz[ROWS * WIDTH];
static double row_loss[ROWS];

static int set_up(void **state) {
    (void)state;
    fill_formula(1, -6, 6, ROWS * WIDTH, z);
    fill_formula(2, 0, 1, ROWS * WIDTH, target);
    pool = start_pool(2);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    ls_pool_destroy(pool);
    return 0;
}

static double cross_entropy(double x, double t, double *gradient) {
    double p = 1 / (1 + exp(-x));
    *gradient = p - t;
    return -(t * log(p) + (1 - t) * log(1 - p));
}

static double squared_error(double x, double t, double *gradient) {
    *gradient = 2 * (x - t);
    return (x - t) * (x - t);
}

static void check(const char *name, double (*element)(double, double, double *)) {
    ls_rows rows = ls_rows_single(ROWS);
    rows.global_count = 3 * ROWS; /* two other ranks have as many */
    ls_loss_evaluate(type_named(ls_loss_types, name), pool, &rows, WIDTH, z, target, dz, row_loss);
    for (int row = 0; row < ROWS; row++) {
        double mean = 0, gradient;
        for (int i = row * WIDTH; i < (row + 1) * WIDTH; i++) {
            mean += element((double)z[i], (double)target[i], &gradient) / WIDTH;
            expect_near((double)dz[i], gradient / (WIDTH * 3 * ROWS), 1e-7);
        }
        expect_near(row_loss[row], mean, 1e-6 * mean);
    }
}

static void test_formulas(void **state) {
    (void)state;
    check("binary_crossentropy", cross_entropy);
    check("mean_squared_error", squared_error);
}

/* Of one class in four; the others' logits are far away, or all are equal. */
static void test_categorical_cross_entropy(void **state) {
    (void)state;
    ls_rows rows = ls_rows_single(2);
    float logits[] = {300, -300, 0, 0, 2, 2, 2, 2}, wanted[] = {0, 1, 0, 0, 0, 0, 1, 0}, gradient[8];
    double losses[2];
    ls_loss_evaluate(type_named(ls_loss_types, "categorical_crossentropy"), pool, &rows, 4, logits, wanted, gradient,
                     losses);
    expect_near(losses[0], 600, 1e-9);
    expect_near(losses[1], log(4), 1e-9);
    static const double expected[] = {0.5, -0.5, 0, 0, 0.125, 0.125, -0.375, 0.125};
    for (int i = 0; i < 8; i++) expect_near((double)gradient[i], expected[i], 1e-7);
}

static void test_cross_entropy_of_large_logits_is_finite(void **state) {
    (void)state;
    ls_rows rows = ls_rows_single(1);
    float large[] = {200, -200, 200, -200}, wanted[] = {1, 0, 0, 1}, gradient[4];
    double loss;
    ls_loss_evaluate(type_named(ls_loss_types, "binary_crossentropy"), pool, &rows, 4, large, wanted, gradient, &loss);
    expect_near(loss, 100, 1e-4);
    static const double expected[] = {0, 0, 0.25, -0.25};
    for (int i = 0; i < 4; i++) expect_near((double)gradient[i], expected[i], 1e-7);
}

/* Each row's loss is its own: the same bits in another batch, and without a gradient. */
static void test_rows_do_not_know_each_other(void **state) {
    (void)state;
    ls_rows all = ls_rows_single(ROWS), one = ls_rows_single(1);
    for (const ls_loss_type *const *type = ls_loss_types; *type; type++) {
        ls_loss_evaluate(*type, pool, &all, WIDTH, z, target, dz, row_loss);
        for (int row = 0; row < ROWS; row++) {
            double alone;
            ls_loss_evaluate(*type, pool, &one, WIDTH, z + row * WIDTH, target + row * WIDTH, NULL, &alone);
            assert_memory_equal(&alone, &row_loss[row], sizeof alone);
        }
    }
}

static void test_metrics(void **state) {
    (void)state;
    static const struct {
        const char *type;
        int width;
        float y[3], target[3];
        double value;
    } cases[] = {
        {"accuracy", 3, {0.2F, 0.5F, 0.3F}, {0, 1, 0}, 1},
        {"accuracy", 3, {0.2F, 0.5F, 0.3F}, {0, 0, 1}, 0},
        {"accuracy", 3, {0.4F, 0.4F, 0.2F}, {1, 0, 0}, 1}, /* the first of equals */
        {"accuracy", 1, {0.7F}, {1}, 1},
        {"accuracy", 1, {0.5F}, {1}, 0},
        {"mean_squared_error", 3, {1, 2, 3}, {1, 0, 4}, 5.0 / 3},
        {"mean_absolute_error", 3, {1, 2, 3}, {1, 0, 4}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value;
        const ls_metric_type *const *type = ls_metric_types;
        while (strcmp((*type)->name, cases[i].type) != 0) type++;
        ls_metric_evaluate(*type, pool, 1, cases[i].width, cases[i].y, cases[i].target, &value);
        expect_near(value, cases[i].value, 1e-7);
    }
}

static void test_lane_sums(void **state) {
    (void)state;
    ls_rows rows = make_rows(4, (const int64_t[]){2, 0, 1, 2}, 1, (const int[]){0, 4});
    double sums[4], losses[] = {0.1, 0.2, 0.4, 0.8, 1.6};
    ls_rows_lane_sums(&rows, losses, 1, sums);
    assert_true(sums[0] == 0.1 + 0.2 && sums[1] == 0 && sums[2] == 0.4 && sums[3] == 0.8 + 1.6);
    double spread[8] = {0};
    ls_rows_lane_sums(&rows, losses, 2, spread + 1);
    for (int lane = 0; lane < 4; lane++) assert_true(spread[2 * lane + 1] == sums[lane] && spread[2 * lane] == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formulas),
        cmocka_unit_test(test_categorical_cross_entropy),
        cmocka_unit_test(test_cross_entropy_of_large_logits_is_finite),
        cmocka_unit_test(test_rows_do_not_know_each_other),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_lane_sums),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
