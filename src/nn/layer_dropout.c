/* Dropout (Srivastava et al. 2014), inverted as in Keras: in training a number is zero with probability `rate`, else it
 * is divided by 1 - rate. Which ones depends on (seed, layer, epoch, sample) alone, so backward draws the mask again
 * and nothing is stored. */
#include "base/rng.h"
#include "nn/layers_internal.h"
#include "tensor/random.h"

#include <string.h>

typedef struct dropout_options {
    double rate;
} dropout_options;

static const ls_option options[] = {{"rate", LS_OPTION_DOUBLE, offsetof(dropout_options, rate), .required = true,
                                     .min = 0, .max = 1, .below_max = true,
                                     .help = "share of the numbers that become 0"},
                                    LS_OPTIONS_END};

static const ls_layer_example examples[] = {{"rate=0.4", {{1, {9}}}}, {"rate=0", {{3, {2, 2, 2}}}}, LS_EXAMPLES_END};

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    (void)limits;
    layer->out = layer->in[0];
    return LS_OK;
}

typedef struct masking {
    ls_rng rng;
    const int64_t *samples;
    int64_t width;
    float rate, scale;
    const float *in;
    float *out;
} masking;

static void mask_row(void *context, int64_t row, int thread) {
    (void)thread;
    const masking *mask = context;
    const float *in = mask->in + row * mask->width;
    float *out = mask->out + row * mask->width;
    ls_random_uniform(&mask->rng, (uint64_t)mask->samples[row], mask->width, out);
    for (int64_t i = 0; i < mask->width; i++) out[i] = out[i] < mask->rate ? 0.0f : in[i] * mask->scale;
}

/* The same for values on their way forwards and gradients on their way back. */
static void apply(const ls_layer *layer, const ls_pass *pass, int index, const float *in, float *out) {
    const dropout_options *given = layer->options;
    int64_t width = ls_shape_count(&layer->out), rows = pass->rows->count;
    if (!pass->training) {
        memcpy(out, in, (size_t)(rows * width) * sizeof *out);
        return;
    }
    masking mask = {.rng = ls_rng_stream(pass->seed, LS_RNG_DROPOUT, (uint32_t)index, pass->epoch),
                    .samples = pass->samples,
                    .width = width,
                    .rate = (float)given->rate,
                    .scale = (float)(1 / (1 - given->rate)),
                    .in = in,
                    .out = out};
    ls_pool_run(pass->pool, rows, mask_row, &mask);
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    apply(layer, pass, io->index, io->x[0], io->y);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    apply(layer, pass, io->index, io->dy, io->dx[0]);
}

const ls_layer_type ls_layer_dropout = {
    .name = "dropout",
    .help = "sets numbers to 0 at random, in training alone",
    .options = options,
    .options_bytes = sizeof(dropout_options),
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
