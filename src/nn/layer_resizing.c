/* Bilinear resizing of a picture, Keras' Resizing, without antialiasing as there. Half-pixel centres: output row i
 * looks at the input at (i + 1/2) h / height - 1/2, and what lies outside is the edge's. Backward is the transpose. */
#include "nn/layers_internal.h"

#include <math.h>
#include <string.h>

typedef struct resizing_options {
    int64_t height, width;
} resizing_options;

static const ls_option options[] = {{"height", LS_OPTION_INT, offsetof(resizing_options, height), .required = true,
                                     .min = 1, .max = 1e5, .help = "rows of the output"},
                                    {"width", LS_OPTION_INT, offsetof(resizing_options, width), .required = true,
                                     .min = 1, .max = 1e5, .help = "columns of the output"},
                                    LS_OPTIONS_END};

static const ls_layer_example examples[] = {{"height=5 width=4", {{3, {3, 2, 2}}}},
                                            {"height=2 width=3", {{3, {5, 4, 1}}}},
                                            {"height=4 width=1", {{3, {1, 3, 3}}}},
                                            LS_EXAMPLES_END};

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    (void)limits;
    LS_TRY(ls_layer_check_picture(layer));
    const resizing_options *given = layer->options;
    layer->out = (ls_shape){3, {given->height, given->width, layer->in[0].dim[2]}};
    return LS_OK;
}

/* Where an output row or column lies between two of the input: (1 - part) low + part high. */
typedef struct between {
    int64_t low, high;
    float part;
} between;

static between find(int64_t i, int64_t from, int64_t to) {
    double at = ((double)i + 0.5) * (double)from / (double)to - 0.5, low = floor(at);
    int64_t index = (int64_t)low;
    return (between){
        .low = index < 0 ? 0 : index, .high = index + 1 < from ? index + 1 : from - 1, .part = (float)(at - low)};
}

typedef struct resizing {
    const int64_t *in, *out; /* height, width, channels */
    const float *from;
    float *to;
} resizing;

static void forward_row(void *context, int64_t row, int thread) {
    (void)thread;
    const resizing *r = context;
    int64_t channels = r->in[2], line = r->in[1] * channels;
    const float *x = r->from + row * r->in[0] * line;
    float *y = r->to + row * r->out[0] * r->out[1] * channels;
    for (int64_t i = 0; i < r->out[0]; i++) {
        between v = find(i, r->in[0], r->out[0]);
        const float *above = x + v.low * line, *below = x + v.high * line;
        for (int64_t j = 0; j < r->out[1]; j++) {
            between h = find(j, r->in[1], r->out[1]);
            for (int64_t c = 0, low = h.low * channels, high = h.high * channels; c < channels; c++) {
                float top = above[low + c] + h.part * (above[high + c] - above[low + c]);
                float bottom = below[low + c] + h.part * (below[high + c] - below[low + c]);
                *y++ = top + v.part * (bottom - top);
            }
        }
    }
}

static void backward_row(void *context, int64_t row, int thread) {
    (void)thread;
    const resizing *r = context;
    int64_t channels = r->in[2], line = r->in[1] * channels;
    const float *dy = r->from + row * r->out[0] * r->out[1] * channels;
    float *dx = r->to + row * r->in[0] * line;
    memset(dx, 0, (size_t)(r->in[0] * line) * sizeof *dx);
    for (int64_t i = 0; i < r->out[0]; i++) {
        between v = find(i, r->in[0], r->out[0]);
        float *above = dx + v.low * line, *below = dx + v.high * line;
        for (int64_t j = 0; j < r->out[1]; j++) {
            between h = find(j, r->in[1], r->out[1]);
            for (int64_t c = 0, low = h.low * channels, high = h.high * channels; c < channels; c++) {
                float bottom = v.part * *dy, top = *dy - bottom;
                above[low + c] += (1 - h.part) * top;
                above[high + c] += h.part * top;
                below[low + c] += (1 - h.part) * bottom;
                below[high + c] += h.part * bottom;
                dy++;
            }
        }
    }
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    resizing r = {layer->in[0].dim, layer->out.dim, io->x[0], io->y};
    ls_pool_run(pass->pool, pass->rows->count, forward_row, &r);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    resizing r = {layer->in[0].dim, layer->out.dim, io->dy, io->dx[0]};
    ls_pool_run(pass->pool, pass->rows->count, backward_row, &r);
}

const ls_layer_type ls_layer_resizing = {
    .name = "resizing",
    .help = "makes a picture larger or smaller (bilinear)",
    .options = options,
    .options_bytes = sizeof(resizing_options),
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
