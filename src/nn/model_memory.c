/* model_memory.c - where the numbers of a pass lie: outputs, their gradients and scratch, in one slab.
 *
 * Moments: layer i of n runs forwards at i, the loss at n, and layer i backwards at 2n - i. Outputs live from when they
 * are made until their own layer has run backwards, gradients from the layer that first writes them to the one that
 * uses them up; so a gradient takes the place of outputs that are done with. */
#include <assert.h>

#include "base/memory.h"
#include "nn/model_graph_internal.h"

/* Stands for floats that no machine has memory for and whose number would overflow: 4 PiB. */
static const int64_t countless_floats = INT64_C(1) << 50;

static void prepare_layers(ls_model *model, const ls_limits *limits) {
    for (int i = 0; i < model->count; i++) {
        ls_status status = ls_vertex_prepare(model, i, limits);
        assert(status == LS_OK); /* other limits change the scratch alone */
        (void)status;
    }
    ls_model_number_params(model);
}

static void forget_buffers(ls_model *model) {
    model->scratch = (ls_buffer){0};
    for (int i = 0; i < model->count; i++) {
        ls_vertex *vertex = &model->vertices[i];
        vertex->output = vertex->gradient = vertex->kept = (ls_buffer){0};
        for (int k = 0; k < LS_INPUTS_MAX; k++) vertex->addend[k] = (ls_buffer){0};
    }
}

/* When a layer's output is used last; before it is made, if never. In training idle layers run only in a pass that ends
 * with the one that is shown. */
static int last_use(const ls_model *model, int index, bool training) {
    if (!training) return model->count;
    return model->vertices[index].idle ? model->shown : 2 * model->count - index;
}

static void add_outputs(ls_model *model, ls_slab *slab, int64_t rows, bool training) {
    for (int i = 0; i < model->count; i++) {
        ls_vertex *vertex = &model->vertices[i];
        int last = last_use(model, i, training);
        if (ls_layer_is_view(&vertex->layer) || last < i) continue;
        ls_slab_add(slab, &vertex->output, rows * ls_shape_count(&vertex->layer.out), i, last);
        ls_slab_add(slab, &vertex->kept, vertex->layer.kept_floats, i, training ? last : i);
    }
}

/* Of the layers that take an output the last one, which backward meets first, writes the gradient; the others' are
 * added to it. */
static void add_input_gradients(ls_model *model, ls_slab *slab, int64_t rows, int index) {
    ls_vertex *vertex = &model->vertices[index];
    int now = 2 * model->count - index;
    for (int k = 0; k < vertex->layer.inputs; k++) {
        int source = ls_model_source(model, vertex->layer.input[k]);
        if (!ls_model_trained(model, source)) continue;
        ls_buffer *gradient = &model->vertices[source].gradient;
        if (gradient->first > 0) {
            ls_slab_add(slab, &vertex->addend[k], rows * ls_shape_count(&vertex->layer.in[k]), now, now);
        } else {
            gradient->first = now;
        }
    }
}

static void add_gradients(ls_model *model, ls_slab *slab, int64_t rows) {
    int output = ls_model_source(model, model->count - 1);
    if (ls_model_trained(model, output)) model->vertices[output].gradient.first = model->count;
    for (int i = model->count - 1; i >= 0; i--) {
        ls_vertex *vertex = &model->vertices[i];
        if (!ls_vertex_learns(vertex)) continue;
        ls_buffer *gradient = &vertex->gradient;
        ls_slab_add(slab, gradient, rows * ls_shape_count(&vertex->layer.out), gradient->first, 2 * model->count - i);
        add_input_gradients(model, slab, rows, i);
    }
}

static void add_scratch(ls_model *model, ls_slab *slab) {
    int64_t floats = 0;
    for (int i = 0; i < model->count; i++) {
        const ls_layer *layer = &model->vertices[i].layer;
        if (layer->scratch_floats > floats) floats = layer->scratch_floats;
    }
    ls_slab_add(slab, &model->scratch, floats, 0, 2 * model->count);
}

static bool is_countable(const ls_model *model, const ls_limits *limits) {
    for (int i = 0; i < model->count; i++)
        if (ls_shape_size(&model->vertices[i].layer.out) * (double)limits->max_rows > (double)countless_floats)
            return false;
    return true;
}

/* Gives every buffer its place; returns the floats of all. */
static int64_t lay_out(ls_model *model, const ls_limits *limits, bool training) {
    ls_slab slab = {0};
    if (!is_countable(model, limits)) return countless_floats;
    prepare_layers(model, limits);
    forget_buffers(model);
    add_outputs(model, &slab, limits->max_rows, training);
    if (training) add_gradients(model, &slab, limits->max_rows);
    add_scratch(model, &slab);
    return ls_slab_layout(&slab);
}

ls_status ls_model_prepare(ls_model *model, const ls_limits *limits, bool training) {
    assert(model->count > 0 && (model->loss != NULL || !training));
    ls_free(model->slab);
    ls_free(model->row_penalty);
    model->slab = NULL;
    model->row_penalty = NULL;
    int64_t floats = lay_out(model, limits, training);
    LS_TRY(ls_alloc(&model->slab, floats, sizeof *model->slab, "the model's activations and gradients"));
    LS_TRY(ls_alloc(&model->row_penalty, limits->max_rows, sizeof *model->row_penalty, "the penalties of samples"));
    model->limits = *limits;
    model->training = training;
    return LS_OK;
}

int64_t ls_model_memory_bytes(ls_model *model, const ls_limits *limits, bool training) {
    int64_t floats = lay_out(model, limits, training);
    if (model->slab != NULL) lay_out(model, &model->limits, model->training);
    return floats * (int64_t)sizeof(float);
}
