/* Max-pooling and up-sampling, on every instruction set, against plain loops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "support/kernel_case.h"
#include "tensor/pooling.h"
#include "tensor/random.h"

enum { ROWS = 3, COUNT_MAX = ROWS * 24 * 24 * 300 };
static float x[COUNT_MAX], y[COUNT_MAX], dy[COUNT_MAX], dx[COUNT_MAX], wanted[COUNT_MAX];

/* Six different values, so that there are ties. All below zero, padding would win if it counted as zero. */
static void fill(float last) {
    ls_rng rng = ls_rng_stream(5, LS_RNG_TEST, 0, 0);
    ls_random_uniform(&rng, 0, COUNT_MAX, x);
    for (int64_t i = 0; i < COUNT_MAX; i++) x[i] = last - floorf(x[i] * 6);
    ls_random_normal(&rng, 1, COUNT_MAX, dy);
}

/* The first position of output (i, j)'s window that has its maximum. */
static int64_t first_maximum(const ls_pooling *p, int64_t row, int64_t i, int64_t j, int64_t c) {
    int64_t best = -1;
    for (int64_t a = 0; a < p->pool_h; a++)
        for (int64_t b = 0; b < p->pool_w; b++) {
            int64_t u = i * p->stride_h + a - p->pad_top, v = j * p->stride_w + b - p->pad_left;
            if (u < 0 || u >= p->h || v < 0 || v >= p->w) continue;
            int64_t at = ((row * p->h + u) * p->w + v) * p->c + c;
            if (best < 0 || x[at] > x[best]) best = at;
        }
    return best;
}

static void check_pooling(ls_pooling p, bool relu, int threads) {
    int64_t in = ROWS * p.h * p.w * p.c, out = ROWS * p.out_h * p.out_w * p.c;
    memset(wanted, 0, (size_t)in * sizeof *wanted);
    memset(dx, 0xff, (size_t)in * sizeof *dx);
    ls_max_pooling_forward(case_pool(threads), &p, ROWS, x, y);
    ls_max_pooling_backward(case_pool(threads), &p, ROWS, x, y, dy, relu, dx);
    for (int64_t o = 0; o < out; o++) {
        int64_t pixel = o / p.c;
        int64_t at =
            first_maximum(&p, pixel / (p.out_h * p.out_w), pixel / p.out_w % p.out_h, pixel % p.out_w, o % p.c);
        assert_true(y[o] == x[at]);
        wanted[at] += dy[o]; /* in the order of the outputs, as they must be added */
    }
    for (int64_t i = 0; i < in; i++) assert_true(dx[i] == (relu && x[i] <= 0 ? 0 : wanted[i]));
}

static void check_all_poolings(bool relu) {
    const int64_t channels[] = {1, 3, 8, 16, 33};
    for (int isa = 0; isa <= (int)case_best_isa(); isa++)
        for (size_t c = 0; c < 5; c++)
            for (int64_t size = 1; size <= 3; size++)
                for (int64_t stride = 1; stride <= 3; stride++)
                    for (int same = 0; same < 2; same++) {
                        ls_cpu_use((ls_isa)isa);
                        check_pooling(ls_pooling_make(7, 10, channels[c], size, 2, stride, stride, same), relu,
                                      1 + (int)stride % 3);
                    }
    check_pooling(ls_pooling_make(6, 6, 300, 2, 2, 2, 2, false), relu, 2);
}

static void test_max_pooling(void **state) {
    (void)state;
    fill(-1);
    check_all_poolings(false);
}

/* What relu makes: the gradient is that of what went into it. */
static void test_max_pooling_of_relu(void **state) {
    (void)state;
    fill(2);
    for (int64_t i = 0; i < COUNT_MAX; i++) x[i] = fmaxf(x[i], 0);
    check_all_poolings(true);
}

/* Wherever it is in its window, what is not a number comes out. */
static void test_not_a_number(void **state) {
    (void)state;
    enum { CHANNELS = 33, PIXELS = 4 };
    ls_pooling p = ls_pooling_make(2, 2, CHANNELS, 2, 2, 2, 2, true);
    for (int isa = 0; isa <= (int)case_best_isa(); isa++) {
        ls_cpu_use((ls_isa)isa);
        for (int at = 0; at < PIXELS; at++) {
            fill(0);
            for (int c = 0; c < CHANNELS; c++) x[at * CHANNELS + c] = NAN;
            ls_max_pooling_forward(case_pool(1), &p, 1, x, y);
            for (int c = 0; c < CHANNELS; c++) assert_true(isnan(y[c]));
        }
    }
}

static void test_sizes(void **state) {
    (void)state;
    ls_pooling p = ls_pooling_make(7, 28, 4, 2, 2, 2, 2, true);
    assert_true(p.out_h == 4 && p.out_w == 14 && p.pad_top == 0 && p.pad_left == 0);
    p = ls_pooling_make(7, 28, 4, 2, 2, 2, 2, false);
    assert_true(p.out_h == 3 && p.out_w == 14);
}

static void check_up_sampling(int64_t c, int64_t size_h, int64_t size_w) {
    enum { H = 5, W = 4 };
    int64_t out_h = H * size_h, out_w = W * size_w, small = ROWS * H * W * c;
    memset(wanted, 0, (size_t)small * sizeof *wanted);
    ls_up_sampling_forward(case_pool(2), ROWS, H, W, c, size_h, size_w, x, y);
    ls_up_sampling_backward(case_pool(2), ROWS, H, W, c, size_h, size_w, dy, dx);
    for (int64_t o = 0; o < ROWS * out_h * out_w * c; o++) {
        int64_t pixel = o / c, row = pixel / (out_h * out_w), i = pixel / out_w % out_h, j = pixel % out_w;
        int64_t at = ((row * H + i / size_h) * W + j / size_w) * c + o % c;
        assert_true(y[o] == x[at]);
        wanted[at] += dy[o];
    }
    for (int64_t i = 0; i < small; i++) assert_true(fabsf(dx[i] - wanted[i]) <= 1e-5f);
}

static void test_up_sampling(void **state) {
    (void)state;
    fill(-1);
    const int64_t channels[] = {1, 3, 16, 20};
    for (int isa = 0; isa <= (int)case_best_isa(); isa++)
        for (size_t c = 0; c < 4; c++)
            for (int64_t size = 1; size <= 3; size++) {
                ls_cpu_use((ls_isa)isa);
                check_up_sampling(channels[c], size, 2);
                check_up_sampling(channels[c], 2, size);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes), cmocka_unit_test(test_max_pooling),
                                       cmocka_unit_test(test_max_pooling_of_relu), cmocka_unit_test(test_not_a_number),
                                       cmocka_unit_test(test_up_sampling)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
