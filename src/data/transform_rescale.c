/* transform_rescale.c - black to the first number, white to the second. */
#include "transforms.h"

typedef struct rescale_options {
    ls_double_list range;
} rescale_options;

static const ls_option options[] = {{"range", LS_OPTION_DOUBLES, offsetof(rescale_options, range), .preset = "[0, 1]",
                                     .min_count = 2, .max_count = 2,
                                     .help = "what black (stored 0) and white (stored 255; 1.0 of float data) become"},
                                    LS_OPTIONS_END};

static ls_status plan(const void *record, const ls_signal *in, ls_signal *out) {
    const rescale_options *o = record;
    out->low = (float)o->range.value[0];
    out->high = (float)o->range.value[1];
    if (out->low == out->high) return LS_RAISE(LS_INVALID, "range must be two different numbers");
    if (in->low == in->high) return LS_RAISE(LS_INVALID, "there is nothing left to rescale");
    return LS_OK;
}

/* Divides, as Keras' users do: x * (1 / 255) is not always x / 255. */
static void apply(const void *record, const ls_signal *in, const ls_rng *rng, uint64_t sample, const float *x,
                  float *y) {
    (void)rng, (void)sample;
    const rescale_options *o = record;
    float low = (float)o->range.value[0], span = (float)o->range.value[1] - low;
    float in_low = in->low, in_span = in->high - in->low;
    int64_t count = ls_shape_count(&in->shape);
    for (int64_t i = 0; i < count; i++) y[i] = (x[i] - in_low) / in_span * span + low;
}

const ls_transform_type ls_transform_rescale = {
    .name = "rescale",
    .help = "maps the range of the data linearly to another",
    .options = options,
    .options_bytes = sizeof(rescale_options),
    .plan = plan,
    .apply = apply,
};
