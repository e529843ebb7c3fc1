/* gradcheck.h - compares a model's gradients with central differences of its loss.
 *
 * The weights, inputs and targets are a seeded choice; up to 40 numbers of every weight array are compared. Each one's
 * difference is taken over several distances and the best agreement counts: a small distance loses to rounding and a
 * large one to curvature and kinks (relu, max-pooling), but a wrong gradient agrees at none. Local. */
#ifndef TESTS_SUPPORT_GRADCHECK_H
#define TESTS_SUPPORT_GRADCHECK_H

#include "nn/model.h"

/* *worst = the largest |a - n| / (|a| + |n| + floor) of a gradient a, summed over the subtrees of rows, against a
 * difference n; floor is a hundredth of the largest gradient in the model. The model has a loss and is prepared for
 * training with these rows. Errors: LS_ERROR, no memory. */
ls_status ls_gradient_check(ls_model *model, ls_pool *pool, const ls_rows *rows, uint64_t seed, double *worst);

#endif
