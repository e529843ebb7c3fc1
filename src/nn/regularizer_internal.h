/* regularizer_internal.h - penalties on the size of numbers: l1 sum |x| + l2 sum x^2, Keras' L1L2. Private to nn. */
#ifndef LS_NN_REGULARIZER_INTERNAL_H
#define LS_NN_REGULARIZER_INTERNAL_H

#include "nn/layer.h"

static inline bool ls_regularizer_is_on(const ls_regularizer *regularizer) {
    return regularizer->l1 > 0 || regularizer->l2 > 0;
}

/* Of x[count], added in an order that depends on count alone. */
double ls_regularizer_sum(const ls_regularizer *regularizer, ls_pool *pool, int64_t count, const float *x);

/* Of each row of x[rows][width]: penalty[row] += it. */
void ls_regularizer_rows(const ls_regularizer *regularizer, ls_pool *pool, int64_t rows, int64_t width, const float *x,
                         double *penalty);

/* dx[count] += scale times the derivative: l1 sign(x) + 2 l2 x. */
void ls_regularizer_gradient(const ls_regularizer *regularizer, ls_pool *pool, int64_t count, const float *x,
                             double scale, float *dx);

#endif
