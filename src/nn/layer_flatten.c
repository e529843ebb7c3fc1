/* A view of its input as a vector: Keras' Flatten. */
#include "nn/layers_internal.h"

static const ls_option options[] = {LS_OPTIONS_END};

static const ls_layer_example examples[] = {{"", {{3, {2, 3, 2}}}}, LS_EXAMPLES_END};

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    (void)limits;
    layer->out = (ls_shape){1, {ls_shape_count(&layer->in[0])}};
    return LS_OK;
}

const ls_layer_type ls_layer_flatten = {
    .name = "flatten",
    .help = "makes a vector of each sample",
    .options = options,
    .examples = examples,
    .prepare = prepare,
};
