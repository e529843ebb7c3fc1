/* Dense: y = f(x W + b), applied to the last axis of its input, as in Keras; so to every step of a sequence, which is
 * TimeDistributed(Dense) there. */
#include "nn/layers_internal.h"
#include "tensor/gemm.h"

typedef struct dense_options {
    int64_t units;
    int activation;
    bool use_bias;
    ls_regularizers regularizers;
} dense_options;

static const ls_option options[] = {
    {"units", LS_OPTION_INT, offsetof(dense_options, units), .required = true, .min = 1, .max = 1e9, .help = "outputs"},
    {"activation", LS_OPTION_CHOICE, offsetof(dense_options, activation), .preset = "linear",
     .choices = ls_activation_names, .help = "applied to the output"},
    {"use_bias", LS_OPTION_BOOL, offsetof(dense_options, use_bias), .preset = "true", .help = "add a bias"},
    LS_REGULARIZER_OPTIONS(dense_options),
    LS_OPTIONS_END};

static const ls_layer_example examples[] = {
    {"units=3 activation=tanh", {{1, {5}}}},
    {"units=4 activation=softmax", {{1, {3}}}},
    {"units=5 activation=relu use_bias=false", {{1, {4}}}},
    {"units=2 activation=sigmoid", {{3, {2, 3, 4}}}},
    {"units=4 activation=tanh activity_regularizer.l1=0.2 activity_regularizer.l2=0.3", {{1, {3}}}},
    {"units=3 kernel_regularizer.l1=0.2 kernel_regularizer.l2=0.3", {{1, {3}}}},
    LS_EXAMPLES_END};

/* A product has one row for each position of the axes before the last. */
static int64_t inputs(const ls_layer *layer) { return layer->in[0].dim[layer->in[0].dims - 1]; }
static int64_t positions(const ls_layer *layer) { return ls_shape_count(&layer->in[0]) / inputs(layer); }

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    const dense_options *given = layer->options;
    int64_t k = inputs(layer), n = given->units;
    layer->out = layer->in[0];
    layer->out.dim[layer->out.dims - 1] = n;
    layer->activation = (ls_activation)given->activation;
    LS_TRY(ls_layer_set_weights(layer, &(ls_shape){2, {k, n}}, given->use_bias));
    ls_layer_regularize(layer, &given->regularizers);
    layer->flops = 2.0 * (double)k * (double)n * (double)positions(layer);
    layer->scratch_floats = ls_gemm_scratch(limits->max_rows * positions(layer), n, k, limits->threads, limits->lanes);
    return LS_OK;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    ls_gemm_forward(pass->pool, pass->rows->count * positions(layer), ls_layer_width(layer), inputs(layer), io->x[0],
                    io->param[0], io->param[1], ls_layer_fused(layer), io->y, pass->scratch);
    ls_layer_activate(layer, pass, io->y);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    ls_rows rows = ls_rows_of_positions(pass->rows, positions(layer));
    ls_layer_deactivate(layer, pass, io->y, io->dy);
    ls_gemm_weight_gradient(pass->pool, &rows, ls_layer_width(layer), inputs(layer), io->x[0], io->dy, io->dparam[0],
                            io->dparam[1], pass->scratch);
    if (io->dx[0] == NULL) return;
    ls_pass_turn(pass, io, LS_WORK_INPUT_GRADIENT);
    ls_gemm_input_gradient(pass->pool, rows.count, ls_layer_width(layer), inputs(layer), io->dy, io->param[0],
                           io->dx[0], pass->scratch);
}

const ls_layer_type ls_layer_dense = {
    .name = "dense",
    .help = "y = f(x W + b) over the last axis",
    .options = options,
    .options_bytes = sizeof(dense_options),
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
