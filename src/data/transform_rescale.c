/* transform_rescale.c - maps black to the first number of a range, and white to the second. Black and white of stored
 * uint8 are 0 and 255; those of stored floats are not known, and taken for 0 and 1 unless the config says them. */
#include "data/transforms_internal.h"

typedef struct rescale_options {
    ls_double_list range, from;
} rescale_options;

static const ls_option options[] = {{"range", LS_OPTION_DOUBLES, offsetof(rescale_options, range), .preset = "[0, 1]",
                                     .min_count = 2, .max_count = 2,
                                     .help = "what black (stored as 0) and white (255, or 1.0 in float data) become"},
                                    {"from", LS_OPTION_DOUBLES, offsetof(rescale_options, from), .max_count = 2,
                                     .help = "how black and white are stored, if not so: [0, 255] for float data, for "
                                             "example"},
                                    LS_OPTIONS_END};

/* The signal that is mapped to the range. */
static ls_signal source(const rescale_options *o, const ls_signal *in) {
    ls_signal from = *in;
    if (o->from.count < 2) return from;
    from.low = (float)o->from.value[0];
    from.high = (float)o->from.value[1];
    return from;
}

static ls_status plan(const void *record, const ls_signal *in, ls_signal *out) {
    const rescale_options *o = record;
    out->low = (float)o->range.value[0];
    out->high = (float)o->range.value[1];
    if (out->low == out->high) return LS_RAISE(LS_INVALID, "range must be two different numbers");
    if (o->from.count == 1) return LS_RAISE(LS_INVALID, "from must be two numbers");
    ls_signal from = source(o, in);
    if (from.low == from.high && o->from.count > 0) return LS_RAISE(LS_INVALID, "from must be two different numbers");
    if (from.low == from.high)
        return LS_RAISE(LS_INVALID, "all values before it are the same, so there is nothing to rescale");
    return LS_OK;
}

/* Divides, as Keras' users do: x * (1 / 255) is not always x / 255. */
static void apply(const void *record, const ls_signal *in, const ls_rng *rng, uint64_t sample, const float *x,
                  float *y) {
    (void)rng, (void)sample;
    const rescale_options *o = record;
    float low = (float)o->range.value[0], span = (float)o->range.value[1] - low;
    ls_signal from = source(o, in);
    float in_low = from.low, in_span = from.high - from.low;
    int64_t count = ls_shape_count(&in->shape);
    for (int64_t i = 0; i < count; i++) y[i] = (x[i] - in_low) / in_span * span + low;
}

const ls_transform_type ls_transform_rescale = {
    .name = "rescale",
    .help = "maps the range of the data linearly to another range",
    .options = options,
    .options_bytes = sizeof(rescale_options),
    .plan = plan,
    .apply = apply,
};
