/* transform_clip.c - limits all values to a range, as after noise that leaves [0, 1]. */
#include "data/transforms_internal.h"

typedef struct clip_options {
    ls_double_list range;
} clip_options;

static const ls_option options[] = {{"range", LS_OPTION_DOUBLES, offsetof(clip_options, range), .preset = "[0, 1]",
                                     .min_count = 2, .max_count = 2, .help = "smallest and largest value"},
                                    LS_OPTIONS_END};

static float clip(float x, float low, float high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}

static ls_status plan(const void *record, const ls_signal *in, ls_signal *out) {
    const clip_options *o = record;
    float low = (float)o->range.value[0], high = (float)o->range.value[1];
    if (low >= high) return LS_RAISE(LS_INVALID, "range must be the smaller number and then the larger one");
    out->low = clip(in->low, low, high);
    out->high = clip(in->high, low, high);
    out->assumed = false;
    return LS_OK;
}

static void apply(const void *record, const ls_signal *in, const ls_rng *rng, uint64_t sample, const float *x,
                  float *y) {
    (void)rng, (void)sample;
    const clip_options *o = record;
    float low = (float)o->range.value[0], high = (float)o->range.value[1];
    int64_t count = ls_shape_count(&in->shape);
    for (int64_t i = 0; i < count; i++) y[i] = clip(x[i], low, high);
}

const ls_transform_type ls_transform_clip = {
    .name = "clip",
    .help = "limits values to a range",
    .options = options,
    .options_bytes = sizeof(clip_options),
    .plan = plan,
    .apply = apply,
};
