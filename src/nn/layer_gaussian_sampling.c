/* The code of a variational autoencoder (D. Kingma, M. Welling, "Auto-encoding variational Bayes", 2014), out of its
 * mean and the logarithm of its variance, two inputs of one shape:
 *
 *   y = mean + exp(log_variance / 2) e,  e normal: in training; the mean else
 *   penalty: -1/2 sum (1 + log_variance - mean^2 - exp(log_variance)), the KL divergence from N(0, 1), times kl_weight
 *
 * e depends on (seed, layer, epoch, sample) alone, so backward draws it again. */
#include "base/rng.h"
#include "nn/layers_internal.h"
#include "tensor/random.h"

#include <math.h>

typedef struct gaussian_sampling_options {
    double kl_weight;
} gaussian_sampling_options;

static const ls_option options[] = {{"kl_weight", LS_OPTION_DOUBLE, offsetof(gaussian_sampling_options, kl_weight),
                                     .preset = "1", .min = 0, .max = 1e9,
                                     .help = "weight of the divergence in the loss"},
                                    LS_OPTIONS_END};

static const ls_layer_example examples[] = {
    {"", {{1, {3}}, {1, {3}}}}, {"kl_weight=0.2", {{2, {2, 2}}, {2, {2, 2}}}}, LS_EXAMPLES_END};

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    layer->out = layer->in[0];
    layer->scratch_floats = limits->max_rows * ls_shape_count(&layer->out);
    if (ls_shape_equal(&layer->in[0], &layer->in[1])) return LS_OK;
    return LS_RAISE(LS_INVALID, "its inputs, mean and log variance, must have the same shape");
}

typedef struct sampling {
    const ls_layer_io *io;
    const ls_pass *pass;
    int64_t width;
    double kl_weight, scale; /* scale: of the penalty's gradient */
    ls_rng rng;
} sampling;

static sampling begin(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    const gaussian_sampling_options *given = layer->options;
    return (sampling){.io = io,
                      .pass = pass,
                      .width = ls_shape_count(&layer->out),
                      .kl_weight = given->kl_weight,
                      .scale = given->kl_weight / (double)pass->rows->global_count,
                      .rng = ls_rng_stream(pass->seed, LS_RNG_LATENT, (uint32_t)io->index, pass->epoch)};
}

/* The row's normal numbers; zeros outside of training. */
static const float *draw(const sampling *s, int64_t row) {
    float *e = s->pass->scratch + row * s->width;
    if (s->pass->training) {
        ls_random_normal(&s->rng, (uint64_t)s->pass->samples[row], s->width, e);
    } else {
        for (int64_t i = 0; i < s->width; i++) e[i] = 0;
    }
    return e;
}

static void forward_row(void *context, int64_t row, int thread) {
    (void)thread;
    const sampling *s = context;
    const float *mean = s->io->x[0] + row * s->width, *log_variance = s->io->x[1] + row * s->width, *e = draw(s, row);
    float *y = s->io->y + row * s->width;
    double sum = 0;
    for (int64_t i = 0; i < s->width; i++) {
        double m = (double)mean[i], v = (double)log_variance[i];
        y[i] = (float)(m + exp(v / 2) * (double)e[i]);
        sum += 1 + v - m * m - exp(v);
    }
    s->io->row_penalty[row] -= 0.5 * s->kl_weight * sum;
}

static void backward_row(void *context, int64_t row, int thread) {
    (void)thread;
    const sampling *s = context;
    const float *mean = s->io->x[0] + row * s->width, *log_variance = s->io->x[1] + row * s->width, *e = draw(s, row);
    const float *dy = s->io->dy + row * s->width;
    float *dmean = s->io->dx[0], *dlog_variance = s->io->dx[1];
    for (int64_t i = 0, at = row * s->width; i < s->width; i++, at++) {
        double v = (double)log_variance[i], d = (double)dy[i];
        if (dmean != NULL) dmean[at] = (float)(d + s->scale * (double)mean[i]);
        if (dlog_variance != NULL)
            dlog_variance[at] = (float)(0.5 * (d * exp(v / 2) * (double)e[i] + s->scale * (exp(v) - 1)));
    }
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    sampling s = begin(layer, pass, io);
    ls_pool_run(pass->pool, pass->rows->count, forward_row, &s);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    sampling s = begin(layer, pass, io);
    ls_pool_run(pass->pool, pass->rows->count, backward_row, &s);
}

const ls_layer_type ls_layer_gaussian_sampling = {
    .name = "gaussian_sampling",
    .help = "draws a normal code from its mean and log variance (variational autoencoder)",
    .options = options,
    .options_bytes = sizeof(gaussian_sampling_options),
    .min_inputs = 2,
    .normal = true,
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
