/* rival_libxsmm.c - products by libxsmm, which bench_kernels times beside our kernels. A file of its own: it is built
 * only where the library is installed. */
#include <libxsmm.h>

#include <string.h>

#include "base/integers.h"
#include "bench/rivals.h"

/* Its matrices are column-major: a line of pixels is channels x pixels, a tap's weights are filters x channels. */
enum { FILTERS = 64, TAPS_MAX = 32, LINES_MAX = 128, ALIGN = 16 };

static int64_t padded_h(const ls_conv *v) { return (v->out_h - 1) * v->stride_h + v->kernel_h; }
static int64_t padded_w(const ls_conv *v) { return (v->out_w - 1) * v->stride_w + v->kernel_w; }
static int64_t padded(const ls_conv *v) { return (padded_h(v) * padded_w(v) * v->c + ALIGN - 1) / ALIGN * ALIGN; }

static void pad(const ls_conv *v, const float *x, float *out) {
    int64_t width = padded_w(v), lines = ls_min(v->h, padded_h(v) - v->pad_top);
    int64_t pixels = ls_min(v->w, width - v->pad_left);
    memset(out, 0, (size_t)padded(v) * sizeof *out);
    for (int64_t i = 0; i < lines; i++)
        memcpy(out + ((i + v->pad_top) * width + v->pad_left) * v->c, x + i * v->w * v->c,
               (size_t)(pixels * v->c) * sizeof *x);
}

static void forward_in(const ls_conv *v, int64_t rows, const float *x, const float *w, float *y, float *room) {
    int o = (int)v->o, c = (int)v->c, ldb = (int)(v->stride_w * v->c);
    float alpha = 1, beta = 0;
    int64_t width = padded_w(v);
    unsigned long long taps = (unsigned long long)(v->kernel_h * v->kernel_w);
    for (int64_t r = 0; r < rows; r++, x += v->h * v->w * v->c, y += v->out_h * v->out_w * v->o) {
        pad(v, x, room);
        for (int f = 0; f < o; f += FILTERS) {
            libxsmm_smmfunction_reducebatch_addr multiply = libxsmm_smmdispatch_reducebatch_addr(
                LIBXSMM_MIN(FILTERS, o - f), (int)v->out_w, c, &o, &ldb, &o, &alpha, &beta, NULL, NULL);
            const float *a[TAPS_MAX], *b[TAPS_MAX];
            for (unsigned long long t = 0; t < taps; t++) a[t] = w + (int64_t)t * c * o + f;
            for (int64_t i = 0; i < v->out_h; i++) {
                for (int64_t t = 0; t < (int64_t)taps; t++)
                    b[t] = room + ((i * v->stride_h + t / v->kernel_w) * width + t % v->kernel_w) * c;
                multiply(a, b, y + i * v->out_w * o + f, &taps);
            }
        }
    }
}

static void forward(const ls_conv *v, int64_t rows, const float *x, const float *w, float *y) {
    forward_in(v, rows, x, w, y, rival_room(padded(v)));
}

/* The forward pass of the convolution back, with the taps turned around. */
static void input_gradient(const ls_conv *v, int64_t rows, const float *dy, const float *w, float *dx) {
    ls_conv back = *v;
    back.h = v->out_h, back.w = v->out_w, back.c = v->o;
    back.out_h = v->h, back.out_w = v->w, back.o = v->c;
    back.pad_top = v->kernel_h - 1 - v->pad_top, back.pad_left = v->kernel_w - 1 - v->pad_left;
    int64_t taps = v->kernel_h * v->kernel_w, c = v->c, o = v->o;
    float *turned = rival_room(padded(&back) + taps * c * o) + padded(&back);
    for (int64_t t = 0; t < taps; t++)
        for (int64_t k = 0; k < c; k++)
            for (int64_t f = 0; f < o; f++) turned[((taps - 1 - t) * o + f) * c + k] = w[(t * c + k) * o + f];
    forward_in(&back, rows, dy, turned, dx, turned - padded(&back));
}

/* It multiplies no transposes, so the padded picture is turned: line, channel, pixel. */
static void weight_gradient(const ls_conv *v, int64_t rows, const float *x, const float *dy, float *dw) {
    int o = (int)v->o, ldb = (int)padded_w(v);
    float alpha = 1, beta = 1, *room = rival_room(2 * padded(v)), *turned = room + padded(v);
    unsigned long long lines = (unsigned long long)v->out_h;
    int64_t height = padded_h(v), width = padded_w(v);
    memset(dw, 0, (size_t)(v->kernel_h * v->kernel_w * v->c * v->o) * sizeof *dw);
    for (int64_t r = 0; r < rows; r++, x += v->h * v->w * v->c, dy += v->out_h * v->out_w * v->o) {
        pad(v, x, room);
        for (int64_t i = 0; i < height; i++)
            for (int64_t j = 0; j < width; j++)
                for (int64_t k = 0; k < v->c; k++)
                    turned[(i * v->c + k) * width + j] = room[(i * width + j) * v->c + k];
        for (int f = 0; f < o; f += FILTERS) {
            libxsmm_smmfunction_reducebatch_addr multiply = libxsmm_smmdispatch_reducebatch_addr(
                LIBXSMM_MIN(FILTERS, o - f), (int)v->c, (int)v->out_w, &o, &ldb, &o, &alpha, &beta, NULL, NULL);
            const float *a[LINES_MAX], *b[LINES_MAX];
            for (int64_t i = 0; i < v->out_h; i++) a[i] = dy + i * v->out_w * o + f;
            for (int64_t t = 0; t < v->kernel_h * v->kernel_w; t++) {
                for (int64_t i = 0; i < v->out_h; i++)
                    b[i] = turned + (i + t / v->kernel_w) * v->c * width + t % v->kernel_w;
                multiply(a, b, dw + t * v->c * o + f, &lines);
            }
        }
    }
}

const rival rival_libxsmm = {
    .name = "libxsmm", .forward = forward, .input_gradient = input_gradient, .weight_gradient = weight_gradient};
