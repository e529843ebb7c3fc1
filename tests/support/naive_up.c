/* naive_up.c - the same for up-sampled convolutions; see naive_up.h. */
#include "support/naive_up.h"

#include <stdlib.h>

static ls_conv large_of(const ls_conv *v) {
    ls_conv large = *v;
    large.h *= v->up_h, large.w *= v->up_w;
    large.up_h = large.up_w = 1;
    return large;
}

/* The small side is the output. */
static ls_conv turned_of(const ls_conv *v) {
    ls_conv turned = ls_conv_make(v->out_h, v->out_w, v->o, v->c, v->kernel_h + v->up_h - 1, v->kernel_w + v->up_w - 1,
                                  v->up_h, v->up_w, false);
    turned.out_h = v->h, turned.out_w = v->w;
    turned.pad_top = v->kernel_h - 1 - v->pad_top, turned.pad_left = v->kernel_w - 1 - v->pad_left;
    return turned;
}

static void *zeros(int64_t count, size_t size) {
    void *p = calloc((size_t)count + 1, size);
    if (!p) abort();
    return p;
}

/* Where number i of a batch of large pictures is copied from; samples' rows follow one another. */
static int64_t small_place(const ls_conv *v, int64_t i) {
    int64_t pixel = i / v->c, w = v->w * v->up_w;
    return (pixel / w / v->up_h * v->w + pixel % w / v->up_w) * v->c + i % v->c;
}

static float *enlarged(const ls_conv *v, int64_t rows, const float *x) {
    int64_t count = rows * naive_in_count(v) * v->up_h * v->up_w;
    float *out = zeros(count, sizeof *out);
    for (int64_t i = 0; i < count; i++) out[i] = x[small_place(v, i)];
    return out;
}

/* Number i of the kernel, as copy j of a pixel meets it, is a part of this number of the turned kernel. */
static int64_t turned_place(const ls_conv *v, int64_t i, int64_t j) {
    int64_t tap = i / (v->c * v->o), c = i / v->o % v->c, o = i % v->o;
    int64_t a = v->kernel_h - 1 - tap / v->kernel_w + j / v->up_w;
    int64_t b = v->kernel_w - 1 - tap % v->kernel_w + j % v->up_w;
    return ((a * (v->kernel_w + v->up_w - 1) + b) * v->o + o) * v->c + c;
}

/* Tap t has its parts in the order of j: so, too, where each number is met by another j first. */
static float *turned_kernel(const ls_conv *v, const float *w) {
    ls_conv turned = turned_of(v);
    float *out = zeros(naive_weights(&turned), sizeof *out);
    for (int64_t j = 0; j < v->up_h * v->up_w; j++)
        for (int64_t i = 0; i < naive_weights(v); i++) out[turned_place(v, i, j)] += w[i];
    return out;
}

void naive_up_forward(const ls_conv *v, int64_t rows, const float *x, const float *w, const float *bias, float *chain,
                      double *exact) {
    ls_conv large = large_of(v), turned = turned_of(v);
    float *large_x = enlarged(v, rows, x), *turned_w = turned_kernel(v, w);
    double *unused = zeros(rows * naive_out_count(v), sizeof *unused);
    naive_forward(&large, rows, large_x, w, bias, chain, exact);
    naive_input_gradient(&turned, rows, x, turned_w, chain, unused);
    for (int64_t i = 0; bias && i < rows * naive_out_count(v); i++) chain[i] += bias[i % v->o];
    free(large_x);
    free(turned_w);
    free(unused);
}

void naive_up_input_gradient(const ls_conv *v, int64_t rows, const float *dy, const float *w, float *chain,
                             double *exact) {
    ls_conv large = large_of(v), turned = turned_of(v);
    int64_t count = rows * naive_in_count(&large);
    float *turned_w = turned_kernel(v, w), *unused = zeros(count, sizeof *unused);
    double *large_dx = zeros(count, sizeof *large_dx);
    naive_input_gradient(&large, rows, dy, w, unused, large_dx);
    naive_forward(&turned, rows, dy, turned_w, NULL, chain, exact);
    for (int64_t i = 0; i < rows * naive_in_count(v); i++) exact[i] = 0;
    for (int64_t i = 0; i < count; i++) exact[small_place(v, i)] += large_dx[i];
    free(turned_w);
    free(unused);
    free(large_dx);
}

/* Chains of lanes, folded, in the tree. */
static void fold_tree(const ls_conv *v, const ls_rows *rows, int begin, int end, const float *x, const float *dy,
                      float *chain) {
    int64_t count = naive_weights(v);
    ls_conv turned = turned_of(v);
    float *part = zeros(naive_weights(&turned), sizeof *part);
    double *unused = zeros(naive_weights(&turned), sizeof *unused);
    if (end - begin > 1) {
        fold_tree(v, rows, begin, (begin + end) / 2, x, dy, chain);
        fold_tree(v, rows, (begin + end) / 2, end, x, dy, part);
        for (int64_t i = 0; i < count; i++) chain[i] += part[i];
    } else {
        naive_weight_gradient(&turned, rows, begin, end, dy, x, part, unused);
        for (int64_t i = 0; i < count; i++) chain[i] = part[turned_place(v, i, 0)];
        for (int64_t j = 1; j < v->up_h * v->up_w; j++)
            for (int64_t i = 0; i < count; i++) chain[i] += part[turned_place(v, i, j)];
    }
    free(part);
    free(unused);
}

void naive_up_weight_gradient(const ls_conv *v, const ls_rows *rows, int begin, int end, const float *x,
                              const float *dy, float *chain, double *exact) {
    ls_conv large = large_of(v);
    float *large_x = enlarged(v, rows->count, x);
    naive_weight_gradient(&large, rows, begin, end, large_x, dy, chain, exact);
    fold_tree(v, rows, begin, end, x, dy, chain);
    free(large_x);
}
