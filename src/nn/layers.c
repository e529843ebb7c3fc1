/* layers.c - the table of layers, and what several of them share; see layer.h and layers_internal.h. */
#include "nn/layers_internal.h"

#include <stddef.h>

/* The table of layers: one line each. */
#define LAYERS(X)                                                                                                      \
    X(activation)                                                                                                      \
    X(add)                                                                                                             \
    X(batch_normalization)                                                                                             \
    X(concatenate)                                                                                                     \
    X(contractive_dense)                                                                                               \
    X(conv2d)                                                                                                          \
    X(conv2d_transpose)                                                                                                \
    X(dense)                                                                                                           \
    X(dropout)                                                                                                         \
    X(flatten)                                                                                                         \
    X(gaussian_sampling)                                                                                               \
    X(kl_sparsity)                                                                                                     \
    X(lstm)                                                                                                            \
    X(max_pooling2d)                                                                                                   \
    X(repeat_vector)                                                                                                   \
    X(reshape)                                                                                                         \
    X(resizing)                                                                                                        \
    X(up_sampling2d)

#define DECLARE(name) extern const ls_layer_type ls_layer_##name;
#define ENTRY(name)   &ls_layer_##name,
LAYERS(DECLARE)

const ls_layer_type *const ls_layer_types[] = {LAYERS(ENTRY) NULL};

const char *const ls_padding_names[] = {"valid", "same", NULL};

ls_status ls_layer_check_picture(const ls_layer *layer) {
    char text[LS_SHAPE_TEXT_MAX];
    if (layer->in[0].dims == 3) return LS_OK;
    return LS_RAISE(LS_INVALID, "takes pictures (height x width x channels), not %s",
                    ls_shape_text(&layer->in[0], text));
}

ls_status ls_layer_check_sizes(const ls_layer *layer) {
    const double largest = 1e12;
    bool fits = ls_shape_size(&layer->out) <= largest;
    for (int p = 0; p < layer->params; p++) fits = fits && ls_shape_size(&layer->param[p].shape) <= largest;
    return fits ? LS_OK : LS_RAISE(LS_INVALID, "its output or weights have more than %g numbers", largest);
}

ls_status ls_layer_set_weights(ls_layer *layer, const ls_shape *kernel, bool use_bias) {
    layer->param[0].shape = *kernel;
    layer->params = 1;
    LS_TRY(ls_layer_check_sizes(layer));
    int64_t in = kernel->dim[kernel->dims - 2], out = kernel->dim[kernel->dims - 1];
    int64_t field = ls_shape_count(kernel) / (in * out); /* positions of a convolution's kernel; 1 for dense */
    layer->param[0] = (ls_param){.name = "kernel",
                                 .shape = *kernel,
                                 .initializer = LS_INIT_GLOROT_UNIFORM,
                                 .fan_in = field * in,
                                 .fan_out = field * out};
    layer->param[1] = (ls_param){.name = "bias", .shape = {1, {out}}, .initializer = LS_INIT_ZEROS};
    layer->params = use_bias ? 2 : 1;
    return LS_OK;
}

ls_activation ls_layer_fused(const ls_layer *layer) {
    return layer->activation == LS_ACTIVATION_SOFTMAX ? LS_ACTIVATION_LINEAR : layer->activation;
}

int64_t ls_layer_width(const ls_layer *layer) { return layer->out.dim[layer->out.dims - 1]; }

int64_t ls_layer_vectors(const ls_layer *layer, const ls_pass *pass) {
    return pass->rows->count * (ls_shape_count(&layer->out) / ls_layer_width(layer));
}

ls_rows ls_rows_of_positions(const ls_rows *samples, int64_t positions) {
    ls_rows rows = *samples;
    rows.count *= positions;
    for (int lane = 0; lane <= rows.lanes; lane++) rows.lane_begin[lane] *= positions;
    return rows;
}

void ls_rows_add_lanes(const ls_rows *rows, int64_t count, const double *lane_sums, int64_t stride, float *const *sum) {
    float x[LS_LANES_MAX];
    for (int subtree = 0; subtree < rows->subtrees; subtree++) {
        int first = rows->subtree_begin[subtree], lanes = rows->subtree_begin[subtree + 1] - first;
        for (int64_t i = 0; i < count; i++) {
            for (int lane = 0; lane < lanes; lane++) x[lane] = (float)lane_sums[(first + lane) * stride + i];
            for (ls_tree t = ls_tree_of(lanes); ls_tree_next(&t);) x[t.to] += x[t.from];
            sum[subtree][i] = x[0];
        }
    }
}

void ls_pass_reduce(const ls_pass *pass, int64_t count, const double *lane_sums, double *sum) {
    if (pass->reduce != NULL) {
        pass->reduce(pass->reduce_context, count, lane_sums, sum);
        return;
    }
    double column[LS_LANES_MAX];
    for (int64_t i = 0; i < count; i++) {
        for (int lane = 0; lane < pass->rows->lanes; lane++) column[lane] = lane_sums[lane * count + i];
        sum[i] = ls_lanes_sum(column, pass->rows->lanes);
    }
}

void ls_pass_turn(const ls_pass *pass, const ls_layer_io *io, ls_work work) {
    if (pass->turned != NULL) pass->turned(pass->turned_context, io->index, work);
}

void ls_layer_activate(const ls_layer *layer, const ls_pass *pass, float *y) {
    if (layer->activation == ls_layer_fused(layer)) return;
    ls_activation_forward(pass->pool, layer->activation, ls_layer_vectors(layer, pass), ls_layer_width(layer), y, y);
}

void ls_layer_deactivate(const ls_layer *layer, const ls_pass *pass, const float *y, float *dy) {
    if (layer->activation == LS_ACTIVATION_LINEAR || layer->derived) return;
    ls_activation_backward(pass->pool, layer->activation, ls_layer_vectors(layer, pass), ls_layer_width(layer), y, dy,
                           dy);
}
