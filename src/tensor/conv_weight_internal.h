/* conv_weight_internal.h - what conv.c knows of the weight gradient. */
#ifndef LS_TENSOR_CONV_WEIGHT_INTERNAL_H
#define LS_TENSOR_CONV_WEIGHT_INTERNAL_H

#include "tensor/conv.h"

/* Its share of ls_conv_scratch. */
int64_t ls_conv_weight_gradient_scratch(const ls_conv *conv, int64_t max_rows, int threads, int lanes);

#endif
