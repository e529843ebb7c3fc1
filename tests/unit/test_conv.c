/* Convolutions and input gradients, on every instruction set: chains bit for bit against plain loops, Winograd's
 * filtering and few filters by their errors, and all of them for equal bits on any rows, lanes and threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "base/integers.h"
#include "base/rng.h"
#include "support/conv_ways.h"
#include "support/kernel_case.h"
#include "support/naive_up.h"
#include "tensor/conv.h"

static void run_case(kernel_case *k, ls_isa isa, int threads) {
    ls_pool *pool = case_pool(threads);
    ls_cpu_use(isa);
    case_clear(k);
    ls_conv_forward(pool, &k->conv, k->rows.count, k->x, k->w, k->bias, LS_ACTIVATION_LINEAR, k->y, k->scratch);
    ls_conv_input_gradient(pool, &k->conv, k->rows.count, k->dy, k->w, k->dx, k->scratch);
    ls_conv_weight_gradient(pool, &k->conv, &k->rows, k->x, k->dy, k->subtree_dw, k->subtree_db, k->scratch);
    case_check(k, "conv");
}

static void check_conv(ls_conv conv, const ls_rows *rows, bool all) {
    kernel_case k;
    case_init(&k, conv, rows, ls_conv_scratch(&conv, rows->count, CASE_THREADS_MAX, rows->lanes));
    for (int isa = all ? 0 : (int)case_best_isa(); isa <= (int)case_best_isa(); isa++)
        for (int threads = 1; threads <= CASE_THREADS_MAX; threads++) run_case(&k, (ls_isa)isa, threads);
    case_release(&k);
}

static void test_sizes(void **state) {
    (void)state;
    ls_conv c = ls_conv_make(28, 28, 1, 4, 3, 3, 1, 1, true);
    assert_true(c.out_h == 28 && c.out_w == 28 && c.pad_top == 1 && c.pad_left == 1);
    c = ls_conv_make(28, 27, 1, 4, 3, 4, 2, 2, true); /* 28: one pixel, at the bottom; 27: 13 * 2 + 4 - 27 = 3 */
    assert_true(c.out_h == 14 && c.out_w == 14 && c.pad_top == 0 && c.pad_left == 1);
    c = ls_conv_make(28, 5, 1, 4, 5, 5, 3, 1, false);
    assert_true(c.out_h == 8 && c.out_w == 1 && c.pad_top == 0 && c.pad_left == 0);
    c = ls_conv_make(3, 3, 1, 1, 5, 5, 1, 1, false);
    assert_true(c.out_h < 1);
    c = ls_conv_make(4, 4, 2, 3, 3, 3, 1, 1, true);
    assert_true(ls_conv_flops(&c) == 2.0 * 4 * 4 * 3 * 9 * 2);
}

static int64_t pick(const ls_rng *rng, uint64_t i, uint64_t what, const int64_t *from, uint64_t count) {
    return from[ls_rng_below(rng, 32 * i + what, count)];
}

static void test_random_shapes(void **state) {
    (void)state;
    const int64_t channels[] = {1, 2, 3, 5, 8, 16, 17, 32}, small[] = {1, 2, 3, 4, 5};
    const int64_t sizes[] = {1, 2, 3, 4, 5, 6, 7, 9, 11};
    ls_rng rng = ls_rng_stream(1, LS_RNG_TEST, 0, 0);
    for (uint64_t i = 0; i < 150; i++) {
        bool same = i % 2;
        ls_conv conv =
            ls_conv_make(pick(&rng, i, 0, sizes, 9), pick(&rng, i, 1, sizes, 9), pick(&rng, i, 2, channels, 8),
                         pick(&rng, i, 3, channels, 8), pick(&rng, i, 4, small, 5), pick(&rng, i, 5, small, 5),
                         pick(&rng, i, 6, small, 3), pick(&rng, i, 7, small, 3), same);
        if (conv.out_h < 1 || conv.out_w < 1) continue;
        int64_t lane_rows[4];
        for (uint64_t l = 0; l < 4; l++) lane_rows[l] = (int64_t)ls_rng_below(&rng, 32 * i + 16 + l, 3);
        const int lanes[] = {2, 1, 1};
        ls_rows rows = case_rows(4, lane_rows, 3, lanes);
        check_conv(conv, &rows, true);
    }
}

/* As above, strides 1, on a picture that is repeated first: once or more, down and right. */
static void test_random_up_sampled(void **state) {
    (void)state;
    const int64_t channels[] = {1, 2, 3, 5, 8, 16, 17, 32}, small[] = {1, 2, 3, 4, 5}, sizes[] = {1, 2, 3, 4, 5, 7};
    ls_rng rng = ls_rng_stream(1, LS_RNG_TEST, 1, 0);
    for (uint64_t i = 0; i < 100; i++) {
        int64_t up_h = pick(&rng, i, 6, small, 3), up_w = i % 4 ? up_h : pick(&rng, i, 7, small, 3);
        ls_conv large = ls_conv_make(pick(&rng, i, 0, sizes, 6) * up_h, pick(&rng, i, 1, sizes, 6) * up_w,
                                     pick(&rng, i, 2, channels, 8), pick(&rng, i, 3, channels, 8),
                                     pick(&rng, i, 4, small, 5), pick(&rng, i, 5, small, 5), 1, 1, i % 2);
        if (large.out_h < 1 || large.out_w < 1) continue;
        int64_t lane_rows[4];
        for (uint64_t l = 0; l < 4; l++) lane_rows[l] = (int64_t)ls_rng_below(&rng, 32 * i + 16 + l, 3);
        ls_rows rows = case_rows(4, lane_rows, 3, (const int[]){2, 1, 1});
        check_conv(ls_conv_up_sampled(large, up_h, up_w), &rows, true);
    }
}

/* Bands of rows, blocks of channels and filters, kernels cut into row blocks. */
static void test_blocks(void **state) {
    (void)state;
    const int64_t lane_rows[] = {1, 0, 2, 1};
    const int lanes[] = {4};
    ls_rows rows = case_rows(4, lane_rows, 1, lanes), one = ls_rows_single(1);
    check_conv(ls_conv_make(28, 28, 1, 32, 3, 3, 1, 1, true), &rows, true);
    check_conv(ls_conv_make(28, 28, 16, 1, 3, 3, 1, 1, true), &rows, true);
    check_conv(ls_conv_make(12, 12, 40, 70, 3, 3, 1, 1, true), &rows, false);
    check_conv(ls_conv_make(8, 9, 130, 66, 5, 5, 1, 1, true), &one, false);
    const int64_t more[] = {5, 0, 4, 1}; /* small samples are passed over three at once */
    ls_rows several = case_rows(4, more, 1, lanes);
    check_conv(ls_conv_make(10, 10, 36, 40, 3, 3, 1, 1, true), &several, false);
    check_conv(ls_conv_make(60, 60, 18, 20, 3, 3, 2, 2, true), &one, false);
    check_conv(ls_conv_up_sampled(ls_conv_make(28, 28, 32, 1, 3, 3, 1, 1, true), 2, 2), &rows, true);
    check_conv(ls_conv_up_sampled(ls_conv_make(16, 16, 70, 66, 5, 5, 1, 1, true), 2, 2), &one, false);
}

/* As many lanes as there may be: in one subtree, and in ten. */
static void test_deepest_tree(void **state) {
    (void)state;
    int64_t lane_rows[LS_LANES_MAX];
    const int all[] = {LS_LANES_MAX}, powers[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
    for (int l = 0; l < LS_LANES_MAX; l++) lane_rows[l] = l % 3;
    ls_rows rows = case_rows(LS_LANES_MAX, lane_rows, 1, all);
    check_conv(ls_conv_make(2, 3, 2, 3, 2, 2, 1, 1, true), &rows, false);
    rows = case_rows(LS_LANES_MAX - 1, lane_rows, 10, powers);
    check_conv(ls_conv_make(2, 3, 2, 3, 2, 2, 1, 1, true), &rows, false);
}

static void test_lanes_and_subtrees(void **state) {
    (void)state;
    const int64_t even[] = {2, 2, 2, 2, 2, 2, 2, 2}, odd[] = {0, 1, 0, 3, 2, 0, 0, 1}, none[] = {0, 0};
    const int all[] = {8}, some[] = {1, 2, 4}, eights[] = {1, 1, 1, 1, 1, 1, 1, 1}, two[] = {2};
    const ls_rows rows[] = {case_rows(8, even, 1, all), case_rows(8, odd, 1, all), case_rows(7, odd, 3, some),
                            case_rows(8, odd, 8, eights), case_rows(2, none, 1, two)};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_conv(ls_conv_make(7, 7, 3, 5, 3, 3, 1, 1, true), &rows[i], true);
        check_conv(ls_conv_make(5, 5, 70, 100, 3, 3, 1, 1, true), &rows[i],
                   false); /* enough blocks: no split of the lanes */
    }
}

static double dot(int64_t count, const float *a, const float *b) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* <conv(x, w), dy> = <x, input gradient(dy, w)> = <w, weight gradient(x, dy)>. */
static void test_adjoint(void **state) {
    (void)state;
    ls_rows rows = ls_rows_single(3);
    for (int64_t stride = 1; stride <= 3; stride++) {
        kernel_case k;
        ls_conv conv = ls_conv_make(11, 13, 6, 9, 4, 3, stride, stride, stride != 2);
        case_init(&k, conv, &rows, ls_conv_scratch(&conv, 3, CASE_THREADS_MAX, 1));
        run_case(&k, case_best_isa(), 2);
        ls_conv_forward(case_pool(1), &conv, 3, k.x, k.w, NULL, LS_ACTIVATION_LINEAR, k.y, k.scratch);
        double forward = dot(3 * naive_out_count(&conv), k.y, k.dy);
        assert_true(fabs(forward - dot(3 * naive_in_count(&conv), k.x, k.dx)) < 1e-5 * fabs(forward) + 1e-3);
        assert_true(fabs(forward - dot(naive_weights(&conv), k.w, k.subtree_dw[0])) < 1e-5 * fabs(forward) + 1e-3);
        case_release(&k);
    }
}

static void test_activations(void **state) {
    (void)state;
    ls_conv conv = ls_conv_make(9, 9, 4, 6, 3, 3, 1, 1, true);
    enum { COUNT = 2 * 9 * 9 * 6 };
    ls_rows rows = ls_rows_single(2);
    kernel_case k;
    float fused[COUNT], apart[COUNT];
    case_init(&k, conv, &rows, ls_conv_scratch(&conv, 2, 1, 1));
    for (int isa = 0; isa <= (int)case_best_isa(); isa++)
        for (int f = 0; f < LS_ACTIVATION_COUNT; f++) {
            ls_cpu_use((ls_isa)isa);
            ls_conv_forward(case_pool(1), &conv, 2, k.x, k.w, k.bias, (ls_activation)f, fused, k.scratch);
            ls_activation_forward(case_pool(1), (ls_activation)f, COUNT / 6, 6, k.y_chain, apart);
            assert_memory_equal(fused, apart, sizeof fused);
        }
    case_release(&k);
}

/* ---- Winograd's filtering: every cut of the work gives the same bits (check_conv), and they are near. ---- */

static void test_winograd_shapes(void **state) {
    (void)state;
    const int64_t channels[] = {48, 64, 80, 96}, kernels[] = {1, 2, 3, 5}, sizes[] = {5, 8, 11, 12};
    ls_rng rng = ls_rng_stream(1, LS_RNG_TEST, 2, 0);
    int taken = 0;
    for (uint64_t i = 0; i < 40; i++) {
        int64_t up = i % 4 == 0 ? 2 : 1, stride = i % 4 == 1 ? 2 : 1, kernel = pick(&rng, i, 4, kernels, 4);
        ls_conv conv =
            ls_conv_make(pick(&rng, i, 0, sizes, 4) * up, pick(&rng, i, 1, sizes, 4) * up,
                         pick(&rng, i, 2, channels, 4), pick(&rng, i, 3, channels, 4), kernel,
                         i % 3 ? kernel : pick(&rng, i, 5, kernels, 4), stride, stride, kernel == 1 || i % 2);
        if (conv.out_h < 1 || conv.out_w < 1) continue;
        ls_rows rows = ls_rows_single((int64_t)(i % 3));
        if (up > 1) conv = ls_conv_up_sampled(conv, up, up);
        taken += forward_is_winograd(&conv) || input_gradient_is_winograd(&conv);
        check_conv(conv, &rows, true);
    }
    assert_true(taken > 10);
}

/* Pictures apart, and all at once. */
static void check_rows(ls_conv conv) {
    enum { ROWS = 5 };
    ls_rows rows = ls_rows_single(ROWS);
    kernel_case k;
    case_init(&k, conv, &rows, ls_conv_scratch(&conv, ROWS, CASE_THREADS_MAX, 1));
    run_case(&k, case_best_isa(), 2);
    int64_t in = naive_in_count(&conv), out = naive_out_count(&conv);
    case_clear(&k);
    ls_conv_weight_gradient(case_pool(1), &k.conv, &rows, k.x, k.dy, k.subtree_dw, k.subtree_db, k.scratch);
    for (int64_t begin = 0, count; (count = ls_min(begin ? 2 : 1, ROWS - begin)) > 0; begin += count) {
        ls_conv_forward(case_pool(1), &k.conv, count, k.x + begin * in, k.w, k.bias, LS_ACTIVATION_LINEAR,
                        k.y + begin * out, k.scratch);
        ls_conv_input_gradient(case_pool(1), &k.conv, count, k.dy + begin * out, k.w, k.dx + begin * in, k.scratch);
    }
    case_check(&k, "cut");
    case_release(&k);
}

static void test_winograd_rows(void **state) {
    (void)state;
    check_rows(ls_conv_make(26, 26, 64, 64, 3, 3, 1, 1, true));
    check_rows(ls_conv_make(9, 9, 64, 128, 5, 5, 1, 1, true));
    check_rows(ls_conv_make(8, 8, 64, 128, 3, 3, 2, 2, true));
}

static void check_errors(ls_conv conv, bool positive) {
    kernel_case k;
    ls_rows rows = ls_rows_single(1);
    case_init(&k, conv, &rows, ls_conv_scratch(&conv, 1, 1, 1));
    int64_t in = naive_in_count(&conv), out = naive_out_count(&conv);
    bool up = conv.up_h > 1;
    if (positive) { /* as after a relu */
        for (int64_t i = 0; i < in; i++) k.x[i] = k.x[i] > 0 ? k.x[i] : 0;
        for (int64_t i = 0; i < out; i++) k.dy[i] = k.dy[i] > 0 ? k.dy[i] : 0;
        (up ? naive_up_forward : naive_forward)(&conv, 1, k.x, k.w, k.bias, k.y_chain, k.y_exact);
        (up ? naive_up_input_gradient : naive_input_gradient)(&conv, 1, k.dy, k.w, k.dx_chain, k.dx_exact);
    }
    ls_cpu_use(case_best_isa());
    ls_conv_forward(case_pool(1), &conv, 1, k.x, k.w, k.bias, LS_ACTIVATION_LINEAR, k.y, k.scratch);
    ls_conv_input_gradient(case_pool(1), &conv, 1, k.dy, k.w, k.dx, k.scratch);
    case_check_error(&k, "y", out, k.y, k.y_chain, k.y_exact);
    case_check_error(&k, "dx", in, k.dx, k.dx_chain, k.dx_exact);
    case_release(&k);
}

static void check_winograd_errors(ls_conv conv, bool positive) {
    assert_true(forward_is_winograd(&conv) || input_gradient_is_winograd(&conv));
    check_errors(conv, positive);
}

/* The models' layers; large pictures cut, as the length of sums decides. */
static void test_winograd_errors(void **state) {
    (void)state;
    for (int positive = 0; positive <= 1; positive++) {
        check_winograd_errors(ls_conv_make(26, 26, 64, 64, 3, 3, 1, 1, true), positive);
        check_winograd_errors(ls_conv_make(28, 28, 32, 64, 3, 3, 1, 1, false), positive);
        check_winograd_errors(ls_conv_make(14, 14, 32, 32, 3, 3, 1, 1, true), positive);
        check_winograd_errors(ls_conv_make(10, 10, 128, 256, 3, 3, 1, 1, true), positive);
        check_winograd_errors(ls_conv_make(16, 16, 256, 128, 5, 5, 1, 1, true), positive);
        check_winograd_errors(ls_conv_make(16, 16, 128, 256, 3, 3, 2, 2, true), positive);
        check_winograd_errors(ls_conv_make(32, 32, 64, 128, 3, 3, 2, 2, true), positive);
        check_winograd_errors(ls_conv_make(8, 8, 256, 256, 3, 3, 2, 2, true), positive);
        check_winograd_errors(ls_conv_make(16, 16, 64, 64, 5, 5, 2, 2, true), positive);
        check_winograd_errors(ls_conv_up_sampled(ls_conv_make(20, 20, 128, 128, 5, 5, 1, 1, true), 2, 2), positive);
        check_winograd_errors(ls_conv_up_sampled(ls_conv_make(20, 20, 256, 128, 3, 3, 1, 1, true), 2, 2), positive);
    }
}

/* ---- Few filters: the same. ---- */

static void test_few_shapes(void **state) {
    (void)state;
    const int64_t channels[] = {8, 13, 16, 32}, kernels[] = {2, 3, 4, 5}, sizes[] = {1, 3, 8, 15}, two[] = {1, 2, 3};
    ls_rng rng = ls_rng_stream(1, LS_RNG_TEST, 3, 0);
    int taken = 0;
    for (uint64_t i = 0; i < 60; i++) {
        int64_t up_h = pick(&rng, i, 2, two, 3), up_w = pick(&rng, i, 3, two, 3);
        int64_t many = pick(&rng, i, 4, channels, 4), few = 1 + (int64_t)(i % 4);
        int64_t h = pick(&rng, i, 0, sizes, 4) * up_h, w = pick(&rng, i, 1, sizes, 4) * up_w;
        int64_t kernel_h = pick(&rng, i, 5, kernels, 4), kernel_w = pick(&rng, i, 6, kernels, 4);
        bool same = pick(&rng, i, 7, two, 2) == 1, turned = i % 3 == 0;
        ls_conv conv = turned ? ls_conv_make(h, w, few, many, kernel_h, kernel_w, up_h, up_w, same)
                              : ls_conv_make(h, w, many, few, kernel_h, kernel_w, 1, 1, same);
        if (conv.out_h < 1 || conv.out_w < 1) continue;
        if (!turned) conv = ls_conv_up_sampled(conv, up_h, up_w);
        ls_rows rows = ls_rows_single((int64_t)(i % 3));
        taken += turned ? input_gradient_is_few(&conv) : forward_is_few(&conv);
        check_conv(conv, &rows, true);
    }
    assert_true(taken > 20);
}

static void test_few_errors(void **state) {
    (void)state;
    const ls_conv convs[] = {ls_conv_up_sampled(ls_conv_make(28, 28, 32, 1, 3, 3, 1, 1, true), 2, 2),
                             ls_conv_up_sampled(ls_conv_make(24, 24, 128, 3, 5, 5, 1, 1, true), 2, 2)};
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++) {
        assert_true(forward_is_few(&convs[i]));
        check_errors(convs[i], false);
    }
}

static void test_few_rows(void **state) {
    (void)state;
    check_rows(ls_conv_up_sampled(ls_conv_make(28, 28, 32, 1, 3, 3, 1, 1, true), 2, 2));
    check_rows(ls_conv_up_sampled(ls_conv_make(10, 34, 16, 3, 5, 3, 1, 1, false), 2, 2));
}

static void check_activations(ls_conv conv) {
    ls_rows rows = ls_rows_single(2);
    int64_t count = 2 * naive_out_count(&conv);
    kernel_case k;
    case_init(&k, conv, &rows, ls_conv_scratch(&conv, 2, 1, 1));
    ls_cpu_use(case_best_isa());
    ls_conv_forward(case_pool(1), &conv, 2, k.x, k.w, k.bias, LS_ACTIVATION_LINEAR, k.y_chain, k.scratch);
    float *apart = k.dy;
    for (int f = 0; f < LS_ACTIVATION_COUNT; f++) {
        ls_conv_forward(case_pool(1), &conv, 2, k.x, k.w, k.bias, (ls_activation)f, k.y, k.scratch);
        ls_activation_forward(case_pool(1), (ls_activation)f, count / conv.o, conv.o, k.y_chain, apart);
        assert_memory_equal(k.y, apart, (size_t)count * sizeof *apart);
    }
    case_release(&k);
}

static void test_unchained_activations(void **state) {
    (void)state;
    ls_conv winograd = ls_conv_make(7, 9, 64, 64, 3, 3, 1, 1, true);
    ls_conv few = ls_conv_up_sampled(ls_conv_make(14, 18, 16, 3, 3, 3, 1, 1, true), 2, 2);
    assert_true(forward_is_winograd(&winograd) && forward_is_few(&few));
    check_activations(winograd);
    check_activations(few);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_random_shapes),
        cmocka_unit_test(test_random_up_sampled),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_lanes_and_subtrees),
        cmocka_unit_test(test_deepest_tree),
        cmocka_unit_test(test_adjoint),
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_winograd_shapes),
        cmocka_unit_test(test_winograd_rows),
        cmocka_unit_test(test_winograd_errors),
        cmocka_unit_test(test_few_shapes),
        cmocka_unit_test(test_few_rows),
        cmocka_unit_test(test_few_errors),
        cmocka_unit_test(test_unchained_activations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
