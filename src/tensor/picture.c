/* picture.c - bands of padded pictures; see picture_internal.h. */
#include "tensor/picture_internal.h"

#include <string.h>

#include "base/integers.h"

void ls_outputs_fit(int64_t n, int64_t kernel, int64_t stride, bool same, int64_t *out, int64_t *pad) {
    *pad = 0;
    if (!same) {
        *out = n < kernel ? 0 : (n - kernel) / stride + 1;
        return;
    }
    *out = ls_ceil_div(n, stride);
    *pad = ls_max((*out - 1) * stride + kernel - n, 0) / 2;
}

void ls_picture_fit(ls_picture *picture, int64_t out_h, int64_t out_w) {
    int64_t seen_h = (out_h - 1) * picture->stride_h + picture->kernel_h;
    int64_t seen_w = (out_w - 1) * picture->stride_w + picture->kernel_w;
    picture->direct = picture->c == picture->channels && picture->pad_top == 0 && picture->pad_left == 0 &&
                      seen_h <= picture->h && seen_w <= picture->w;
    picture->padded_w = picture->direct ? picture->w : seen_w;
}

ls_picture ls_picture_of(const ls_conv *conv) {
    ls_picture picture = {.h = conv->h,
                          .w = conv->w,
                          .channels = conv->c,
                          .c = conv->c,
                          .kernel_h = conv->kernel_h,
                          .kernel_w = conv->kernel_w,
                          .stride_h = conv->stride_h,
                          .stride_w = conv->stride_w,
                          .pad_top = conv->pad_top,
                          .pad_left = conv->pad_left};
    ls_picture_fit(&picture, conv->out_h, conv->out_w);
    return picture;
}

static int64_t band_rows(const ls_picture *picture, int64_t height) {
    return (height - 1) * picture->stride_h + picture->kernel_h;
}

int64_t ls_picture_band_floats(const ls_picture *picture, int64_t height) {
    return picture->direct ? 0 : band_rows(picture, height) * picture->padded_w * picture->c;
}

static void copy_row(const ls_picture *picture, const float *x, float *out) {
    int64_t c = picture->c, left = ls_min(picture->padded_w, ls_max(picture->pad_left, 0));
    int64_t first = ls_max(-picture->pad_left, 0),
            count = ls_max(ls_min(picture->w - first, picture->padded_w - left), 0);
    memset(out, 0, (size_t)(left * c) * sizeof *out);
    out += left * c;
    x += first * picture->channels;
    if (c == picture->channels)
        memcpy(out, x, (size_t)(count * c) * sizeof *out);
    else
        for (int64_t j = 0; j < count; j++) memcpy(out + j * c, x + j * picture->channels, (size_t)c * sizeof *out);
    memset(out + count * c, 0, (size_t)((picture->padded_w - left - count) * c) * sizeof *out);
}

const float *ls_picture_band(const ls_picture *picture, const float *x, int64_t row, int64_t channel, int64_t begin,
                             int64_t height, float *out) {
    int64_t row_floats = picture->w * picture->channels, padded_floats = picture->padded_w * picture->c;
    x += row * picture->h * row_floats;
    if (picture->direct) return x + begin * picture->stride_h * row_floats;
    int64_t top = begin * picture->stride_h - picture->pad_top;
    for (int64_t i = 0; i < band_rows(picture, height); i++) {
        if (top + i < 0 || top + i >= picture->h)
            memset(out + i * padded_floats, 0, (size_t)padded_floats * sizeof *out);
        else
            copy_row(picture, x + (top + i) * row_floats + channel, out + i * padded_floats);
    }
    return out;
}
