/* A view of its input under another shape: Keras' Reshape. */
#include "nn/layers_internal.h"

typedef struct reshape_options {
    ls_int_list target_shape;
} reshape_options;

static const ls_option options[] = {{"target_shape", LS_OPTION_INTS, offsetof(reshape_options, target_shape),
                                     .required = true, .min = -1, .max = 1e9, .min_count = 1, .max_count = LS_DIMS_MAX,
                                     .help = "the new dimensions; one of them may be -1 and follows from the others"},
                                    LS_OPTIONS_END};

static const ls_layer_example examples[] = {
    {"target_shape=3,2,2", {{1, {12}}}}, {"target_shape=4,-1", {{3, {2, 2, 4}}}}, LS_EXAMPLES_END};

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    (void)limits;
    const reshape_options *given = layer->options;
    int64_t count = ls_shape_count(&layer->in[0]), left = count;
    int open = -1;
    layer->out.dims = given->target_shape.count;
    for (int i = 0; i < layer->out.dims; i++) {
        int64_t dim = given->target_shape.value[i];
        if (dim == 0) return LS_RAISE(LS_INVALID, "target_shape: a dimension of 0");
        if (dim < 0 && open >= 0) return LS_RAISE(LS_INVALID, "target_shape: more than one -1");
        if (dim < 0) open = i;
        layer->out.dim[i] = dim;
        if (dim > 0) left = left % dim ? 0 : left / dim; /* 0: they do not divide the input */
    }
    if (open >= 0 && left > 0) {
        layer->out.dim[open] = left;
        left = 1;
    }
    if (left == 1) return LS_OK;
    return LS_RAISE(LS_INVALID, "target_shape does not hold the %lld numbers of the input", (long long)count);
}

const ls_layer_type ls_layer_reshape = {
    .name = "reshape",
    .help = "gives each sample another shape",
    .options = options,
    .options_bytes = sizeof(reshape_options),
    .examples = examples,
    .prepare = prepare,
};
