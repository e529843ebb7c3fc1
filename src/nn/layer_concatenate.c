/* Its inputs side by side along the last axis: Keras' Concatenate. */
#include "base/integers.h"
#include "nn/layers_internal.h"

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

/* An input or its gradient, vectors of `width` floats, `from_stride` apart; they go to places `to_stride` apart. */
typedef struct columns {
    const float *from;
    float *to;
    int64_t width, from_stride, to_stride;
} columns;

typedef struct copy {
    columns columns[LS_INPUTS_MAX];
    int count;
    int64_t vectors; /* a row */
} copy;

/* Vectors are short, mostly: calls of memcpy would take longer than memory does. */
static void copy_vector(int64_t width, const float *from, float *to) {
    enum { QUAD = 4, LONG = 128 };
    if (width >= LONG) {
        memcpy(to, from, (size_t)width * sizeof *to);
        return;
    }
    int64_t i = 0;
    for (; i + QUAD <= width; i += QUAD) memcpy(to + i, from + i, QUAD * sizeof *to);
    for (; i < width; i++) to[i] = from[i];
}

/* Some vectors of all inputs at a time, as they lie in the same lines of memory. */
static void copy_row(void *context, int64_t row, int thread) {
    (void)thread;
    enum { TOGETHER = 64 };
    const copy *all = context;
    int64_t end = (row + 1) * all->vectors;
    for (int64_t begin = row * all->vectors; begin < end; begin += TOGETHER)
        for (int k = 0; k < all->count; k++) {
            columns c = all->columns[k];
            for (int64_t i = begin; i < ls_min(begin + TOGETHER, end); i++)
                copy_vector(c.width, c.from + i * c.from_stride, c.to + i * c.to_stride);
        }
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    int64_t whole = ls_layer_width(layer), begin = 0;
    copy all = {.count = layer->inputs, .vectors = ls_shape_count(&layer->out) / whole};
    for (int k = 0; k < layer->inputs; k++) {
        int64_t width = layer->in[k].dim[layer->in[k].dims - 1];
        all.columns[k] = (columns){io->x[k], io->y + begin, width, width, whole};
        begin += width;
    }
    ls_pool_run(pass->pool, pass->rows->count, copy_row, &all);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    int64_t whole = ls_layer_width(layer), begin = 0;
    copy all = {.vectors = ls_shape_count(&layer->out) / whole};
    for (int k = 0; k < layer->inputs; k++) {
        int64_t width = layer->in[k].dim[layer->in[k].dims - 1];
        if (io->dx[k] != NULL) all.columns[all.count++] = (columns){io->dy + begin, io->dx[k], width, whole, width};
        begin += width;
    }
    ls_pool_run(pass->pool, pass->rows->count, copy_row, &all);
}

const ls_layer_type ls_layer_concatenate = {
    .name = "concatenate",
    .help = "joins its inputs along the last axis",
    .options = options,
    .min_inputs = 2,
    .max_inputs = LS_INPUTS_MAX,
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
