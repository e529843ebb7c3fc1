/* Dense products and their gradients, on every instruction set, bit for bit against plain loops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "support/kernel_case.h"
#include "tensor/gemm.h"

static void run_case(kernel_case *k, ls_isa isa, int threads) {
    const ls_conv *v = &k->conv;
    ls_pool *pool = case_pool(threads);
    ls_cpu_use(isa);
    case_clear(k);
    ls_gemm_forward(pool, k->rows.count, v->o, v->c, k->x, k->w, k->bias, LS_ACTIVATION_LINEAR, k->y, k->scratch);
    ls_gemm_input_gradient(pool, k->rows.count, v->o, v->c, k->dy, k->w, k->dx, k->scratch);
    ls_gemm_weight_gradient(pool, &k->rows, v->o, v->c, k->x, k->dy, k->subtree_dw, k->subtree_db, k->scratch);
    case_check(k, "dense");
}

/* Every instruction set and number of threads gives the bits of the definition. */
static void check_dense(const ls_rows *rows, int64_t n, int64_t k, bool all) {
    kernel_case dense;
    case_init(&dense, naive_dense(n, k), rows, ls_gemm_scratch(rows->count, n, k, CASE_THREADS_MAX, rows->lanes));
    for (int isa = all ? 0 : (int)case_best_isa(); isa <= (int)case_best_isa(); isa++)
        for (int threads = 1; threads <= CASE_THREADS_MAX; threads++) run_case(&dense, (ls_isa)isa, threads);
    case_release(&dense);
}

static void test_small_shapes(void **state) {
    (void)state;
    const int64_t sizes[] = {1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 48, 64, 65, 80};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    ls_rng rng = ls_rng_stream(1, LS_RNG_TEST, 0, 0);
    for (uint64_t i = 0; i < 60; i++) {
        int64_t n = sizes[ls_rng_below(&rng, 3 * i, SIZES)], k = sizes[ls_rng_below(&rng, 3 * i + 1, SIZES)];
        ls_rows rows = ls_rows_single(1 + (int64_t)ls_rng_below(&rng, 3 * i + 2, 40));
        check_dense(&rows, n, k, true);
    }
}

/* Blocks of steps, of columns, of rows; strides that collide; weights too large to be packed at once; few rows, whose
 * weights are read where they lie. */
static void test_blocks(void **state) {
    (void)state;
    const int64_t lane_rows[] = {30, 31, 30, 31};
    const int lanes[] = {4};
    ls_rows rows = case_rows(4, lane_rows, 1, lanes), few = ls_rows_single(9), one = ls_rows_single(1);
    ls_rows some = ls_rows_single(40);
    check_dense(&rows, 210, 300, false);
    check_dense(&rows, 512, 70, false);
    check_dense(&rows, 70, 768, false);
    check_dense(&few, 1100, 1001, false);
    check_dense(&one, 400, 513, false);
    check_dense(&some, 512, 300, false);
    check_dense(&some, 176, 770, false);
    check_dense(&few, 32, 512, false);
}

/* As many lanes as there may be: in one subtree, and in ten. */
static void test_deepest_tree(void **state) {
    (void)state;
    int64_t lane_rows[LS_LANES_MAX];
    const int all[] = {LS_LANES_MAX}, powers[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
    for (int l = 0; l < LS_LANES_MAX; l++) lane_rows[l] = l % 3;
    ls_rows rows = case_rows(LS_LANES_MAX, lane_rows, 1, all);
    check_dense(&rows, 3, 2, false);
    rows = case_rows(LS_LANES_MAX - 1, lane_rows, 10, powers);
    check_dense(&rows, 3, 2, false);
}

static void test_lanes_and_subtrees(void **state) {
    (void)state;
    const int64_t even[] = {3, 3, 3, 3, 3, 3, 3, 3}, odd[] = {0, 1, 0, 7, 2, 0, 0, 5}, none[] = {0, 0};
    const int all[] = {8}, some[] = {1, 2, 4}, eights[] = {1, 1, 1, 1, 1, 1, 1, 1}, two[] = {2};
    const ls_rows rows[] = {case_rows(8, even, 1, all), case_rows(8, odd, 1, all), case_rows(7, odd, 3, some),
                            case_rows(8, odd, 8, eights), case_rows(2, none, 1, two)};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_dense(&rows[i], 19, 23, true);
        check_dense(&rows[i], 64, 90, true);
        check_dense(&rows[i], 112, 20, true);
    }
}

/* A product cut into two calls at any row is the product. */
static void test_cuts(void **state) {
    (void)state;
    enum { ROWS = 37, N = 50, K = 290 };
    ls_rows rows = ls_rows_single(ROWS);
    kernel_case k;
    case_init(&k, naive_dense(N, K), &rows, ls_gemm_scratch(ROWS, N, K, 1, 1));
    ls_cpu_use(case_best_isa());
    for (int64_t cut = 0; cut <= ROWS; cut += 3) {
        case_clear(&k);
        run_case(&k, case_best_isa(), 1);
        for (int part = 0; part < 2; part++) {
            int64_t begin = part ? cut : 0, count = part ? ROWS - cut : cut;
            ls_gemm_forward(case_pool(1), count, N, K, k.x + begin * K, k.w, k.bias, LS_ACTIVATION_LINEAR,
                            k.y + begin * N, k.scratch);
            ls_gemm_input_gradient(case_pool(1), count, N, K, k.dy + begin * N, k.w, k.dx + begin * K, k.scratch);
        }
        case_check(&k, "cut");
    }
    case_release(&k);
}

/* Bias and activation are what the activation's own function makes of the plain product. */
static void test_activations(void **state) {
    (void)state;
    enum { ROWS = 21, N = 35, K = 40 };
    ls_rows rows = ls_rows_single(ROWS);
    kernel_case k;
    float fused[ROWS * N], apart[ROWS * N];
    case_init(&k, naive_dense(N, K), &rows, ls_gemm_scratch(ROWS, N, K, 1, 1));
    for (int isa = 0; isa <= (int)case_best_isa(); isa++)
        for (int f = 0; f < LS_ACTIVATION_COUNT; f++) {
            ls_cpu_use((ls_isa)isa);
            ls_gemm_forward(case_pool(1), ROWS, N, K, k.x, k.w, k.bias, (ls_activation)f, fused, k.scratch);
            ls_activation_forward(case_pool(1), (ls_activation)f, ROWS, N, k.y_chain, apart);
            assert_memory_equal(fused, apart, sizeof fused);
        }
    case_release(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_shapes), cmocka_unit_test(test_blocks), cmocka_unit_test(test_lanes_and_subtrees),
        cmocka_unit_test(test_deepest_tree), cmocka_unit_test(test_cuts),   cmocka_unit_test(test_activations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
