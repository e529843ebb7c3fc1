/* Weight gradients by minimal filtering: whoever adds which lanes, the bits are the same, and they are near. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "support/conv_ways.h"
#include "support/kernel_case.h"
#include "support/naive_up.h"
#include "tensor/conv.h"

enum { LANES = 4 };

static ls_conv same(int64_t h, int64_t w, int64_t c, int64_t o, int64_t kernel, int64_t stride) {
    return ls_conv_make(h, w, c, o, kernel, kernel, stride, stride, true);
}

static ls_conv doubled(int64_t size, int64_t c, int64_t o, int64_t kernel) {
    return ls_conv_up_sampled(same(2 * size, 2 * size, c, o, kernel, 1), 2, 2);
}

/* The tree over subtrees, which exchanges add: neighbours first. All sizes are powers of two. */
static void add_subtrees(const kernel_case *k, float *sum) {
    int64_t count = naive_weights(&k->conv);
    float *stack[LANES + 1];
    int lanes[LANES + 1], depth = 0;
    for (int i = 0; i < k->rows.subtrees; i++) {
        stack[depth] = k->subtree_dw[i];
        lanes[depth++] = k->rows.subtree_begin[i + 1] - k->rows.subtree_begin[i];
        for (; depth > 1 && lanes[depth - 2] == lanes[depth - 1]; depth--) {
            for (int64_t j = 0; j < count; j++) stack[depth - 2][j] += stack[depth - 1][j];
            lanes[depth - 2] *= 2;
        }
    }
    assert_int_equal(depth, 1);
    memcpy(sum, stack[0], (size_t)count * sizeof *sum);
}

static void weight_gradient(kernel_case *k, int threads) {
    case_clear(k);
    ls_conv_weight_gradient(case_pool(threads), &k->conv, &k->rows, k->x, k->dy, k->subtree_dw, k->subtree_db,
                            k->scratch);
}

static void test_cuts(void **state) {
    (void)state;
    const ls_conv convs[] = {same(9, 14, 16, 48, 3, 1),
                             same(8, 8, 80, 96, 3, 1),
                             same(10, 11, 32, 16, 5, 1),
                             ls_conv_make(18, 30, 16, 16, 3, 3, 1, 1, false),
                             doubled(8, 32, 16, 5),
                             same(16, 16, 64, 64, 3, 2),
                             same(16, 15, 144, 112, 3, 2), /* blocks of channels; strips of filters, the last narrow */
                             ls_conv_make(18, 17, 48, 64, 4, 4, 2, 2, false)};
    const int64_t lane_rows[LANES] = {2, 1, 0, 3};
    const int cuts[][LANES] = {{4}, {2, 2}, {1, 1, 2}, {2, 1, 1}, {1, 1, 1, 1}};
    const int subtrees[] = {1, 2, 3, 3, 4};
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++) {
        assert_true(weight_gradient_is_winograd(&convs[i]));
        size_t bytes = (size_t)naive_weights(&convs[i]) * sizeof(float);
        float *first = malloc(bytes), *sum = malloc(bytes);
        assert_true(first && sum);
        for (size_t cut = 0; cut < sizeof subtrees / sizeof *subtrees; cut++) {
            ls_rows rows = case_rows(LANES, lane_rows, subtrees[cut], cuts[cut]);
            kernel_case k;
            case_init(&k, convs[i], &rows, ls_conv_scratch(&convs[i], rows.count, CASE_THREADS_MAX, LANES));
            for (int isa = (int)case_best_isa(); isa >= 0; isa--)
                for (int threads = 1; threads <= CASE_THREADS_MAX; threads++) {
                    bool begun = cut > 0 || isa < (int)case_best_isa() || threads > 1;
                    ls_cpu_use((ls_isa)isa);
                    weight_gradient(&k, threads);
                    add_subtrees(&k, begun ? sum : first);
                    if (begun) assert_memory_equal(sum, first, bytes);
                }
            case_release(&k);
        }
        free(first);
        free(sum);
    }
}

/* A lane is what it is whatever lies beside it. */
static void test_lane_alone(void **state) {
    (void)state;
    ls_conv conv = same(13, 9, 32, 32, 3, 1);
    ls_rows all = case_rows(3, (const int64_t[]){2, 3, 1}, 3, (const int[]){1, 1, 1}), one = ls_rows_single(3);
    kernel_case k;
    case_init(&k, conv, &all, ls_conv_scratch(&conv, all.count, CASE_THREADS_MAX, 3));
    size_t bytes = (size_t)naive_weights(&conv) * sizeof(float);
    float *lane = malloc(bytes);
    assert_non_null(lane);
    ls_cpu_use(case_best_isa());
    weight_gradient(&k, 2);
    memcpy(lane, k.subtree_dw[1], bytes);
    ls_conv_weight_gradient(case_pool(1), &conv, &one, k.x + 2 * naive_in_count(&conv),
                            k.dy + 2 * naive_out_count(&conv), k.subtree_dw, k.subtree_db, k.scratch);
    assert_memory_equal(lane, k.subtree_dw[0], bytes);
    free(lane);
    case_release(&k);
}

/* Positive: pictures as after a relu, and gradients of which many are zero and some large. */
static void make_positive(kernel_case *k) {
    for (int64_t i = 0; i < k->rows.count * naive_in_count(&k->conv); i++)
        k->x[i] = k->x[i] > -0.3f ? k->x[i] + 0.3f : 0;
    for (int64_t i = 0; i < k->rows.count * naive_out_count(&k->conv); i++)
        k->dy[i] = k->dy[i] > 0 ? k->dy[i] * k->dy[i] * k->dy[i] : 0;
    bool up = k->conv.up_h > 1;
    (up ? naive_up_weight_gradient : naive_weight_gradient)(&k->conv, &k->rows, 0, k->rows.lanes, k->x, k->dy,
                                                            k->dw_chain, k->dw_exact);
}

static void check_error(ls_conv conv, int64_t rows_of_lane, bool positive) {
    ls_rows rows = ls_rows_single(rows_of_lane);
    kernel_case k;
    case_init(&k, conv, &rows, ls_conv_scratch(&conv, rows.count, 1, 1));
    assert_true(weight_gradient_is_winograd(&conv));
    if (positive) make_positive(&k);
    ls_cpu_use(case_best_isa());
    weight_gradient(&k, 1);
    case_check_error(&k, "dw", naive_weights(&conv), k.subtree_dw[0], k.dw_chain, k.dw_exact);
    case_release(&k);
}

/* A lane of the models' layers, but with fewer channels and filters: neither lengthens a sum. */
static void test_errors(void **state) {
    (void)state;
    for (int positive = 0; positive <= 1; positive++) {
        check_error(same(26, 26, 16, 16, 3, 1), 16, positive);
        check_error(same(14, 14, 16, 16, 3, 1), 16, positive);
        check_error(same(14, 14, 32, 32, 3, 1), 1, positive);
        check_error(same(40, 40, 16, 16, 5, 1), 6, positive);
        check_error(doubled(20, 16, 16, 5), 6, positive);
        check_error(same(32, 32, 64, 64, 3, 2), 4, positive);
        check_error(same(16, 16, 64, 64, 3, 2), 4, positive);
        check_error(same(16, 15, 144, 112, 3, 2), 3, positive);
    }
}

/* Where many taps see padding, a tile's rounding is many times that of the short sums: these are made directly. */
static void test_small_pictures(void **state) {
    (void)state;
    const ls_conv small[] = {same(3, 4, 128, 128, 10, 2), same(4, 6, 32, 64, 10, 2), same(4, 2, 64, 128, 5, 1),
                             same(7, 2, 16, 128, 5, 1),   same(5, 5, 64, 128, 5, 1), same(4, 4, 64, 128, 3, 1)};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) assert_false(weight_gradient_is_winograd(&small[i]));
    check_error(same(8, 8, 64, 128, 3, 1), 1, false);
    check_error(same(10, 10, 64, 128, 5, 1), 2, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_lane_alone),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_small_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
