/* picture_internal.h - pictures as convolutions read them: with a border of zeros, in bands of rows that fit in a
 * cache. */
#ifndef LS_TENSOR_PICTURE_INTERNAL_H
#define LS_TENSOR_PICTURE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/conv.h"

/* How many outputs, and how much padding before the first pixel, a kernel (or a window of a pooling) has that slides
 * over n pixels; see ls_conv_make. */
void ls_outputs_fit(int64_t n, int64_t kernel, int64_t stride, bool same, int64_t *out, int64_t *pad);

/* A picture and the kernel that slides over it, padded. An output is made of a patch of kernel_h x kernel_w pixels. pad
 * may be negative: rows or columns that are in no patch. */
typedef struct ls_picture {
    int64_t h, w, channels; /* as it lies in memory */
    int64_t c;              /* channels of a band: all, or some of them */
    int64_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
    int64_t padded_w; /* of a band */
    bool direct;      /* nothing to pad or leave out: a band is the picture itself */
} ls_picture;

/* Sets padded_w and direct for out_h x out_w positions of the kernel. */
void ls_picture_fit(ls_picture *picture, int64_t out_h, int64_t out_w);
ls_picture ls_picture_of(const ls_conv *conv);

/* Floats of the copy of a band: the pixels of `height` rows of patches. */
int64_t ls_picture_band_floats(const ls_picture *picture, int64_t height);

/* The band of rows [begin, begin + height) of patches of picture number `row` of x, its channels [channel, channel +
 * c): in x, or copied to out. */
const float *ls_picture_band(const ls_picture *picture, const float *x, int64_t row, int64_t channel, int64_t begin,
                             int64_t height, float *out);

#endif
