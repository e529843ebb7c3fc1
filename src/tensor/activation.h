/* activation.h - elementwise activations, fused into the kernels that make or use the data. Local. */
#ifndef LS_TENSOR_ACTIVATION_H
#define LS_TENSOR_ACTIVATION_H

#include <stdint.h>

#include "base/threads.h"

/* Keras' names. softmax is over the last axis and is not elementwise: kernels do not fuse it. */
typedef enum ls_activation {
    LS_ACTIVATION_LINEAR,
    LS_ACTIVATION_RELU,
    LS_ACTIVATION_SIGMOID,
    LS_ACTIVATION_TANH,
    LS_ACTIVATION_SOFTMAX,
    LS_ACTIVATION_COUNT
} ls_activation;

extern const char *const ls_activation_names[]; /* in that order, ended by NULL */

/* y[count][width] = f(x), x may be y. width matters to softmax only. */
void ls_activation_forward(ls_pool *pool, ls_activation activation, int64_t count, int64_t width, const float *x,
                           float *y);

/* dx = dy * f'(x), computed from y = f(x); dx may be dy. */
void ls_activation_backward(ls_pool *pool, ls_activation activation, int64_t count, int64_t width, const float *y,
                            const float *dy, float *dx);

#endif
