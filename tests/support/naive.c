/* naive.c - sums as they are written on paper, as float chains and in double; see naive.h. */
#include "support/naive.h"

#include <math.h>
#include <stdlib.h>

ls_conv naive_dense(int64_t n, int64_t k) { return ls_conv_make(1, 1, k, n, 1, 1, 1, 1, false); }

int64_t naive_in_count(const ls_conv *v) { return v->h * v->w * v->c; }
int64_t naive_out_count(const ls_conv *v) { return v->out_h * v->out_w * v->o; }
int64_t naive_weights(const ls_conv *v) { return v->kernel_h * v->kernel_w * v->c * v->o; }

typedef struct sums {
    float chain;
    double exact;
} sums;

static void add(sums *s, float a, float b) {
    s->chain = fmaf(a, b, s->chain);
    s->exact += (double)a * (double)b;
}

/* Row i of outputs under tap a reads row y of the picture; false where that is padding. */
static bool reads(int64_t i, int64_t a, int64_t stride, int64_t pad, int64_t n, int64_t *y) {
    *y = i * stride + a - pad;
    return *y >= 0 && *y < n;
}

/* Row y of the picture under tap a is read by row i of outputs. */
static bool is_read(int64_t y, int64_t a, int64_t stride, int64_t pad, int64_t n, int64_t *i) {
    if (y + pad - a < 0 || (y + pad - a) % stride != 0) return false;
    *i = (y + pad - a) / stride;
    return *i < n;
}

static sums output(const ls_conv *v, const float *x, const float *w, int64_t i, int64_t j, int64_t o) {
    sums s = {0};
    int64_t y, z;
    for (int64_t a = 0; a < v->kernel_h; a++)
        for (int64_t b = 0; b < v->kernel_w; b++)
            for (int64_t c = 0; c < v->c; c++)
                if (reads(i, a, v->stride_h, v->pad_top, v->h, &y) && reads(j, b, v->stride_w, v->pad_left, v->w, &z))
                    add(&s, x[(y * v->w + z) * v->c + c], w[((a * v->kernel_w + b) * v->c + c) * v->o + o]);
    return s;
}

void naive_forward(const ls_conv *v, int64_t rows, const float *x, const float *w, const float *bias, float *chain,
                   double *exact) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < v->out_h; i++)
            for (int64_t j = 0; j < v->out_w; j++)
                for (int64_t o = 0; o < v->o; o++) {
                    sums s = output(v, x + r * naive_in_count(v), w, i, j, o);
                    *chain++ = bias ? s.chain + bias[o] : s.chain;
                    *exact++ = bias ? s.exact + (double)bias[o] : s.exact;
                }
}

static sums input(const ls_conv *v, const float *dy, const float *w, int64_t y, int64_t z, int64_t c) {
    sums s = {0};
    int64_t i, j;
    for (int64_t a = v->kernel_h - 1; a >= 0; a--)
        for (int64_t b = v->kernel_w - 1; b >= 0; b--)
            for (int64_t o = 0; o < v->o; o++)
                if (is_read(y, a, v->stride_h, v->pad_top, v->out_h, &i) &&
                    is_read(z, b, v->stride_w, v->pad_left, v->out_w, &j))
                    add(&s, dy[(i * v->out_w + j) * v->o + o], w[((a * v->kernel_w + b) * v->c + c) * v->o + o]);
    return s;
}

void naive_input_gradient(const ls_conv *v, int64_t rows, const float *dy, const float *w, float *chain,
                          double *exact) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t y = 0; y < v->h; y++)
            for (int64_t z = 0; z < v->w; z++)
                for (int64_t c = 0; c < v->c; c++) {
                    sums s = input(v, dy + r * naive_out_count(v), w, y, z, c);
                    *chain++ = s.chain;
                    *exact++ = s.exact;
                }
}

/* x == NULL: the bias, whose input is 1 everywhere. */
static sums weight(const ls_conv *v, int64_t first, int64_t end, const float *x, const float *dy, int64_t a, int64_t b,
                   int64_t c, int64_t o) {
    sums s = {0};
    int64_t y, z;
    for (int64_t r = first; r < end; r++)
        for (int64_t i = 0; i < v->out_h; i++)
            for (int64_t j = 0; j < v->out_w; j++) {
                float g = dy[((r * v->out_h + i) * v->out_w + j) * v->o + o];
                if (!x)
                    add(&s, 1, g);
                else if (reads(i, a, v->stride_h, v->pad_top, v->h, &y) &&
                         reads(j, b, v->stride_w, v->pad_left, v->w, &z))
                    add(&s, x[((r * v->h + y) * v->w + z) * v->c + c], g);
            }
    return s;
}

static sums tree(const ls_conv *v, const ls_rows *rows, int begin, int end, const float *x, const float *dy, int64_t a,
                 int64_t b, int64_t c, int64_t o) {
    if (end - begin == 1) return weight(v, rows->lane_begin[begin], rows->lane_begin[end], x, dy, a, b, c, o);
    sums left = tree(v, rows, begin, (begin + end) / 2, x, dy, a, b, c, o);
    sums right = tree(v, rows, (begin + end) / 2, end, x, dy, a, b, c, o);
    return (sums){left.chain + right.chain, left.exact + right.exact};
}

void naive_weight_gradient(const ls_conv *v, const ls_rows *rows, int begin, int end, const float *x, const float *dy,
                           float *chain, double *exact) {
    for (int64_t a = 0; a < v->kernel_h; a++)
        for (int64_t b = 0; b < v->kernel_w; b++)
            for (int64_t c = 0; c < v->c; c++)
                for (int64_t o = 0; o < v->o; o++) {
                    sums s = tree(v, rows, begin, end, x, dy, a, b, c, o);
                    *chain++ = s.chain;
                    *exact++ = s.exact;
                }
}

void naive_bias_gradient(const ls_conv *v, const ls_rows *rows, int begin, int end, const float *dy, float *chain,
                         double *exact) {
    for (int64_t o = 0; o < v->o; o++) {
        sums s = tree(v, rows, begin, end, NULL, dy, 0, 0, 0, o);
        *chain++ = s.chain;
        *exact++ = s.exact;
    }
}
