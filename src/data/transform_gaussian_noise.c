/* transform_gaussian_noise.c - adds normal noise, for denoising autoencoders. Each sample, and in training each epoch,
 * has other noise. */
#include "data/transforms_internal.h"
#include "tensor/random.h"

typedef struct noise_options {
    double stddev, mean;
} noise_options;

static const ls_option options[] = {
    {"stddev", LS_OPTION_DOUBLE, offsetof(noise_options, stddev), .required = true, .min = 0, .max = 1e6,
     .help = "standard deviation"},
    {"mean", LS_OPTION_DOUBLE, offsetof(noise_options, mean), .preset = "0", .help = "mean"},
    LS_OPTIONS_END};

static void apply(const void *record, const ls_signal *in, const ls_rng *rng, uint64_t sample, const float *restrict x,
                  float *restrict y) {
    const noise_options *o = record;
    float stddev = (float)o->stddev, mean = (float)o->mean;
    int64_t count = ls_shape_count(&in->shape);
    ls_random_normal(rng, sample, count, y);
    for (int64_t i = 0; i < count; i++) y[i] = x[i] + (mean + stddev * y[i]);
}

const ls_transform_type ls_transform_gaussian_noise = {
    .name = "gaussian_noise",
    .help = "adds normal noise; `encode` and `reconstruct` leave it out unless --noise is given",
    .options = options,
    .options_bytes = sizeof(noise_options),
    .corrupts = true,
    .random = true,
    .apart = true,
    .apply = apply,
};
