/* An activation as a layer of its own: Keras' Activation. */
#include "nn/layers_internal.h"

typedef struct activation_options {
    int activation;
} activation_options;

static const ls_option options[] = {{"activation", LS_OPTION_CHOICE, offsetof(activation_options, activation),
                                     .required = true, .choices = ls_activation_names, .help = "which"},
                                    LS_OPTIONS_END};

static const ls_layer_example examples[] = {
    {"activation=relu", {{1, {7}}}},       {"activation=sigmoid", {{3, {2, 3, 2}}}}, {"activation=tanh", {{1, {5}}}},
    {"activation=softmax", {{2, {3, 4}}}}, {"activation=linear", {{3, {1, 2, 3}}}},  LS_EXAMPLES_END};

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    (void)limits;
    const activation_options *given = layer->options;
    layer->out = layer->in[0];
    layer->activation = (ls_activation)given->activation;
    return LS_OK;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    ls_activation_forward(pass->pool, layer->activation, ls_layer_vectors(layer, pass), ls_layer_width(layer), io->x[0],
                          io->y);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    ls_activation_backward(pass->pool, layer->activation, ls_layer_vectors(layer, pass), ls_layer_width(layer), io->y,
                           io->dy, io->dx[0]);
}

const ls_layer_type ls_layer_activation = {
    .name = "activation",
    .help = "an activation function",
    .options = options,
    .options_bytes = sizeof(activation_options),
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
