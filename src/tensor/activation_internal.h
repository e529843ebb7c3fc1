/* activation_internal.h - activations inside a kernel's task, on the numbers that the task has just made. */
#ifndef LS_TENSOR_ACTIVATION_INTERNAL_H
#define LS_TENSOR_ACTIVATION_INTERNAL_H

#include <stdbool.h>

#include "tensor/activation.h"

/* Whether tiles leave the activation to ls_activation_apply: sigmoid and tanh. */
bool ls_activation_is_late(ls_activation activation);
/* y = f(x) without the pool; y may be x. */
void ls_activation_apply(ls_activation activation, int64_t count, const float *x, float *y);

#endif
