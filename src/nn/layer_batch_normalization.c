/* Batch normalization (S. Ioffe, C. Szegedy 2015), Keras' BatchNormalization over the last axis:
 *
 *   y = gamma (x - mean) / sqrt(variance + epsilon) + beta
 *
 * In training mean and variance are those of the whole batch, over all lanes and ranks and in double, so that they do
 * not depend on who has which rows; else moving averages of them. With n numbers a channel and x' = (x - mean) /
 * sqrt(variance + epsilon):
 *
 *   dbeta = sum dy;  dgamma = sum dy x';  dx = gamma / sqrt(variance + epsilon) (dy - dbeta / n - x' dgamma / n) */
#include "nn/layers_internal.h"

#include <math.h>
#include <string.h>

#include "base/vectorize.h"

typedef struct batch_normalization_options {
    double momentum, epsilon;
} batch_normalization_options;

static const ls_option options[] = {{"momentum", LS_OPTION_DOUBLE, offsetof(batch_normalization_options, momentum),
                                     .preset = "0.99", .min = 0, .max = 1, .help = "momentum of the moving averages"},
                                    {"epsilon", LS_OPTION_DOUBLE, offsetof(batch_normalization_options, epsilon),
                                     .preset = "0.001", .min = 0, .max = 1, .above_min = true,
                                     .help = "added to the variance"},
                                    LS_OPTIONS_END};

static const ls_layer_example examples[] = {{"", {{1, {3}}}}, {"epsilon=0.1", {{3, {2, 3, 2}}}}, LS_EXAMPLES_END};

enum { GAMMA, BETA, MOVING_MEAN, MOVING_VARIANCE, PARAMS };
enum { SUMS = 2 }; /* a channel, at once */

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    static const char *const names[PARAMS] = {"gamma", "beta", "moving_mean", "moving_variance"};
    layer->out = layer->in[0];
    int64_t channels = ls_layer_width(layer);
    for (int p = 0; p < PARAMS; p++) {
        bool ones = p == GAMMA || p == MOVING_VARIANCE;
        layer->param[p] = (ls_param){.name = names[p],
                                     .shape = {1, {channels}},
                                     .initializer = ones ? LS_INIT_ONES : LS_INIT_ZEROS,
                                     .moving = p == MOVING_MEAN || p == MOVING_VARIANCE};
    }
    layer->params = PARAMS;
    layer->batch_sums = SUMS * channels;
    layer->kept_floats = 2 * channels;
    layer->scratch_floats = 2 * (limits->lanes + 1) * SUMS * channels + 4 * channels; /* doubles, then floats */
    return LS_OK;
}

/* One pass. */
typedef struct normalization {
    const ls_layer_io *io;
    const ls_rows *rows;
    int64_t channels, positions;  /* positions a row */
    double count;                 /* numbers a channel, in the whole batch */
    const float *mean, *variance; /* [channels] */
    double *lane_sums;            /* [lanes][SUMS * channels] */
    double *sum;                  /* [SUMS * channels], over the batch */
    float *inverse;               /* [channels], 1 / sqrt(variance + epsilon) */
    float *scale;                 /* [channels], gamma times it */
    float *mean_dy;               /* [channels], dbeta / n */
    float *mean_dgamma;           /* [channels], dgamma / n */
} normalization;

static normalization begin(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    int64_t channels = ls_layer_width(layer), positions = ls_shape_count(&layer->out) / channels;
    normalization n = {.io = io,
                       .rows = pass->rows,
                       .channels = channels,
                       .positions = positions,
                       .count = (double)(pass->rows->global_count * positions),
                       .mean = pass->training ? io->kept : io->param[MOVING_MEAN],
                       .variance = pass->training ? io->kept + channels : io->param[MOVING_VARIANCE],
                       .lane_sums = (double *)(void *)pass->scratch};
    n.sum = n.lane_sums + pass->rows->lanes * SUMS * channels;
    n.inverse = (float *)(n.sum + SUMS * channels);
    n.scale = n.inverse + channels;
    n.mean_dy = n.scale + channels;
    n.mean_dgamma = n.mean_dy + channels;
    return n;
}

static void find_scale(const ls_layer *layer, const normalization *n) {
    const batch_normalization_options *given = layer->options;
    for (int64_t c = 0; c < n->channels; c++) {
        n->inverse[c] = (float)(1 / sqrt((double)n->variance[c] + given->epsilon));
        n->scale[c] = n->io->param[GAMMA][c] * n->inverse[c];
    }
}

/* ---- forward ---- */

LS_VECTORIZE static void add_values(int64_t positions, int64_t channels, const float *restrict x, double *restrict sum,
                                    double *restrict square) {
    for (int64_t i = 0; i < positions; i++, x += channels) {
        for (int64_t c = 0; c < channels; c++) {
            sum[c] += (double)x[c];
            square[c] += (double)x[c] * (double)x[c];
        }
    }
}

/* Where a lane's sums go, and its positions. */
static double *clear_sums(const normalization *n, int64_t lane, int64_t *first, int64_t *count) {
    double *sums = n->lane_sums + lane * SUMS * n->channels;
    *first = n->rows->lane_begin[lane] * n->positions;
    *count = n->rows->lane_begin[lane + 1] * n->positions - *first;
    return memset(sums, 0, (size_t)(SUMS * n->channels) * sizeof *sums);
}

static void sum_values(void *context, int64_t lane, int thread) {
    (void)thread;
    const normalization *n = context;
    int64_t first, count;
    double *sums = clear_sums(n, lane, &first, &count);
    add_values(count, n->channels, n->io->x[0] + first * n->channels, sums, sums + n->channels);
}

static void find_moments(const ls_pass *pass, normalization *n) {
    ls_pool_run(pass->pool, n->rows->lanes, sum_values, n);
    ls_pass_reduce(pass, SUMS * n->channels, n->lane_sums, n->sum);
    for (int64_t c = 0; c < n->channels; c++) {
        double mean = n->sum[c] / n->count, variance = n->sum[n->channels + c] / n->count - mean * mean;
        n->io->kept[c] = (float)mean;
        n->io->kept[n->channels + c] = (float)fmax(variance, 0);
    }
}

LS_VECTORIZE static void normalize(int64_t positions, int64_t channels, const float *restrict x, float *restrict y,
                                   const float *restrict mean, const float *restrict scale,
                                   const float *restrict beta) {
    for (int64_t i = 0; i < positions; i++, x += channels, y += channels)
        for (int64_t c = 0; c < channels; c++) y[c] = (x[c] - mean[c]) * scale[c] + beta[c];
}

static void normalize_row(void *context, int64_t row, int thread) {
    (void)thread;
    const normalization *n = context;
    int64_t at = row * n->positions * n->channels;
    normalize(n->positions, n->channels, n->io->x[0] + at, n->io->y + at, n->mean, n->scale, n->io->param[BETA]);
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    normalization n = begin(layer, pass, io);
    if (pass->training) find_moments(pass, &n);
    find_scale(layer, &n);
    ls_pool_run(pass->pool, n.rows->count, normalize_row, &n);
}

/* ---- backward ---- */

LS_VECTORIZE static void add_gradients(int64_t positions, int64_t channels, const float *restrict x,
                                       const float *restrict dy, const float *restrict mean,
                                       const float *restrict inverse, double *restrict dbeta, double *restrict dgamma) {
    for (int64_t i = 0; i < positions; i++, x += channels, dy += channels) {
        for (int64_t c = 0; c < channels; c++) {
            dbeta[c] += (double)dy[c];
            dgamma[c] += (double)dy[c] * (double)((x[c] - mean[c]) * inverse[c]);
        }
    }
}

static void sum_gradients(void *context, int64_t lane, int thread) {
    (void)thread;
    const normalization *n = context;
    int64_t first, count;
    double *sums = clear_sums(n, lane, &first, &count);
    add_gradients(count, n->channels, n->io->x[0] + first * n->channels, n->io->dy + first * n->channels, n->mean,
                  n->inverse, sums, sums + n->channels);
}

static void find_means(const normalization *n) {
    for (int64_t c = 0; c < n->channels; c++) {
        n->mean_dy[c] = (float)(n->sum[c] / n->count);
        n->mean_dgamma[c] = (float)(n->sum[n->channels + c] / n->count);
    }
}

LS_VECTORIZE static void propagate(int64_t positions, int64_t channels, const float *restrict x,
                                   const float *restrict dy, float *restrict dx, const float *restrict mean,
                                   const float *restrict inverse, const float *restrict scale,
                                   const float *restrict mean_dy, const float *restrict mean_dgamma) {
    for (int64_t i = 0; i < positions; i++, x += channels, dy += channels, dx += channels)
        for (int64_t c = 0; c < channels; c++)
            dx[c] = scale[c] * (dy[c] - mean_dy[c] - (x[c] - mean[c]) * inverse[c] * mean_dgamma[c]);
}

static void propagate_row(void *context, int64_t row, int thread) {
    (void)thread;
    const normalization *n = context;
    int64_t at = row * n->positions * n->channels;
    propagate(n->positions, n->channels, n->io->x[0] + at, n->io->dy + at, n->io->dx[0] + at, n->mean, n->inverse,
              n->scale, n->mean_dy, n->mean_dgamma);
}

/* What the moving averages change by, in the first subtree of the run: the others have zeros, so that the tree adds
 * nothing. */
static void move_averages(const ls_layer *layer, const normalization *n) {
    const batch_normalization_options *given = layer->options;
    float part = (float)(1 - given->momentum);
    for (int subtree = 0; subtree < n->rows->subtrees; subtree++) {
        bool first = n->rows->first_lane + n->rows->subtree_begin[subtree] == 0;
        float *dmean = n->io->dparam[MOVING_MEAN][subtree], *dvariance = n->io->dparam[MOVING_VARIANCE][subtree];
        for (int64_t c = 0; c < n->channels; c++) {
            dmean[c] = first ? part * (n->mean[c] - n->io->param[MOVING_MEAN][c]) : 0;
            dvariance[c] = first ? part * (n->variance[c] - n->io->param[MOVING_VARIANCE][c]) : 0;
        }
    }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    normalization n = begin(layer, pass, io);
    find_scale(layer, &n);
    ls_pool_run(pass->pool, n.rows->lanes, sum_gradients, &n);
    ls_rows_add_lanes(n.rows, n.channels, n.lane_sums, SUMS * n.channels, io->dparam[BETA]);
    ls_rows_add_lanes(n.rows, n.channels, n.lane_sums + n.channels, SUMS * n.channels, io->dparam[GAMMA]);
    move_averages(layer, &n);
    ls_pass_reduce(pass, SUMS * n.channels, n.lane_sums, n.sum);
    find_means(&n);
    if (io->dx[0] != NULL) ls_pool_run(pass->pool, n.rows->count, propagate_row, &n);
}

const ls_layer_type ls_layer_batch_normalization = {
    .name = "batch_normalization",
    .help = "normalizes each channel to zero mean and unit variance over the batch",
    .options = options,
    .options_bytes = sizeof(batch_normalization_options),
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
