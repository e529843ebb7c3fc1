/* The largest value in each window of a picture, channel by channel: Keras' MaxPooling2D. */
#include "nn/layers_internal.h"
#include "tensor/pooling.h"

typedef struct max_pooling2d_options {
    ls_int_list pool_size, strides;
    int padding;
} max_pooling2d_options;

static const ls_option options[] = {
    {"pool_size", LS_OPTION_INTS, offsetof(max_pooling2d_options, pool_size), .preset = "2", .min = 1, .max = 1e4,
     .min_count = 1, .max_count = 2, .help = "height and width of a window, or one number for both"},
    {"strides", LS_OPTION_INTS, offsetof(max_pooling2d_options, strides), .min = 1, .max = 1e4, .max_count = 2,
     .help = "steps down and right; pool_size if not given"},
    {"padding", LS_OPTION_CHOICE, offsetof(max_pooling2d_options, padding), .preset = "valid",
     .choices = ls_padding_names, .help = "same: incomplete windows at the edges count, too"},
    LS_OPTIONS_END};

static const ls_layer_example examples[] = {{"", {{3, {4, 6, 2}}}},
                                            {"padding=same", {{3, {5, 7, 2}}}},
                                            {"pool_size=3 strides=2 padding=same", {{3, {6, 5, 1}}}},
                                            {"pool_size=3,2 strides=1,2", {{3, {5, 5, 3}}}},
                                            LS_EXAMPLES_END};

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    (void)limits;
    LS_TRY(ls_layer_check_picture(layer));
    const max_pooling2d_options *given = layer->options;
    const ls_int_list *strides = given->strides.count ? &given->strides : &given->pool_size;
    const int64_t *in = layer->in[0].dim;
    ls_pooling pooling =
        ls_pooling_make(in[0], in[1], in[2], ls_pair_h(&given->pool_size), ls_pair_w(&given->pool_size),
                        ls_pair_h(strides), ls_pair_w(strides), given->padding);
    if (pooling.out_h < 1 || pooling.out_w < 1)
        return LS_RAISE(LS_INVALID, "pool_size %lld x %lld is larger than the picture; use padding: same",
                        (long long)pooling.pool_h, (long long)pooling.pool_w);
    layer->out = (ls_shape){3, {pooling.out_h, pooling.out_w, pooling.c}};
    *(ls_pooling *)layer->prepared = pooling;
    return LS_OK;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    ls_max_pooling_forward(pass->pool, layer->prepared, pass->rows->count, io->x[0], io->y);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    ls_max_pooling_backward(pass->pool, layer->prepared, pass->rows->count, io->x[0], io->y, io->dy, layer->derives,
                            io->dx[0]);
}

const ls_layer_type ls_layer_max_pooling2d = {
    .name = "max_pooling2d",
    .help = "the largest value in each window of a picture",
    .options = options,
    .options_bytes = sizeof(max_pooling2d_options),
    .prepared_bytes = sizeof(ls_pooling),
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .can_derive = true,
};
