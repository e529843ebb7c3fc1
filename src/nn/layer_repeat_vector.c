/* A sequence of n copies of a vector: Keras' RepeatVector. */
#include "nn/layers_internal.h"

#include <string.h>

typedef struct repeat_vector_options {
    int64_t n;
} repeat_vector_options;

static const ls_option options[] = {{"n", LS_OPTION_INT, offsetof(repeat_vector_options, n), .required = true, .min = 1,
                                     .max = 1e6, .help = "how many copies"},
                                    LS_OPTIONS_END};

static const ls_layer_example examples[] = {{"n=3", {{1, {4}}}}, {"n=1", {{1, {3}}}}, LS_EXAMPLES_END};

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    (void)limits;
    const repeat_vector_options *given = layer->options;
    if (layer->in[0].dims != 1) return LS_RAISE(LS_INVALID, "takes vectors; put a flatten before it");
    layer->out = (ls_shape){2, {given->n, layer->in[0].dim[0]}};
    return LS_OK;
}

typedef struct repetition {
    int64_t n, width;
    const float *from;
    float *to;
} repetition;

static void repeat_row(void *context, int64_t row, int thread) {
    (void)thread;
    const repetition *r = context;
    for (int64_t i = row * r->n; i < (row + 1) * r->n; i++)
        memcpy(r->to + i * r->width, r->from + row * r->width, (size_t)r->width * sizeof(float));
}

static void add_up_row(void *context, int64_t row, int thread) {
    (void)thread;
    const repetition *r = context;
    const float *dy = r->from + row * r->n * r->width;
    float *dx = r->to + row * r->width;
    memcpy(dx, dy, (size_t)r->width * sizeof *dx);
    for (int64_t i = 1; i < r->n; i++)
        for (int64_t j = 0; j < r->width; j++) dx[j] += dy[i * r->width + j];
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    repetition r = {layer->out.dim[0], layer->out.dim[1], io->x[0], io->y};
    ls_pool_run(pass->pool, pass->rows->count, repeat_row, &r);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    repetition r = {layer->out.dim[0], layer->out.dim[1], io->dy, io->dx[0]};
    ls_pool_run(pass->pool, pass->rows->count, add_up_row, &r);
}

const ls_layer_type ls_layer_repeat_vector = {
    .name = "repeat_vector",
    .help = "a sequence of copies of a vector",
    .options = options,
    .options_bytes = sizeof(repeat_vector_options),
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
