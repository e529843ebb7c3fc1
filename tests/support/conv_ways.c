/* conv_ways.c - asks the kernels' own rules; see conv_ways.h. */
#include "support/conv_ways.h"

#include "tensor/conv_pass_internal.h"
#include "tensor/conv_weight_winograd_internal.h"

static bool patches_are_winograd(const ls_conv *conv) {
    ls_conv_pass pass = ls_conv_pass_forward(conv, false);
    return ls_conv_winograd_suits(&pass);
}

static bool phases_are_winograd(const ls_conv *conv) {
    for (int64_t i = 0; i < conv->stride_h * conv->stride_w; i++) {
        ls_conv_pass pass = ls_conv_pass_phase(conv, false, i);
        if (ls_conv_pass_has_outputs(&pass) && ls_conv_winograd_suits(&pass)) return true;
    }
    return false;
}

bool forward_is_winograd(const ls_conv *conv) {
    ls_conv turned = ls_conv_turned(conv);
    return ls_conv_is_up_sampled(conv) ? phases_are_winograd(&turned) : patches_are_winograd(conv);
}

bool input_gradient_is_winograd(const ls_conv *conv) {
    ls_conv turned = ls_conv_turned(conv);
    return ls_conv_is_up_sampled(conv) ? patches_are_winograd(&turned) : phases_are_winograd(conv);
}

bool weight_gradient_is_winograd(const ls_conv *conv) {
    ls_conv turned = ls_conv_turned(conv);
    return ls_winograd_gradient_suits(ls_conv_is_up_sampled(conv) ? &turned : conv);
}

bool forward_is_few(const ls_conv *conv) {
    ls_conv turned = ls_conv_turned(conv);
    return ls_conv_is_up_sampled(conv) && ls_conv_few_suits(&turned);
}

bool input_gradient_is_few(const ls_conv *conv) { return !ls_conv_is_up_sampled(conv) && ls_conv_few_suits(conv); }
