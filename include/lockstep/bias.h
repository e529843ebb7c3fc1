/* bias.h - the gradient of what is added at every position of a picture or a sequence. Local, no allocation; exact as
 * gemm.h says. */
#ifndef LOCKSTEP_BIAS_H
#define LOCKSTEP_BIAS_H

#include <stdint.h>

#include "lockstep/rows.h"
#include "lockstep/threads.h"

/* db[i][n] of each node: the tree over its lanes of the chains over their rows, `repeat` rows of dy a row. */
void ls_bias_gradient(ls_pool *pool, const ls_rows *rows, int64_t repeat, int64_t n, const float *dy, float *const *db,
                      float *scratch);
int64_t ls_bias_gradient_scratch(int64_t n, int lanes); /* floats */

#endif
