/* pooling.h - max-pooling and nearest up-sampling, NHWC. Local, no allocation. */
#ifndef LS_TENSOR_POOLING_H
#define LS_TENSOR_POOLING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/threads.h"

typedef struct ls_pooling {
    int64_t h, w, c, out_h, out_w;
    int64_t pool_h, pool_w, stride_h, stride_w, pad_top, pad_left;
} ls_pooling;

/* Sizes and padding as ls_conv_make. */
ls_pooling ls_pooling_make(int64_t h, int64_t w, int64_t c, int64_t pool_h, int64_t pool_w, int64_t stride_h,
                           int64_t stride_w, bool same);

/* The largest value in each window; padding never wins. */
void ls_max_pooling_forward(ls_pool *pool, const ls_pooling *pooling, int64_t rows, const float *x, float *y);

/* Each output's gradient goes to the first position (in row order) that holds its window's maximum; windows that
 * overlap add. relu: x is what relu made of something, and dx is the gradient of that. */
void ls_max_pooling_backward(ls_pool *pool, const ls_pooling *pooling, int64_t rows, const float *x, const float *y,
                             const float *dy, bool relu, float *dx);

/* Nearest up-sampling by size_h x size_w of an h x w x c picture: y is [h*size_h, w*size_w, c]; and its transpose. */
void ls_up_sampling_forward(ls_pool *pool, int64_t rows, int64_t h, int64_t w, int64_t c, int64_t size_h,
                            int64_t size_w, const float *x, float *y);
void ls_up_sampling_backward(ls_pool *pool, int64_t rows, int64_t h, int64_t w, int64_t c, int64_t size_h,
                             int64_t size_w, const float *dy, float *dx);

#endif
