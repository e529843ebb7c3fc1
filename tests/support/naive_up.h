/* naive_up.h - the same as naive.h for a convolution that up-samples first. `exact` is of the large picture, written
 * out; `chain` is what tensor/conv.h promises: the transposed convolution that it amounts to. */
#ifndef TESTS_SUPPORT_NAIVE_UP_H
#define TESTS_SUPPORT_NAIVE_UP_H

#include "support/naive.h"

void naive_up_forward(const ls_conv *conv, int64_t rows, const float *x, const float *w, const float *bias,
                      float *chain, double *exact);
void naive_up_input_gradient(const ls_conv *conv, int64_t rows, const float *dy, const float *w, float *chain,
                             double *exact);
void naive_up_weight_gradient(const ls_conv *conv, const ls_rows *rows, int begin, int end, const float *x,
                              const float *dy, float *chain, double *exact);

#endif
