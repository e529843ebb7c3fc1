/* Its inputs side by side along the last axis: Keras' Concatenate. */
#include "layers.h"

#include <string.h>

static const ls_option options[] = {LS_OPTIONS_END};

static const ls_layer_example examples[] = {
    {"", {{1, {3}}, {1, {5}}}}, {"", {{3, {2, 3, 1}}, {3, {2, 3, 4}}, {3, {2, 3, 2}}}}, LS_EXAMPLES_END};

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    (void)limits;
    layer->out = layer->in[0];
    int last = layer->out.dims - 1;
    for (int k = 1; k < layer->inputs; k++) {
        ls_shape like = layer->in[k];
        like.dim[like.dims - 1] = layer->in[0].dim[last];
        if (!ls_shape_equal(&like, &layer->in[0])) {
            char text[LS_SHAPE_TEXT_MAX];
            return LS_RAISE(LS_INVALID, "input %d is %s; inputs may differ in the last axis only", k + 1,
                            ls_shape_text(&layer->in[k], text));
        }
        layer->out.dim[last] += layer->in[k].dim[last];
    }
    return LS_OK;
}

/* Vectors of `width` floats between a dense array and one where they lie `stride` apart. */
typedef struct columns {
    const float *from;
    float *to;
    int64_t width, from_stride, to_stride, vectors; /* vectors a row */
} columns;

static void copy_row(void *context, int64_t row, int thread) {
    (void)thread;
    const columns *c = context;
    for (int64_t i = row * c->vectors; i < (row + 1) * c->vectors; i++) {
        memcpy(c->to + i * c->to_stride, c->from + i * c->from_stride, (size_t)c->width * sizeof(float));
    }
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    int64_t whole = ls_layer_width(layer), vectors = ls_shape_count(&layer->out) / whole, begin = 0;
    for (int k = 0; k < layer->inputs; k++) {
        int64_t width = layer->in[k].dim[layer->in[k].dims - 1];
        columns c = {io->x[k], io->y + begin, width, width, whole, vectors};
        ls_pool_run(pass->pool, pass->rows->count, copy_row, &c);
        begin += width;
    }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    int64_t whole = ls_layer_width(layer), vectors = ls_shape_count(&layer->out) / whole, begin = 0;
    for (int k = 0; k < layer->inputs; k++) {
        int64_t width = layer->in[k].dim[layer->in[k].dims - 1];
        columns c = {io->dy + begin, io->dx[k], width, whole, width, vectors};
        if (io->dx[k]) ls_pool_run(pass->pool, pass->rows->count, copy_row, &c);
        begin += width;
    }
}

const ls_layer_type ls_layer_concatenate = {
    .name = "concatenate",
    .help = "its inputs side by side along the last axis",
    .options = options,
    .min_inputs = 2,
    .max_inputs = LS_INPUTS_MAX,
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
