/* bias.c - the gradient of a bias: sums over rows, a lane and a block of columns a task; see bias.h. */
#include "tensor/bias.h"

#include "base/integers.h"
#include "tensor/kernels_internal.h"
#include "tensor/panels_internal.h"
#include "tensor/vector.h"

enum { BIAS_BLOCK = 512 };

typedef struct bias_gradient {
    const ls_rows *rows;
    int64_t repeat, n, blocks;
    const float *dy;
    float *parts;
} bias_gradient;

static void bias_task(void *context, int64_t task, int thread) {
    (void)thread;
    const bias_gradient *g = context;
    int64_t lane = task / g->blocks, begin = task % g->blocks * BIAS_BLOCK;
    int64_t first = g->rows->lane_begin[lane] * g->repeat, end = g->rows->lane_begin[lane + 1] * g->repeat;
    ls_vector_kernels_get()->sum_rows(end - first, g->n, ls_min(BIAS_BLOCK, g->n - begin), g->dy + first * g->n + begin,
                                      g->parts + lane * g->n + begin);
}

void ls_bias_gradient(ls_pool *pool, const ls_rows *rows, int64_t repeat, int64_t n, const float *dy, float *const *db,
                      float *scratch) {
    bias_gradient g = {rows, repeat, n, ls_ceil_div(n, BIAS_BLOCK), dy, scratch};
    ls_pool_run(pool, rows->lanes * g.blocks, bias_task, &g);
    ls_vector_add_subtrees(pool, rows->subtrees, rows->subtree_begin, n, scratch, db);
}

int64_t ls_bias_gradient_scratch(int64_t n, int lanes) { return ls_round_up(n * lanes, LS_COLUMNS_ALIGN); }
