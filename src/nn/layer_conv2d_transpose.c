/* Transposed convolution, Keras' Conv2DTranspose: the adjoint of the convolution that would make its input out of its
 * output (V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016), so each of its passes is
 * another one of that convolution's. Kernel [height, width, filters, channels]. Padding as TensorFlow has it: n *
 * stride rows (same), or n * stride + max(kernel - stride, 0) (valid). */
#include "nn/layers_internal.h"
#include "tensor/bias.h"
#include "tensor/conv.h"

static const ls_option options[] = {LS_CONV_OPTIONS("how many times larger the picture becomes, down and right",
                                                    "same: the output is cut to the input's size times the strides")};

static const ls_layer_example examples[] = {
    {"filters=3 kernel_size=3 activation=tanh", {{3, {3, 4, 2}}}},
    {"filters=2 kernel_size=3 strides=2 padding=same activation=relu", {{3, {3, 2, 3}}}},
    {"filters=1 kernel_size=4,2 strides=3,2 padding=same use_bias=false", {{3, {2, 3, 2}}}},
    {"filters=2 kernel_size=2,3 strides=3,2 activation=sigmoid", {{3, {2, 3, 2}}}},
    {"filters=3 kernel_size=5 padding=same activation=softmax", {{3, {3, 3, 2}}}},
    LS_EXAMPLES_END};

static int64_t output_size(int64_t n, int64_t kernel, int64_t stride, bool same) {
    return n * stride + (same || kernel < stride ? 0 : kernel - stride);
}

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    LS_TRY(ls_layer_check_picture(layer));
    const ls_conv_options *given = layer->options;
    const int64_t *in = layer->in[0].dim;
    int64_t kernel_h = ls_pair_h(&given->kernel_size), kernel_w = ls_pair_w(&given->kernel_size);
    int64_t stride_h = ls_pair_h(&given->strides), stride_w = ls_pair_w(&given->strides);
    layer->out = (ls_shape){3,
                            {output_size(in[0], kernel_h, stride_h, given->padding),
                             output_size(in[1], kernel_w, stride_w, given->padding), given->filters}};
    ls_conv conv = ls_conv_make(layer->out.dim[0], layer->out.dim[1], given->filters, in[2], kernel_h, kernel_w,
                                stride_h, stride_w, given->padding);
    layer->activation = (ls_activation)given->activation;
    LS_TRY(ls_layer_set_weights(layer, &(ls_shape){4, {kernel_h, kernel_w, given->filters, in[2]}}, given->use_bias));
    ls_layer_regularize(layer, &given->regularizers);
    layer->param[1].shape.dim[0] = given->filters;
    layer->flops = ls_conv_flops(&conv);
    int64_t bias_floats = ls_bias_gradient_scratch(given->filters, limits->lanes);
    layer->scratch_floats = ls_conv_scratch(&conv, limits->max_rows, limits->threads, limits->lanes);
    if (layer->scratch_floats < bias_floats) layer->scratch_floats = bias_floats;
    *(ls_conv *)layer->prepared = conv;
    return LS_OK;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    ls_conv_transposed(pass->pool, layer->prepared, pass->rows->count, io->x[0], io->param[0], io->param[1],
                       layer->activation, io->y, pass->scratch);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    const ls_shape *out = &layer->out;
    ls_layer_deactivate(layer, pass, io->y, io->dy);
    ls_conv_weight_gradient(pass->pool, layer->prepared, pass->rows, io->dy, io->x[0], io->dparam[0], NULL,
                            pass->scratch);
    if (io->dparam[1] != NULL)
        ls_bias_gradient(pass->pool, pass->rows, out->dim[0] * out->dim[1], out->dim[2], io->dy, io->dparam[1],
                         pass->scratch);
    if (io->dx[0] == NULL) return;
    ls_pass_turn(pass, io, LS_WORK_INPUT_GRADIENT);
    ls_conv_forward(pass->pool, layer->prepared, pass->rows->count, io->dy, io->param[0], NULL, LS_ACTIVATION_LINEAR,
                    io->dx[0], pass->scratch);
}

const ls_layer_type ls_layer_conv2d_transpose = {
    .name = "conv2d_transpose",
    .help = "transposed convolution: makes pictures larger by its strides",
    .options = options,
    .options_bytes = sizeof(ls_conv_options),
    .prepared_bytes = sizeof(ls_conv),
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
