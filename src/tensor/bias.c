#include "lockstep/bias.h"

#include "tensor/product.h"

enum { BLOCK_FLOATS = 16384 };

typedef struct bias_forward {
    int64_t count, n, block; /* block: vectors a task */
    const float *bias;
    float *y;
} bias_forward;

static void add_task(void *context, int64_t task, int thread) {
    (void)thread;
    const bias_forward *b = context;
    int64_t end = ls_min((task + 1) * b->block, b->count);
    for (float *y = b->y + task * b->block * b->n; y < b->y + end * b->n; y += b->n)
        for (int64_t j = 0; j < b->n; j++) y[j] += b->bias[j];
}

void ls_bias_forward(ls_pool *pool, int64_t count, int64_t n, const float *bias, ls_activation activation, float *y) {
    bias_forward b = {count, n, ceil_div(BLOCK_FLOATS, n), bias, y};
    if (bias) ls_pool_run(pool, ceil_div(count, b.block), add_task, &b);
    if (activation != LS_ACTIVATION_LINEAR) ls_activation_forward(pool, activation, count, n, y, y);
}
