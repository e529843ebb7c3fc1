/* conv_weight_winograd_internal.h - the weight gradient of a convolution by minimal filtering (winograd_internal.h): a
 * lane's share of it, for a block of taps, channels and filters. Not for up-sampled convolutions, but for what they are
 * turned to. */
#ifndef LS_TENSOR_CONV_WEIGHT_WINOGRAD_INTERNAL_H
#define LS_TENSOR_CONV_WEIGHT_WINOGRAD_INTERNAL_H

#include "tensor/conv.h"

/* Whether it needs few enough multiplications to be faster: decided by the convolution alone. */
bool ls_winograd_gradient_suits(const ls_conv *conv);

/* Phases of the kernel, as strides make them (winograd_internal.h). Tap i of a phase's `taps` is the kernel's number
 * ls_winograd_gradient_tap. */
int64_t ls_winograd_gradient_phases(const ls_conv *conv);
int64_t ls_winograd_gradient_taps(const ls_conv *conv, int64_t phase);
int64_t ls_winograd_gradient_tap(const ls_conv *conv, int64_t phase, int64_t i);

/* A block has that many channels and filters at most, and one phase; or LS_TILE_COLUMNS_MAX filters and all phases. */
int64_t ls_winograd_gradient_channels(const ls_conv *conv);
int64_t ls_winograd_gradient_filters(const ls_conv *conv);

typedef struct ls_winograd_gradient {
    const ls_conv *conv;
    const float *x, *dy;
    int64_t phase, phases;
    int64_t channel, channels, filter, filters; /* in whole vectors of LS_COLUMNS_ALIGN */
    float *scratch;                             /* ls_winograd_gradient_scratch */
} ls_winograd_gradient;

/* sum = the block's gradient over samples [begin, end), and to it added[0], added[1], ... up to NULL, of the same
 * layout: for each LS_TILE_COLUMNS_MAX filters, or what is left of them, [tap][channels][these filters]. The taps are
 * those of its one phase, or the kernel's. The gradient is a function of these samples alone. */
void ls_winograd_gradient_run(const ls_winograd_gradient *block, int64_t begin, int64_t end, float *sum,
                              const float *const *added);
int64_t ls_winograd_gradient_scratch(const ls_conv *conv);

#endif
