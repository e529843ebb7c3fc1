/* winograd.c - what both passes of Winograd's filtering share: shapes of phases, where patches lie, the transforms; see
 * winograd_internal.h. */
#include "tensor/winograd_internal.h"

#include <string.h>

#include "base/integers.h"
#include "tensor/kernels_internal.h"

static ls_winograd_axis axis_of(int64_t kernel, int64_t stride, int64_t pad, int64_t first, int64_t outputs) {
    ls_winograd_axis a = {.first = first, .stride = stride, .pad = pad, .outputs = outputs, .m = 1, .n = 1};
    a.r = ls_ceil_div(kernel - first, stride);
    while (a.form < LS_WINOGRAD_FORMS && ls_winograd[a.form].r != a.r) a.form++;
    if (a.form < LS_WINOGRAD_FORMS) a.m = ls_winograd[a.form].m, a.n = ls_winograd[a.form].n;
    return a;
}

ls_winograd_shape ls_winograd_shape_of(const ls_picture *picture, int64_t phase, int64_t out_h, int64_t out_w) {
    int64_t stride_h = picture->stride_h, stride_w = picture->stride_w;
    ls_winograd_shape s = {.h = axis_of(picture->kernel_h, stride_h, picture->pad_top, phase / stride_w, out_h),
                           .w = axis_of(picture->kernel_w, stride_w, picture->pad_left, phase % stride_w, out_w)};
    s.form = (ls_winograd_form)ls_min(s.h.form, s.w.form);
    s.axes = (s.h.form < LS_WINOGRAD_FORMS) + (s.w.form < LS_WINOGRAD_FORMS);
    s.taps = s.h.r * s.w.r;
    s.points = s.h.n * s.w.n;
    s.across = ls_ceil_div(out_w, s.w.m);
    s.patches = s.across * ls_ceil_div(out_h, s.h.m);
    return s;
}

bool ls_winograd_has_form(const ls_winograd_shape *shape) {
    const ls_winograd_axis *h = &shape->h, *w = &shape->w;
    bool forms = shape->axes == (h->r != 1) + (w->r != 1) && (shape->axes < 2 || h->form == w->form);
    return forms && (h->r == 1 || h->outputs >= 2 * h->r) && (w->r == 1 || w->outputs >= 2 * w->r);
}

void ls_winograd_transform(ls_winograd_form form, ls_winograd_part part, int axes, const ls_winograd_patch *patch) {
    if (axes == 0)
        memcpy(patch->out[0], patch->in[0], (size_t)patch->channels * sizeof *patch->out[0]);
    else
        ls_winograd_kernels_get()->run[form][part][axes](patch);
}

ls_winograd_place ls_winograd_place_of(const ls_winograd_shape *shape, int64_t patch) {
    int64_t of_sample = patch % shape->patches;
    return (ls_winograd_place){.row = patch / shape->patches,
                               .i = of_sample / shape->across * shape->h.m,
                               .j = of_sample % shape->across * shape->w.m};
}

void ls_winograd_find(const ls_winograd_shape *shape, const ls_winograd_source *v, const float *x, int64_t patch,
                      const float *zeros, const float **pixel) {
    ls_winograd_place at = ls_winograd_place_of(shape, patch);
    int64_t top = v->h.first - v->h.pad + at.i * v->h.stride, bottom = top + (v->h.n - 1) * v->h.stride;
    int64_t left = v->w.first - v->w.pad + at.j * v->w.stride, right = left + (v->w.n - 1) * v->w.stride;
    bool whole = top >= 0 && left >= 0 && bottom < v->height && right < v->width;
    x += at.row * v->height * v->width * v->channels;
    for (int64_t i = top; i <= bottom; i += v->h.stride)
        for (int64_t j = left; j <= right; j += v->w.stride) {
            bool inside = whole || (i >= 0 && i < v->height && j >= 0 && j < v->width);
            *pixel++ = inside ? x + (i * v->width + j) * v->channels : zeros;
        }
}
