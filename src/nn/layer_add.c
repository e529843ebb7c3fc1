/* The sum of its inputs, Keras' Add: y = ((a + b) + c) + d. */
#include "nn/layers_internal.h"
#include "tensor/vector.h"

#include <string.h>

static const ls_option options[] = {LS_OPTIONS_END};

static const ls_layer_example examples[] = {
    {"", {{1, {5}}, {1, {5}}}}, {"", {{3, {2, 3, 2}}, {3, {2, 3, 2}}, {3, {2, 3, 2}}}}, LS_EXAMPLES_END};

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    (void)limits;
    layer->out = layer->in[0];
    for (int k = 1; k < layer->inputs; k++) {
        if (ls_shape_equal(&layer->in[k], &layer->in[0])) continue;
        char text[LS_SHAPE_TEXT_MAX];
        return LS_RAISE(LS_INVALID, "input %d is %s; all inputs must have the same shape", k + 1,
                        ls_shape_text(&layer->in[k], text));
    }
    return LS_OK;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    int64_t count = pass->rows->count * ls_shape_count(&layer->out);
    memcpy(io->y, io->x[0], (size_t)count * sizeof *io->y);
    for (int k = 1; k < layer->inputs; k++) ls_vector_add(pass->pool, count, io->x[k], io->y);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    int64_t count = pass->rows->count * ls_shape_count(&layer->out);
    for (int k = 0; k < layer->inputs; k++)
        if (io->dx[k] != NULL) memcpy(io->dx[k], io->dy, (size_t)count * sizeof *io->dy);
}

const ls_layer_type ls_layer_add = {
    .name = "add",
    .help = "the sum of its inputs",
    .options = options,
    .min_inputs = 2,
    .max_inputs = LS_INPUTS_MAX,
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
