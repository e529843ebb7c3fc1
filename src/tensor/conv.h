/* conv.h - 2-D convolution, NHWC pictures, HWIO kernels: forward and both gradients; exact as gemm.h says.
 *
 *   y[r,i,j,o] = f(bias[o] + sum over a,b,c of x[r, i*stride_h + a - pad_top, j*stride_w + b - pad_left, c] w[a,b,c,o])
 *
 * with zeros outside the picture (cross-correlation, as in Keras). Sums run in the order of (a, b, c).
 *
 * The picture may be up-sampled first: each of its rows up_h times, each column up_w times. The large picture never is
 * in memory. What the kernel's taps meet of one small pixel is added up in the kernel instead: the whole is a
 * transposed convolution with stride up_h x up_w and a kernel up_h - 1 higher and up_w - 1 wider. For 3x3 taps and 2x2
 * that is 16 multiplications a small pixel in place of 36. Its sums are near those of the large picture, but not the
 * same bits.
 *
 * Up-sampled convolutions with one to four filters, eight channels or more and 9 to 256 taps times filters are sums
 * over the taps, each a chain over channels (conv_few.c). So are strided input gradients and transposed convolutions
 * with as few channels in x.
 *
 * Sums over many channels for many filters, with kernels of 2, 3 or 5 taps an axis or as many times the stride, are
 * made by Winograd's minimal filtering (winograd_internal.h), with 1.4 to 4 times fewer multiplications. So are the
 * parts of strided input gradients and of up-sampled convolutions. These numbers are no chains. But where it is done
 * follows from the shape, so they depend on the pictures' values alone, too. Errors against exact sums are below 5
 * times those of chains (test_conv.c holds it; measured 1.3 to 2.8). A number that is not finite spreads over its
 * patch. What is zero, such as the gradient of a pixel that is in no patch, may come out as rounding.
 *
 * Local, no allocation; scratch is the caller's. */
#ifndef LS_TENSOR_CONV_H
#define LS_TENSOR_CONV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/lanes.h"
#include "base/threads.h"
#include "tensor/activation.h"

typedef struct ls_conv {
    int64_t h, w, c;         /* input */
    int64_t out_h, out_w, o; /* output */
    int64_t kernel_h, kernel_w, stride_h, stride_w;
    int64_t pad_top, pad_left; /* what the bottom and right lack follows from the sizes */
    int64_t up_h, up_w;        /* how often a row and a column is repeated first */
} ls_conv;

/* Fills in the output size and padding. same: ceil(n / stride) outputs, padding max((ceil(n/s)-1)s + k - n, 0), the odd
 * pixel at the bottom and right; else (valid): floor((n - k) / s) + 1 outputs, which may be < 1: the caller checks. */
ls_conv ls_conv_make(int64_t h, int64_t w, int64_t c, int64_t filters, int64_t kernel_h, int64_t kernel_w,
                     int64_t stride_h, int64_t stride_w, bool same);

/* The same, strides 1, on a picture of h/up_h x w/up_w that is up-sampled. */
ls_conv ls_conv_up_sampled(ls_conv conv, int64_t up_h, int64_t up_w);

void ls_conv_forward(ls_pool *pool, const ls_conv *conv, int64_t rows, const float *x, const float *w,
                     const float *bias, ls_activation activation, float *y, float *scratch);

/* dx from dy. Sums run over falling a, falling b, rising o. */
void ls_conv_input_gradient(ls_pool *pool, const ls_conv *conv, int64_t rows, const float *dy, const float *w,
                            float *dx, float *scratch);

/* The same as a layer of its own, the transposed convolution: x = f(bias[c] + the input gradient of y). It has no
 * up-sampling. */
void ls_conv_transposed(ls_pool *pool, const ls_conv *conv, int64_t rows, const float *y, const float *w,
                        const float *bias, ls_activation activation, float *x, float *scratch);

/* dw[i] and db[i] for each subtree, as ls_gemm_weight_gradient. A lane's chain runs over its rows and in each over (i,
 * j). Where Winograd's filtering is faster, which the convolution's shape alone decides, a lane's numbers are no chains
 * but sums over patches of its pictures (conv_weight_winograd.c). Their errors against exact sums are below 5 times
 * those of chains, too (test_conv_weight.c; measured 0.1 to 2.1). */
void ls_conv_weight_gradient(ls_pool *pool, const ls_conv *conv, const ls_rows *rows, const float *x, const float *dy,
                             float *const *dw, float *const *db, float *scratch);

/* Floats of scratch that any of them needs for up to max_rows rows, whatever the instruction set. */
int64_t ls_conv_scratch(const ls_conv *conv, int64_t max_rows, int threads, int lanes);

/* Multiplications and additions of one pass over one sample, counted as direct convolution. */
double ls_conv_flops(const ls_conv *conv);

#endif
