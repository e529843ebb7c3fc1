/* vector.c - loops over flat vectors, shared out over the pool; see vector.h. */
#include "tensor/vector.h"

#include <float.h>
#include <string.h>

#include "base/integers.h"
#include "base/lanes.h"
#include "tensor/kernels_internal.h"

enum { BLOCK = 16384 };

typedef struct addition {
    const float *x;
    float *y;
} addition;

static void add_range(void *context, int64_t begin, int64_t end) {
    const addition *a = context;
    ls_vector_kernels_get()->add(end - begin, a->x + begin, a->y + begin);
}

void ls_vector_add(ls_pool *pool, int64_t count, const float *x, float *y) {
    ls_pool_run_blocks(pool, count, BLOCK, add_range, &(addition){x, y});
}

enum { TREE_BLOCK = 4096 }; /* numbers that a task adds up: a few of these fit in a first-level cache */

typedef struct tree_task {
    int subtrees;
    const int *first;
    int64_t count, blocks;
    float *parts;
    float *const *sum;
} tree_task;

static void add_subtree(void *context, int64_t task, int thread) {
    (void)thread;
    const tree_task *t = context;
    int64_t subtree = task / t->blocks, begin = task % t->blocks * TREE_BLOCK;
    int64_t count = ls_min(TREE_BLOCK, t->count - begin);
    int parts = t->first[subtree + 1] - t->first[subtree];
    float *base = t->parts + t->first[subtree] * t->count + begin;
    for (ls_tree a = ls_tree_of(parts); ls_tree_next(&a);)
        ls_vector_kernels_get()->add(count, base + a.from * t->count, base + a.to * t->count);
    memcpy(t->sum[subtree] + begin, base, (size_t)count * sizeof *base);
}

void ls_vector_add_subtrees(ls_pool *pool, int subtrees, const int *first, int64_t count, float *parts,
                            float *const *sum) {
    tree_task t = {subtrees, first, count, ls_ceil_div(count, TREE_BLOCK), parts, sum};
    ls_pool_run(pool, subtrees * t.blocks, add_subtree, &t);
}

bool ls_vector_within(int64_t count, const float *x, float low, float high) {
    return ls_vector_kernels_get()->within(count, x, low, high);
}

bool ls_vector_finite(int64_t count, const float *x) { return ls_vector_within(count, x, -FLT_MAX, FLT_MAX); }

double ls_vector_cross_entropy(int64_t count, const float *z, const float *target, float scale, float *dz) {
    return ls_vector_kernels_get()->cross_entropy(count, z, target, scale, dz);
}

double ls_vector_squared_error(int64_t count, const float *z, const float *target, float scale, float *dz) {
    return ls_vector_kernels_get()->squared_error(count, z, target, scale, dz);
}
