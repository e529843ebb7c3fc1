/* Passes its input on, a code of numbers between 0 and 1 (a sigmoid's), and adds a penalty that makes it sparse (A. Ng,
 * "Sparse autoencoder", CS294A lecture notes, 2011): weight times the sum over units of
 *
 *   KL(rho || m) = rho log(rho / m) + (1 - rho) log((1 - rho) / (1 - m))
 *
 * where m is the unit's mean over the whole batch. In training only: there is no such mean else. */
#include "nn/layers_internal.h"

#include <math.h>
#include <string.h>

typedef struct kl_sparsity_options {
    double rho, weight;
} kl_sparsity_options;

static const ls_option options[] = {{"rho", LS_OPTION_DOUBLE, offsetof(kl_sparsity_options, rho), .required = true,
                                     .min = 0, .max = 1, .above_min = true, .below_max = true,
                                     .help = "the mean that every unit should have"},
                                    {"weight", LS_OPTION_DOUBLE, offsetof(kl_sparsity_options, weight), .preset = "1",
                                     .min = 0, .max = 1e9, .help = "weight of the penalty"},
                                    LS_OPTIONS_END};

static const ls_layer_example examples[] = {
    {"rho=0.05 weight=0.3", {{1, {5}}}}, {"rho=0.4", {{3, {2, 1, 3}}}}, LS_EXAMPLES_END};

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    layer->out = layer->in[0];
    int64_t units = ls_shape_count(&layer->out);
    layer->batch_sums = units;
    layer->kept_floats = units;
    layer->scratch_floats = 2 * (limits->lanes + 1) * units; /* doubles */
    return LS_OK;
}

typedef struct sparsity {
    const ls_layer_io *io;
    const ls_rows *rows;
    int64_t units;
    double *lane_sums; /* [lanes][units] */
} sparsity;

static void sum_lane(void *context, int64_t lane, int thread) {
    (void)thread;
    const sparsity *s = context;
    double *sum = s->lane_sums + lane * s->units;
    memset(sum, 0, (size_t)s->units * sizeof *sum);
    for (int64_t row = s->rows->lane_begin[lane]; row < s->rows->lane_begin[lane + 1]; row++)
        for (int64_t i = 0; i < s->units; i++) sum[i] += (double)s->io->x[0][row * s->units + i];
}

/* Adds the penalty to every row, and keeps its gradient, the same for all rows. */
static void penalize(const kl_sparsity_options *given, const sparsity *s, const double *sum) {
    const double margin = 1e-7; /* from 0 and 1, as Keras keeps probabilities */
    double penalty = 0, count = (double)s->rows->global_count, rho = given->rho;
    for (int64_t i = 0; i < s->units; i++) {
        double mean = sum[i] / count, kept = fmin(fmax(mean, margin), 1 - margin);
        double slope = kept == mean ? (1 - rho) / (1 - mean) - rho / mean : 0;
        penalty += rho * log(rho / kept) + (1 - rho) * log((1 - rho) / (1 - kept));
        s->io->kept[i] = (float)(given->weight / count * slope);
    }
    for (int64_t row = 0; row < s->rows->count; row++) s->io->row_penalty[row] += given->weight * penalty;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    sparsity s = {io, pass->rows, ls_shape_count(&layer->out), (double *)(void *)pass->scratch};
    memcpy(io->y, io->x[0], (size_t)(s.rows->count * s.units) * sizeof *io->y);
    if (!pass->training) return;
    double *sum = s.lane_sums + s.rows->lanes * s.units;
    ls_pool_run(pass->pool, s.rows->lanes, sum_lane, &s);
    ls_pass_reduce(pass, s.units, s.lane_sums, sum);
    penalize(layer->options, &s, sum);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    int64_t units = ls_shape_count(&layer->out);
    for (int64_t row = 0; row < pass->rows->count; row++)
        for (int64_t i = 0; i < units; i++) io->dx[0][row * units + i] = io->dy[row * units + i] + io->kept[i];
}

const ls_layer_type ls_layer_kl_sparsity = {
    .name = "kl_sparsity",
    .help = "adds a penalty that keeps the mean activation of each unit near rho",
    .options = options,
    .options_bytes = sizeof(kl_sparsity_options),
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
