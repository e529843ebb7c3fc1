/* conv_weight_winograd.h - the weight gradient of a convolution by minimal filtering (winograd.h): a lane's share of
 * it, for a block of channels and filters. Not for up-sampled convolutions, but for what they are turned to. */
#ifndef LOCKSTEP_TENSOR_CONV_WEIGHT_WINOGRAD_H
#define LOCKSTEP_TENSOR_CONV_WEIGHT_WINOGRAD_H

#include "lockstep/conv.h"

/* Whether it needs few enough multiplications to be faster: decided by the convolution alone. */
bool ls_winograd_gradient_suits(const ls_conv *conv);

/* A block has that many channels at most, and LS_TILE_COLUMNS_MAX filters. */
int64_t ls_winograd_gradient_channels(const ls_conv *conv);

typedef struct ls_winograd_gradient {
    const ls_conv *conv;
    const float *x, *dy;
    int64_t channel, channels, filter, filters; /* the block; in whole vectors of LS_COLUMNS_ALIGN */
    float *scratch;
} ls_winograd_gradient;

/* sum[tap][channels][filters] = the block's gradient over samples [begin, end). The result is a function of these
 * samples alone. */
void ls_winograd_gradient_run(const ls_winograd_gradient *block, int64_t begin, int64_t end, float *sum);
int64_t ls_winograd_gradient_scratch(const ls_conv *conv);

#endif
