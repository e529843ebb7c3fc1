/* Activations and their derivatives, on every instruction set, against the formulas in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "support/kernel_case.h"
#include "tensor/activation.h"
#include "tensor/random.h"

enum { ROWS = 700, WIDTH = 29, COUNT = ROWS * WIDTH }; /* more than a task's share */
static float x[COUNT], y[COUNT], dy[COUNT], dx[COUNT];

static double f(ls_activation activation, const float *row, int64_t i) {
    double z = (double)row[i], top = -INFINITY, sum = 0;
    switch (activation) {
    case LS_ACTIVATION_RELU:
        return fmax(z, 0);
    case LS_ACTIVATION_SIGMOID:
        return 1 / (1 + exp(-z));
    case LS_ACTIVATION_TANH:
        return tanh(z);
    case LS_ACTIVATION_SOFTMAX:
        for (int64_t k = 0; k < WIDTH; k++) top = (double)row[k] > top ? (double)row[k] : top; /* fmax breaks gcc 12 */
        for (int64_t k = 0; k < WIDTH; k++) sum += exp((double)row[k] - top);
        return exp(z - top) / sum;
    default:
        return z;
    }
}

static void fill(float scale) {
    ls_rng rng = ls_rng_stream(3, LS_RNG_TEST, 0, 0);
    ls_random_normal(&rng, 0, COUNT, x);
    ls_random_normal(&rng, 1, COUNT, dy);
    for (int64_t i = 0; i < COUNT; i++) x[i] *= scale;
}

static void check_forward(ls_activation activation) {
    for (int64_t i = 0; i < COUNT; i++) {
        double wanted = f(activation, x + i / WIDTH * WIDTH, i % WIDTH);
        assert_true(fabs((double)y[i] - wanted) <= 1e-5 * fabs(wanted) + 1e-30);
    }
}

static void test_forward(void **state) {
    (void)state;
    for (int isa = 0; isa <= (int)case_best_isa(); isa++)
        for (int a = 0; a < LS_ACTIVATION_COUNT; a++)
            for (float scale = 0.1f; scale < 100; scale *= 10) {
                ls_cpu_use((ls_isa)isa);
                fill(scale);
                memset(y, 0xff, sizeof y);
                ls_activation_forward(case_pool(2), (ls_activation)a, ROWS, WIDTH, x, y);
                check_forward((ls_activation)a);
                memcpy(dx, x, sizeof x);
                ls_activation_forward(case_pool(3), (ls_activation)a, ROWS, WIDTH, dx,
                                      dx); /* in place, the same bits */
                assert_memory_equal(dx, y, sizeof y);
            }
}

/* <dx, v> is the slope of <dy, f(x)> along v. */
static double slope(ls_activation activation, const float *v) {
    static float ahead[COUNT], behind[COUNT];
    const double step = 1e-3;
    double sum = 0;
    for (int64_t i = 0; i < COUNT; i++) {
        ahead[i] = x[i] + (float)step * v[i];
        behind[i] = x[i] - (float)step * v[i];
    }
    for (int64_t i = 0; i < COUNT; i++)
        sum += (double)dy[i] * (f(activation, ahead + i / WIDTH * WIDTH, i % WIDTH) -
                                f(activation, behind + i / WIDTH * WIDTH, i % WIDTH));
    return sum / (2 * step);
}

static void test_backward(void **state) {
    (void)state;
    static float v[COUNT];
    ls_rng rng = ls_rng_stream(3, LS_RNG_TEST, 1, 0);
    fill(1);
    ls_random_normal(&rng, 0, COUNT, v);
    for (int64_t i = 0; i < COUNT; i++)
        if (fabsf(x[i]) < 0.01f) x[i] = 0.5f; /* away from the kink of relu */
    for (int isa = 0; isa <= (int)case_best_isa(); isa++)
        for (int a = 0; a < LS_ACTIVATION_COUNT; a++) {
            ls_cpu_use((ls_isa)isa);
            ls_activation_forward(case_pool(1), (ls_activation)a, ROWS, WIDTH, x, y);
            ls_activation_backward(case_pool(2), (ls_activation)a, ROWS, WIDTH, y, dy, dx);
            double sum = 0, wanted = slope((ls_activation)a, v);
            for (int64_t i = 0; i < COUNT; i++) sum += (double)dx[i] * (double)v[i];
            assert_true(fabs(sum - wanted) <= 2e-3 * fabs(wanted) + 1e-3);
            static float copy[COUNT];
            memcpy(copy, dy, sizeof copy);
            ls_activation_backward(case_pool(1), (ls_activation)a, ROWS, WIDTH, y, copy, copy); /* in place */
            assert_memory_equal(copy, dx, sizeof dx);
        }
}

static void test_not_a_number_is_kept(void **state) {
    (void)state;
    for (int isa = 0; isa <= (int)case_best_isa(); isa++)
        for (int a = 0; a < LS_ACTIVATION_COUNT; a++) {
            float in[3] = {1, NAN, 2}, out[3];
            ls_cpu_use((ls_isa)isa);
            ls_activation_forward(case_pool(1), (ls_activation)a, 1, 3, in, out);
            assert_true(isnan(out[1]));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forward), cmocka_unit_test(test_backward),
                                       cmocka_unit_test(test_not_a_number_is_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
