/* rival_openblas.c - products and convolutions by OpenBLAS, which bench_kernels times beside our kernels. A file of its
 * own: the names of cblas.h stay out of ours. */
#include <cblas.h>

#include <stdlib.h>
#include <string.h>

#include "base/integers.h"
#include "bench/rivals.h"

enum { TILE_FLOATS = 1 << 16 }; /* stays in the cache between im2col and the product */

float *rival_room(int64_t floats) {
    static float *room;
    static int64_t length;
    if (floats > length) {
        free(room);
        room = aligned_alloc(64, (size_t)(floats * 4 + 63) / 64 * 64);
        if (!room) exit(1);
        length = floats;
    }
    return room;
}

static int64_t taps(const ls_conv *v) { return v->kernel_h * v->kernel_w * v->c; }

/* As many lines of the output as make a tile. */
static int64_t tile_lines(const ls_conv *v) { return ls_max(1, ls_min(v->out_h, TILE_FLOATS / (v->out_w * taps(v)))); }

/* Calls visit for each pixel that a tap meets (NULL: beside the picture) and its place in the tile, lines from..to. */
static inline void walk(const ls_conv *v, int64_t from, int64_t to, float *picture, float *tile,
                        void (*visit)(float *pixel, float *place, int64_t channels)) {
    for (int64_t i = from; i < to; i++)
        for (int64_t j = 0; j < v->out_w; j++)
            for (int64_t a = 0; a < v->kernel_h; a++)
                for (int64_t b = 0; b < v->kernel_w; b++, tile += v->c) {
                    int64_t y = i * v->stride_h + a - v->pad_top, x = j * v->stride_w + b - v->pad_left;
                    bool inside = y >= 0 && y < v->h && x >= 0 && x < v->w;
                    visit(inside ? picture + (y * v->w + x) * v->c : NULL, tile, v->c);
                }
}

static inline void copy(float *pixel, float *place, int64_t channels) {
    for (int64_t c = 0; c < channels; c++) place[c] = pixel ? pixel[c] : 0;
}

static inline void add_back(float *pixel, float *place, int64_t channels) {
    for (int64_t c = 0; pixel && c < channels; c++) pixel[c] += place[c];
}

static void forward(const ls_conv *v, int64_t rows, const float *x, const float *w, float *y) {
    int64_t lines = tile_lines(v);
    int k = (int)taps(v), o = (int)v->o;
    float *tile = rival_room(lines * v->out_w * k);
    for (int64_t r = 0; r < rows; r++, x += v->h * v->w * v->c)
        for (int64_t i = 0; i < v->out_h; i += lines) {
            int64_t to = ls_min(i + lines, v->out_h), pixels = (to - i) * v->out_w;
            walk(v, i, to, (float *)x, tile, copy);
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)pixels, o, k, 1, tile, k, w, o, 0, y, o);
            y += pixels * v->o;
        }
}

static void input_gradient(const ls_conv *v, int64_t rows, const float *dy, const float *w, float *dx) {
    int64_t lines = tile_lines(v);
    int k = (int)taps(v), o = (int)v->o;
    float *tile = rival_room(lines * v->out_w * k);
    memset(dx, 0, (size_t)(rows * v->h * v->w * v->c) * sizeof *dx);
    for (int64_t r = 0; r < rows; r++, dx += v->h * v->w * v->c)
        for (int64_t i = 0; i < v->out_h; i += lines) {
            int64_t to = ls_min(i + lines, v->out_h), pixels = (to - i) * v->out_w;
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)pixels, k, o, 1, dy, o, w, o, 0, tile, k);
            walk(v, i, to, dx, tile, add_back);
            dy += pixels * v->o;
        }
}

static void weight_gradient(const ls_conv *v, int64_t rows, const float *x, const float *dy, float *dw) {
    int64_t lines = tile_lines(v);
    int k = (int)taps(v), o = (int)v->o;
    float *tile = rival_room(lines * v->out_w * k), more = 0;
    for (int64_t r = 0; r < rows; r++, x += v->h * v->w * v->c)
        for (int64_t i = 0; i < v->out_h; i += lines, more = 1) {
            int64_t to = ls_min(i + lines, v->out_h), pixels = (to - i) * v->out_w;
            walk(v, i, to, (float *)x, tile, copy);
            cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, o, (int)pixels, 1, tile, k, dy, o, more, dw, o);
            dy += pixels * v->o;
        }
}

const rival rival_openblas = {.name = "im2col, OpenBLAS",
                              .forward = forward,
                              .input_gradient = input_gradient,
                              .weight_gradient = weight_gradient,
                              .strides = true};
