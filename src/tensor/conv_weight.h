/* conv_weight.h - the weight gradient's share of ls_conv_scratch. */
#ifndef LOCKSTEP_TENSOR_CONV_WEIGHT_H
#define LOCKSTEP_TENSOR_CONV_WEIGHT_H

#include "lockstep/conv.h"

int64_t ls_conv_weight_gradient_scratch(const ls_conv *conv, int threads, int lanes);

#endif
