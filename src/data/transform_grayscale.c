/* transform_grayscale.c - makes a colour picture grey, as the input of a model that colours.
 * Source of the weights: ITU-R BT.601, as used by PIL, OpenCV and scikit-image. */
#include "data/transforms_internal.h"

enum { RGB = 3 };

typedef struct grayscale_options {
    int64_t channels;
} grayscale_options;

static const ls_option options[] = {{"channels", LS_OPTION_INT, offsetof(grayscale_options, channels), .preset = "1",
                                     .min = 1, .max = RGB, .help = "1 grey channel, or 3 equal ones"},
                                    LS_OPTIONS_END};

static ls_status plan(const void *record, const ls_signal *in, ls_signal *out) {
    const grayscale_options *o = record;
    char text[LS_SHAPE_TEXT_MAX];
    const ls_shape *shape = &in->shape;
    if (o->channels != 1 && o->channels != RGB) return LS_RAISE(LS_INVALID, "channels must be 1 or 3");
    if (shape->dims == 3 && shape->dim[2] == 1)
        return LS_RAISE(LS_INVALID, "the pictures are grey already (%s)", ls_shape_text(shape, text));
    if (shape->dims != 3 || shape->dim[2] != RGB)
        return LS_RAISE(LS_INVALID, "needs pictures of height x width x 3, not %s", ls_shape_text(shape, text));
    out->shape.dim[2] = o->channels;
    return LS_OK;
}

static void apply(const void *record, const ls_signal *in, const ls_rng *rng, uint64_t sample, const float *restrict x,
                  float *restrict y) {
    (void)rng, (void)sample;
    const grayscale_options *o = record;
    int64_t pixels = in->shape.dim[0] * in->shape.dim[1];
    for (int64_t i = 0; i < pixels; i++) {
        float grey = 0.299f * x[RGB * i] + 0.587f * x[RGB * i + 1] + 0.114f * x[RGB * i + 2];
        for (int64_t c = 0; c < o->channels; c++) y[o->channels * i + c] = grey;
    }
}

const ls_transform_type ls_transform_grayscale = {
    .name = "grayscale",
    .help = "makes colour pictures grey",
    .options = options,
    .options_bytes = sizeof(grayscale_options),
    .corrupts = true,
    .apart = true,
    .plan = plan,
    .apply = apply,
};
