#include "lockstep/pooling.h"

#include <string.h>

#include "tensor/picture.h"
#include "tensor/product.h"

ls_pooling ls_pooling_make(int64_t h, int64_t w, int64_t c, int64_t pool_h, int64_t pool_w, int64_t stride_h,
                           int64_t stride_w, bool same) {
    ls_pooling p = {
        .h = h, .w = w, .c = c, .pool_h = pool_h, .pool_w = pool_w, .stride_h = stride_h, .stride_w = stride_w};
    ls_window_fit(h, pool_h, stride_h, same, &p.out_h, &p.pad_top);
    ls_window_fit(w, pool_w, stride_w, same, &p.out_w, &p.pad_left);
    return p;
}

/* ---- Max-pooling. A task is a row of outputs forward, and a whole sample backward, where windows may overlap. ---- */

typedef struct max_pooling {
    const ls_pooling *p;
    const float *x, *y, *dy;
    float *out; /* y or dx */
} max_pooling;

typedef struct span {
    int64_t begin, end;
} span;

/* The part of window i that is in the picture. */
static span window(int64_t i, int64_t size, int64_t stride, int64_t pad, int64_t n) {
    return (span){ls_max(i * stride - pad, 0), ls_min(i * stride - pad + size, n)};
}

static void forward_task(void *context, int64_t task, int thread) {
    (void)thread;
    const max_pooling *m = context;
    const ls_pooling *p = m->p;
    const float *x = m->x + task / p->out_h * p->h * p->w * p->c;
    float *y = m->out + task * p->out_w * p->c;
    span rows = window(task % p->out_h, p->pool_h, p->stride_h, p->pad_top, p->h);
    for (int64_t j = 0; j < p->out_w; j++, y += p->c) {
        span columns = window(j, p->pool_w, p->stride_w, p->pad_left, p->w);
        memcpy(y, x + (rows.begin * p->w + columns.begin) * p->c, (size_t)p->c * sizeof *y);
        for (int64_t a = rows.begin; a < rows.end; a++)
            for (int64_t b = columns.begin; b < columns.end; b++)
                ls_vector_kernels_get()->maximum(p->c, x + (a * p->w + b) * p->c, y);
    }
}

enum { CHANNELS = 256 }; /* that are looked at together */

/* Channels [c, c + count) of one output: its gradient goes to the first position that has its value. */
static void route_window(const max_pooling *m, int64_t sample, span rows, span columns, int64_t output, int64_t c,
                         int64_t count) {
    const ls_pooling *p = m->p;
    float dy[CHANNELS];
    memcpy(dy, m->dy + output * p->c + c, (size_t)count * sizeof *dy);
    for (int64_t a = rows.begin; a < rows.end; a++)
        for (int64_t b = columns.begin; b < columns.end; b++) {
            int64_t at = ((sample * p->h + a) * p->w + b) * p->c + c;
            ls_vector_kernels_get()->route(count, m->x + at, m->y + output * p->c + c, dy, m->out + at);
        }
}

static void backward_task(void *context, int64_t task, int thread) {
    (void)thread;
    const max_pooling *m = context;
    const ls_pooling *p = m->p;
    memset(m->out + task * p->h * p->w * p->c, 0, (size_t)(p->h * p->w * p->c) * sizeof *m->out);
    for (int64_t i = 0; i < p->out_h; i++)
        for (int64_t j = 0; j < p->out_w; j++) {
            span rows = window(i, p->pool_h, p->stride_h, p->pad_top, p->h);
            span columns = window(j, p->pool_w, p->stride_w, p->pad_left, p->w);
            for (int64_t c = 0; c < p->c; c += CHANNELS)
                route_window(m, task, rows, columns, (task * p->out_h + i) * p->out_w + j, c,
                             ls_min(CHANNELS, p->c - c));
        }
}

void ls_max_pooling_forward(ls_pool *pool, const ls_pooling *pooling, int64_t rows, const float *x, float *y) {
    max_pooling m = {.p = pooling, .x = x, .out = y};
    ls_pool_run(pool, rows * pooling->out_h, forward_task, &m);
}

void ls_max_pooling_backward(ls_pool *pool, const ls_pooling *pooling, int64_t rows, const float *x, const float *y,
                             const float *dy, float *dx) {
    max_pooling m = {.p = pooling, .x = x, .y = y, .dy = dy, .out = dx};
    ls_pool_run(pool, rows, backward_task, &m);
}

/* ---- Nearest up-sampling. A task is a row of the small picture. ---- */

typedef struct up_sampling {
    int64_t h, w, c, size_h, size_w;
    const float *in;
    float *out;
} up_sampling;

static void up_task(void *context, int64_t task, int thread) {
    (void)thread;
    const up_sampling *u = context;
    int64_t row = u->w * u->size_w * u->c;
    const float *x = u->in + task * u->w * u->c;
    float *y = u->out + task * u->size_h * row, *at = y;
    for (int64_t j = 0; j < u->w; j++, x += u->c)
        for (int64_t b = 0; b < u->size_w; b++, at += u->c) memcpy(at, x, (size_t)u->c * sizeof *at);
    for (int64_t a = 1; a < u->size_h; a++) memcpy(y + a * row, y, (size_t)row * sizeof *y);
}

static void up_backward_task(void *context, int64_t task, int thread) {
    (void)thread;
    const up_sampling *u = context;
    int64_t row = u->w * u->size_w * u->c;
    const float *dy = u->in + task * u->size_h * row;
    float *dx = u->out + task * u->w * u->c;
    for (int64_t j = 0; j < u->w; j++, dx += u->c, dy += u->size_w * u->c) {
        memcpy(dx, dy, (size_t)u->c * sizeof *dx);
        for (int64_t i = 1; i < u->size_h * u->size_w; i++)
            ls_vector_kernels_get()->add(u->c, dy + i / u->size_w * row + i % u->size_w * u->c, dx);
    }
}

void ls_up_sampling_forward(ls_pool *pool, int64_t rows, int64_t h, int64_t w, int64_t c, int64_t size_h,
                            int64_t size_w, const float *x, float *y) {
    up_sampling u = {h, w, c, size_h, size_w, x, y};
    ls_pool_run(pool, rows * h, up_task, &u);
}

void ls_up_sampling_backward(ls_pool *pool, int64_t rows, int64_t h, int64_t w, int64_t c, int64_t size_h,
                             int64_t size_w, const float *dy, float *dx) {
    up_sampling u = {h, w, c, size_h, size_w, dy, dx};
    ls_pool_run(pool, rows * h, up_backward_task, &u);
}
