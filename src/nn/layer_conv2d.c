/* 2-D convolution of pictures, Keras' Conv2D: kernel [height, width, channels, filters]. Nearest up-sampling before it
 * is part of it (conv.h). */
#include "base/integers.h"
#include "nn/layers_internal.h"
#include "tensor/conv.h"

static const ls_option options[] = {
    LS_CONV_OPTIONS("steps down and right, or one number for both", "same: zeros around the picture keep its size")};

static const ls_layer_example examples[] = {
    {"filters=3 kernel_size=3 activation=tanh", {{3, {5, 4, 2}}}},
    {"filters=2 kernel_size=3 padding=same activation=relu", {{3, {4, 5, 3}}}},
    {"filters=2 kernel_size=2,4 strides=2 padding=same use_bias=false", {{3, {5, 6, 1}}}},
    {"filters=3 kernel_size=3,2 strides=2,1 activation=sigmoid", {{3, {6, 5, 2}}}},
    {"filters=4 kernel_size=1 strides=3 padding=same activation=softmax", {{3, {5, 5, 2}}}},
    {"filters=2 kernel_size=5 padding=same", {{3, {2, 3, 2}}}},
    {"filters=2 kernel_size=2 kernel_regularizer.l2=0.3 activity_regularizer.l2=0.1", {{3, {3, 3, 2}}}},
    LS_EXAMPLES_END};

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    LS_TRY(ls_layer_check_picture(layer));
    const ls_conv_options *given = layer->options;
    const int64_t *in = layer->in[0].dim;
    ls_conv *prepared = layer->prepared;
    int64_t up_h = ls_max(1, prepared->up_h), up_w = ls_max(1, prepared->up_w);
    ls_conv conv = ls_conv_make(in[0] * up_h, in[1] * up_w, in[2], given->filters, ls_pair_h(&given->kernel_size),
                                ls_pair_w(&given->kernel_size), ls_pair_h(&given->strides), ls_pair_w(&given->strides),
                                given->padding);
    if (conv.out_h < 1 || conv.out_w < 1)
        return LS_RAISE(LS_INVALID, "kernel_size %lld x %lld is larger than the picture; use padding: same",
                        (long long)conv.kernel_h, (long long)conv.kernel_w);
    conv = ls_conv_up_sampled(conv, up_h, up_w);
    layer->out = (ls_shape){3, {conv.out_h, conv.out_w, conv.o}};
    layer->activation = (ls_activation)given->activation;
    LS_TRY(
        ls_layer_set_weights(layer, &(ls_shape){4, {conv.kernel_h, conv.kernel_w, conv.c, conv.o}}, given->use_bias));
    ls_layer_regularize(layer, &given->regularizers);
    layer->flops = ls_conv_flops(&conv);
    layer->scratch_floats = ls_conv_scratch(&conv, limits->max_rows, limits->threads, limits->lanes);
    *prepared = conv;
    return LS_OK;
}

static bool absorb(ls_layer *layer, const ls_layer *before) {
    ls_conv *prepared = layer->prepared;
    if (before->type != &ls_layer_up_sampling2d || prepared->stride_h > 1 || prepared->stride_w > 1) return false;
    prepared->up_h *= before->out.dim[0] / before->in[0].dim[0];
    prepared->up_w *= before->out.dim[1] / before->in[0].dim[1];
    return true;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    ls_conv_forward(pass->pool, layer->prepared, pass->rows->count, io->x[0], io->param[0], io->param[1],
                    ls_layer_fused(layer), io->y, pass->scratch);
    ls_layer_activate(layer, pass, io->y);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    ls_layer_deactivate(layer, pass, io->y, io->dy);
    ls_conv_weight_gradient(pass->pool, layer->prepared, pass->rows, io->x[0], io->dy, io->dparam[0], io->dparam[1],
                            pass->scratch);
    if (io->dx[0] == NULL) return;
    ls_pass_turn(pass, io, LS_WORK_INPUT_GRADIENT);
    ls_conv_input_gradient(pass->pool, layer->prepared, pass->rows->count, io->dy, io->param[0], io->dx[0],
                           pass->scratch);
}

const ls_layer_type ls_layer_conv2d = {
    .name = "conv2d",
    .help = "2-D convolution of pictures",
    .options = options,
    .options_bytes = sizeof(ls_conv_options),
    .prepared_bytes = sizeof(ls_conv),
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .absorb = absorb,
};
