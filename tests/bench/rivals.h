/* rivals.h - other ways to a convolution's sums, on one thread: yardsticks for bench_kernels, no part of Lockstep.
 *
 * As the functions of conv.h without up-sampling, bias and activation, all rows in one lane. */
#ifndef TESTS_BENCH_RIVALS_H
#define TESTS_BENCH_RIVALS_H

#include "tensor/conv.h"

typedef struct rival {
    const char *name;
    void (*forward)(const ls_conv *conv, int64_t rows, const float *x, const float *w, float *y);
    void (*input_gradient)(const ls_conv *conv, int64_t rows, const float *dy, const float *w, float *dx);
    void (*weight_gradient)(const ls_conv *conv, int64_t rows, const float *x, const float *dy, float *dw);
    bool strides; /* the gradients can have them */
} rival;

/* Patches of some lines of a picture as a matrix (im2col), and sgemm. */
extern const rival rival_openblas;
/* A batch-reduce product a line of the picture and block of filters, straight out of the padded picture: the "batch" is
 * the taps, or for the weight gradient the lines. E. Georganas et al., "High-performance deep learning via a single
 * building block", 2019. Only where libxsmm is installed. */
extern const rival rival_libxsmm;

/* Memory for a function's time; the next call takes it back. */
float *rival_room(int64_t floats);

#endif
