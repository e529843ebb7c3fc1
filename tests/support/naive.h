/* naive.h - convolutions, dense layers and their gradients as sums are written on paper: what kernels are compared
 * with.
 *
 * Each has two results: `exact` adds in double; `chain` is the definition that lockstep/gemm.h promises bit for bit,
 * one chain of float multiply-adds in the stated order. A dense layer is a convolution of pictures of one pixel. */
#ifndef TESTS_SUPPORT_NAIVE_H
#define TESTS_SUPPORT_NAIVE_H

#include "base/lanes.h"
#include "tensor/conv.h"

ls_conv naive_dense(int64_t n, int64_t k);

int64_t naive_in_count(const ls_conv *conv);  /* numbers of a sample of x, */
int64_t naive_out_count(const ls_conv *conv); /* of y, */
int64_t naive_weights(const ls_conv *conv);   /* and of w */

/* y before the activation. bias may be NULL. */
void naive_forward(const ls_conv *conv, int64_t rows, const float *x, const float *w, const float *bias, float *chain,
                   double *exact);

/* In the order of falling a, falling b, rising o. */
void naive_input_gradient(const ls_conv *conv, int64_t rows, const float *dy, const float *w, float *chain,
                          double *exact);

/* Of lanes [begin, end): a power of two of them, each lane's chain over its rows and pixels, in the binary tree. */
void naive_weight_gradient(const ls_conv *conv, const ls_rows *rows, int begin, int end, const float *x,
                           const float *dy, float *chain, double *exact);
void naive_bias_gradient(const ls_conv *conv, const ls_rows *rows, int begin, int end, const float *dy, float *chain,
                         double *exact);

#endif
