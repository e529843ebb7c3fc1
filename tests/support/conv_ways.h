/* conv_ways.h - by which way the kernels make a convolution: those that are no chains of sums are tested in another
 * way. */
#ifndef TESTS_SUPPORT_CONV_WAYS_H
#define TESTS_SUPPORT_CONV_WAYS_H

#include "tensor/conv.h"

/* Whether Winograd's filtering makes any part of it. */
bool forward_is_winograd(const ls_conv *conv);
bool input_gradient_is_winograd(const ls_conv *conv);
bool weight_gradient_is_winograd(const ls_conv *conv);

/* Whether it is a transposed convolution with few channels on the large side. */
bool forward_is_few(const ls_conv *conv);
bool input_gradient_is_few(const ls_conv *conv);

#endif
