/* vector.h - loops over flat vectors: losses' and optimizers' arithmetic and the tree's additions. Local, no
 * allocation. Results of an element never depend on its neighbours or on where a range is cut. */
#ifndef LS_TENSOR_VECTOR_H
#define LS_TENSOR_VECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/threads.h"

/* y += x. */
void ls_vector_add(ls_pool *pool, int64_t count, const float *x, float *y);

/* sum[i][count] = the tree (lanes.h) over the parts [first[i], first[i + 1]), a power of two of them, for each i below
 * `subtrees`. Part j is at parts + j * count; parts are overwritten. */
void ls_vector_add_subtrees(ls_pool *pool, int subtrees, const int *first, int64_t count, float *parts,
                            float *const *sum);

/* Whether all numbers are low at least and high at most, which one that is not a number never is. */
bool ls_vector_within(int64_t count, const float *x, float low, float high);
/* Whether all numbers are finite. */
bool ls_vector_finite(int64_t count, const float *x);

/* One sample of a loss: returns its sum over the elements (added in double, in an order that depends on count alone)
 * and, where dz is not NULL, writes scale * d sum / dz. Binary cross-entropy from logits z: max(z,0) - z t + log(1 +
 * exp(-|z|)); derivative sigmoid(z) - t. */
double ls_vector_cross_entropy(int64_t count, const float *z, const float *target, float scale, float *dz);
/* Squared error (z - t)^2; derivative 2 (z - t). */
double ls_vector_squared_error(int64_t count, const float *z, const float *target, float scale, float *dz);

#endif
