/* pooling.c - max-pooling and up-sampling, shared out over the pool by rows or samples; see pooling.h. */
#include "tensor/pooling.h"

#include <string.h>

#include "base/integers.h"
#include "tensor/kernels_internal.h"
#include "tensor/picture_internal.h"

ls_pooling ls_pooling_make(int64_t h, int64_t w, int64_t c, int64_t pool_h, int64_t pool_w, int64_t stride_h,
                           int64_t stride_w, bool same) {
    ls_pooling p = {
        .h = h, .w = w, .c = c, .pool_h = pool_h, .pool_w = pool_w, .stride_h = stride_h, .stride_w = stride_w};
    ls_outputs_fit(h, pool_h, stride_h, same, &p.out_h, &p.pad_top);
    ls_outputs_fit(w, pool_w, stride_w, same, &p.out_w, &p.pad_left);
    return p;
}

/* ---- max-pooling; a task is a row of outputs forward, and a whole sample backward, where windows may overlap ---- */

typedef struct max_pooling {
    const ls_pooling *p;
    const float *x, *y, *dy;
    float *out; /* y or dx */
    bool relu;
    bool overlap, gaps; /* do windows share pixels; are there pixels in none */
} max_pooling;

typedef struct span {
    int64_t begin, end;
} span;

/* The part of window i that is in the picture. */
static span window(int64_t i, int64_t size, int64_t stride, int64_t pad, int64_t n) {
    return (span){ls_max(i * stride - pad, 0), ls_min(i * stride - pad + size, n)};
}

/* How many windows from number i on are as wide as that one and a stride apart: one at an edge, or all that are whole.
 */
static int64_t equal_windows(const ls_pooling *p, int64_t i) {
    int64_t whole = (p->w + p->pad_left - p->pool_w) / p->stride_w + 1; /* the first that reaches beyond the picture */
    bool is_whole = i * p->stride_w >= p->pad_left && i < whole;
    return is_whole ? ls_min(whole, p->out_w) - i : 1;
}

typedef void (*windows_fn)(const max_pooling *m, const ls_windows *windows, int64_t input, int64_t output);

/* Calls f for the windows of row i of a sample's outputs, run after run. */
static void for_row(const max_pooling *m, int64_t sample, int64_t i, windows_fn f) {
    const ls_pooling *p = m->p;
    span rows = window(i, p->pool_h, p->stride_h, p->pad_top, p->h);
    for (int64_t j = 0, count; j < p->out_w; j += count) {
        count = equal_windows(p, j);
        span columns = window(j, p->pool_w, p->stride_w, p->pad_left, p->w);
        ls_windows windows = {.count = count,
                              .h = rows.end - rows.begin,
                              .w = columns.end - columns.begin,
                              .c = p->c,
                              .row = p->w * p->c,
                              .step = p->stride_w * p->c};
        f(m, &windows, ((sample * p->h + rows.begin) * p->w + columns.begin) * p->c,
          ((sample * p->out_h + i) * p->out_w + j) * p->c);
    }
}

static void take_maximum(const max_pooling *m, const ls_windows *windows, int64_t input, int64_t output) {
    ls_vector_kernels_get()->maximum(windows, m->x + input, m->out + output);
}

static void route(const max_pooling *m, const ls_windows *windows, int64_t input, int64_t output) {
    ls_vector_kernels_get()->route(windows, m->x + input, m->y + output, m->dy + output, m->relu, m->overlap,
                                   m->out + input);
}

static void forward_task(void *context, int64_t task, int thread) {
    (void)thread;
    const max_pooling *m = context;
    for_row(m, task / m->p->out_h, task % m->p->out_h, take_maximum);
}

static void backward_task(void *context, int64_t task, int thread) {
    (void)thread;
    const max_pooling *m = context;
    int64_t floats = m->p->h * m->p->w * m->p->c;
    if (m->overlap || m->gaps) memset(m->out + task * floats, 0, (size_t)floats * sizeof *m->out);
    for (int64_t i = 0; i < m->p->out_h; i++) for_row(m, task, i, route);
}

static bool has_gaps(int64_t n, int64_t size, int64_t stride, int64_t pad, int64_t out) {
    return stride > size || (out - 1) * stride - pad + size < n;
}

void ls_max_pooling_forward(ls_pool *pool, const ls_pooling *pooling, int64_t rows, const float *x, float *y) {
    max_pooling m = {.p = pooling, .x = x, .out = y};
    ls_pool_run(pool, rows * pooling->out_h, forward_task, &m);
}

void ls_max_pooling_backward(ls_pool *pool, const ls_pooling *pooling, int64_t rows, const float *x, const float *y,
                             const float *dy, bool relu, float *dx) {
    const ls_pooling *p = pooling;
    max_pooling m = {.p = p, .x = x, .y = y, .dy = dy, .out = dx, .relu = relu};
    m.overlap = p->stride_h < p->pool_h || p->stride_w < p->pool_w;
    m.gaps = has_gaps(p->h, p->pool_h, p->stride_h, p->pad_top, p->out_h) ||
             has_gaps(p->w, p->pool_w, p->stride_w, p->pad_left, p->out_w);
    ls_pool_run(pool, rows, backward_task, &m);
}

/* ---- nearest up-sampling; a task is a row of the small picture ---- */

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
