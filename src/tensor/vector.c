#include "tensor/vector.h"

#include <float.h>

#include "tensor/product_internal.h"

enum { BLOCK = 16384 };

typedef struct vector_task {
    int64_t count;
    const float *x;
    float *y;
} vector_task;

static void add_task(void *context, int64_t task, int thread) {
    (void)thread;
    const vector_task *v = context;
    int64_t begin = task * BLOCK;
    ls_vector_kernels_get()->add(ls_min(BLOCK, v->count - begin), v->x + begin, v->y + begin);
}

void ls_vector_add(ls_pool *pool, int64_t count, const float *x, float *y) {
    vector_task v = {.count = count, .x = x, .y = y};
    ls_pool_run(pool, ceil_div(count, BLOCK), add_task, &v);
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
