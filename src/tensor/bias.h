/* bias.h - the gradient of what is added at every position of a picture or a sequence. Local, no allocation; exact as
 * gemm.h says. */
#ifndef LS_TENSOR_BIAS_H
#define LS_TENSOR_BIAS_H

#include <stdint.h>

#include "base/lanes.h"
#include "base/threads.h"

/* db[i][n] of each subtree: the tree over its lanes of the chains over their rows, `repeat` rows of dy a row. */
void ls_bias_gradient(ls_pool *pool, const ls_rows *rows, int64_t repeat, int64_t n, const float *dy, float *const *db,
                      float *scratch);
int64_t ls_bias_gradient_scratch(int64_t n, int lanes); /* floats */

#endif
