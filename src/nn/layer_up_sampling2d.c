/* Repeats the rows and columns of a picture (nearest neighbour): Keras' UpSampling2D. */
#include "nn/layers_internal.h"
#include "tensor/pooling.h"

typedef struct up_sampling2d_options {
    ls_int_list size;
} up_sampling2d_options;

static const ls_option options[] = {{"size", LS_OPTION_INTS, offsetof(up_sampling2d_options, size), .preset = "2",
                                     .min = 1, .max = 1e4, .min_count = 1, .max_count = 2,
                                     .help = "how often each row and each column is repeated, or one number for both"},
                                    LS_OPTIONS_END};

static const ls_layer_example examples[] = {{"", {{3, {2, 3, 2}}}}, {"size=3,1", {{3, {3, 2, 1}}}}, LS_EXAMPLES_END};

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    (void)limits;
    LS_TRY(ls_layer_check_picture(layer));
    const up_sampling2d_options *given = layer->options;
    const int64_t *in = layer->in[0].dim;
    layer->out = (ls_shape){3, {in[0] * ls_pair_h(&given->size), in[1] * ls_pair_w(&given->size), in[2]}};
    return LS_OK;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    const up_sampling2d_options *given = layer->options;
    const int64_t *in = layer->in[0].dim;
    ls_up_sampling_forward(pass->pool, pass->rows->count, in[0], in[1], in[2], ls_pair_h(&given->size),
                           ls_pair_w(&given->size), io->x[0], io->y);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    const up_sampling2d_options *given = layer->options;
    const int64_t *in = layer->in[0].dim;
    ls_up_sampling_backward(pass->pool, pass->rows->count, in[0], in[1], in[2], ls_pair_h(&given->size),
                            ls_pair_w(&given->size), io->dy, io->dx[0]);
}

const ls_layer_type ls_layer_up_sampling2d = {
    .name = "up_sampling2d",
    .help = "repeats the rows and columns of a picture",
    .options = options,
    .options_bytes = sizeof(up_sampling2d_options),
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
