/* conv_pass_internal.h - one pass of a convolution: a kernel slides over pictures. Forward is one; the input gradient
 * is some of them. */
#ifndef LS_TENSOR_CONV_PASS_INTERNAL_H
#define LS_TENSOR_CONV_PASS_INTERNAL_H

#include "base/threads.h"
#include "tensor/activation.h"
#include "tensor/picture_internal.h"

typedef struct ls_conv_pass {
    ls_picture picture;
    const float *x;
    /* Tap (a, b) of the kernel is the matrix [c][o] at w + w_begin + a tap_row + b tap_column, or where transposed
     * [o][c]; rows of w_stride floats. */
    const float *w;
    int64_t w_begin, tap_row, tap_column, w_stride;
    bool transposed;
    const float *bias; /* or NULL */
    ls_activation activation;
    int64_t out_h, out_w, o;
    float *y; /* pixel (i, j) of sample r is at y + out_begin + r out_picture + i out_row + j out_column */
    int64_t out_begin, out_picture, out_row, out_column;
} ls_conv_pass;

/* The one pass of a convolution, without its data. swapped: taps lie as [o][c], not [c][o]. */
ls_conv_pass ls_conv_pass_forward(const ls_conv *conv, bool swapped);

/* One pass of a transposed convolution, without its data. With strides s_h x s_w the pixels of x fall into s_h s_w
 * phases, each reached by other taps of the kernel: a convolution of y, stride 1, with those taps flipped. No zero is
 * ever multiplied. index: the phase, below s_h s_w. A phase may be without pixels. */
ls_conv_pass ls_conv_pass_phase(const ls_conv *conv, bool swapped, int64_t index);
static inline bool ls_conv_pass_has_outputs(const ls_conv_pass *pass) { return pass->out_h > 0 && pass->out_w > 0; }

/* Runs a pass with data by the kernel below that suits it. */
void ls_conv_pass_run(ls_pool *pool, const ls_conv_pass *pass, int64_t rows, float *scratch);
/* Floats, whatever the instruction set. */
int64_t ls_conv_pass_scratch(const ls_conv_pass *pass, int64_t rows, int threads);

/* Rows of a tile are pixels, its columns filters: for all but few filters. */
void ls_conv_tiles_run(ls_pool *pool, const ls_conv_pass *pass, int64_t rows, float *scratch);
int64_t ls_conv_tiles_scratch(const ls_conv_pass *pass, int64_t rows, int threads);

/* Rows of a tile are filters, its columns pixels of planes: for few filters, that would fill a small part of a vector.
 * Stride 1. */
bool ls_conv_planes_suit(const ls_conv_pass *pass, int width);
void ls_conv_planes_run(ls_pool *pool, const ls_conv_pass *pass, int64_t rows, float *scratch);
int64_t ls_conv_planes_scratch(const ls_conv_pass *pass, int64_t rows, int threads);

/* A transposed convolution with strides and few channels on its large side, x (conv.h); taps that are swapped lie as
 * [filters][channels]. Softmax is left to the caller. Its numbers are sums of a chain a tap, so where it suits it is
 * taken always. */
bool ls_conv_few_suits(const ls_conv *conv);
void ls_conv_few_run(ls_pool *pool, const ls_conv *conv, bool swapped, int64_t rows, const float *y, const float *w,
                     const float *bias, ls_activation activation, float *x, float *scratch);
int64_t ls_conv_few_scratch(const ls_conv *conv, int64_t rows, int threads);

/* Winograd's minimal filtering: for many channels and filters, kernels of 2, 3 or 5 taps an axis (the other may have
 * one), or of so many times the stride. Its numbers are not the chains of the other two, so where it suits it is taken
 * always. */
bool ls_conv_winograd_suits(const ls_conv_pass *pass);
void ls_conv_winograd_run(ls_pool *pool, const ls_conv_pass *pass, int64_t rows, float *scratch);
int64_t ls_conv_winograd_scratch(const ls_conv_pass *pass, int threads);

/* The transposed convolution that up-sampling and conv amount to: its small side is conv's input, its large side conv's
 * output. Its kernel, [up_h + kernel_h - 1][up_w + kernel_w - 1][c][o] of conv, is made of conv's by spread_kernel. */
ls_conv ls_conv_turned(const ls_conv *conv);
static inline bool ls_conv_is_up_sampled(const ls_conv *conv) { return conv->up_h > 1 || conv->up_w > 1; }

/* How many rows of outputs a task takes, where one needs row_floats of a picture: few enough for a cache, and for many
 * threads. */
int64_t ls_conv_band(const ls_conv_pass *pass, int64_t rows, int64_t row_floats);

#endif
