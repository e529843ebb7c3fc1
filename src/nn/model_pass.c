/* model_pass.c - initial weights, and forward and backward through the graph. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "nn/model_debug_internal.h"
#include "nn/model_graph_internal.h"
#include "nn/regularizer_internal.h"
#include "tensor/random.h"
#include "tensor/vector.h"

static void init_glorot_uniform(const ls_param *param, const ls_rng *rng, float *weights) {
    int64_t count = ls_shape_count(&param->shape);
    float limit = (float)sqrt(6.0 / (double)(param->fan_in + param->fan_out));
    ls_random_uniform(rng, 0, count, weights);
    for (int64_t i = 0; i < count; i++) weights[i] = (2 * weights[i] - 1) * limit;
}

/* row -= (row . other) other */
static void remove_part(int64_t width, const float *other, float *row) {
    double product = 0;
    for (int64_t i = 0; i < width; i++) product += (double)row[i] * (double)other[i];
    for (int64_t i = 0; i < width; i++) row[i] = (float)((double)row[i] - product * (double)other[i]);
}

static void scale_to_unit(int64_t width, float *row) {
    double square = 0;
    for (int64_t i = 0; i < width; i++) square += (double)row[i] * (double)row[i];
    for (int64_t i = 0; i < width; i++) row[i] = (float)((double)row[i] / sqrt(square));
}

/* Normal numbers, made orthogonal row by row: Gram-Schmidt, twice, which is enough (L. Giraud et al. 2005). */
static void init_orthogonal(const ls_param *param, const ls_rng *rng, float *weights) {
    enum { PASSES = 2 };
    int64_t rows = param->shape.dim[0], width = ls_shape_count(&param->shape) / rows;
    ls_random_normal(rng, 0, rows * width, weights);
    for (int64_t row = 0; row < rows; row++) {
        float *here = weights + row * width;
        for (int pass = 0; pass < PASSES; pass++) {
            for (int64_t other = 0; other < row; other++) remove_part(width, weights + other * width, here);
            scale_to_unit(width, here);
        }
    }
}

static void init_param(const ls_param *param, const ls_rng *rng, float *weights) {
    int64_t count = ls_shape_count(&param->shape);
    switch (param->initializer) {
    case LS_INIT_ZEROS:
        break;
    case LS_INIT_ONES:
        for (int64_t i = 0; i < count; i++) weights[i] = 1;
        break;
    case LS_INIT_GLOROT_UNIFORM:
        init_glorot_uniform(param, rng, weights);
        break;
    case LS_INIT_ORTHOGONAL:
        init_orthogonal(param, rng, weights);
        break;
    case LS_INIT_UNIT_FORGET:
        for (int64_t i = count / 4; i < count / 2; i++) weights[i] = 1;
    }
}

void ls_model_init_weights(const ls_model *model, uint64_t seed, float *weights) {
    memset(weights, 0, (size_t)model->flat_count * sizeof *weights);
    for (int i = 0; i < model->count; i++) {
        const ls_layer *layer = &model->vertices[i].layer;
        for (int p = 0; p < layer->params; p++) {
            ls_rng rng = ls_rng_stream(seed, LS_RNG_WEIGHTS, (uint32_t)(i * LS_PARAMS_MAX + p), 0);
            init_param(&layer->param[p], &rng, weights + layer->param[p].offset);
        }
    }
}

static float *at(const ls_model *model, const ls_buffer *buffer) {
    return buffer->floats > 0 ? model->slab + buffer->offset : NULL;
}

static ls_layer_io describe(const ls_model *model, int index, const float *weights) {
    const ls_vertex *vertex = &model->vertices[index];
    ls_layer_io io = {.index = index,
                      .y = at(model, &vertex->output),
                      .kept = at(model, &vertex->kept),
                      .row_penalty = model->row_penalty};
    for (int k = 0; k < vertex->layer.inputs; k++) io.x[k] = ls_model_output(model, vertex->layer.input[k]);
    for (int p = 0; p < vertex->layer.params; p++) io.param[p] = weights + vertex->layer.param[p].offset;
    return io;
}

static ls_pass own_pass(const ls_model *model, const ls_pass *pass) {
    assert(model->slab != NULL && pass->rows->count <= model->limits.max_rows &&
           pass->rows->lanes <= model->limits.lanes && ls_pool_threads(pass->pool) <= model->limits.threads);
    ls_pass own = *pass;
    own.scratch = at(model, &model->scratch);
    return own;
}

static void penalize_activity(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io, double *row_penalty) {
    if (!ls_regularizer_is_on(&layer->activity)) return;
    ls_regularizer_rows(&layer->activity, pass->pool, pass->rows->count, ls_shape_count(&layer->out), io->y,
                        row_penalty);
}

static void run_layers(ls_model *model, const ls_pass *pass, const float *weights, int first, int last) {
    ls_pass own = own_pass(model, pass);
    memset(model->row_penalty, 0, (size_t)pass->rows->count * sizeof *model->row_penalty);
    bool idle_too = model->vertices[last].idle; /* one idle layer may take another one's output */
    for (int i = first; i <= last; i++) {
        const ls_layer *layer = &model->vertices[i].layer;
        if (ls_layer_is_view(layer) || (model->vertices[i].idle && !idle_too)) continue;
        ls_layer_io io = describe(model, i, weights);
        ls_pass_turn(pass, &io, LS_WORK_FORWARD);
        if (model->broken != NULL)
            ls_debug_forward(model, layer, &own, &io);
        else
            layer->type->forward(layer, &own, &io);
        penalize_activity(layer, pass, &io, model->row_penalty);
    }
}

void ls_model_forward(ls_model *model, const ls_pass *pass, const float *weights, const float *input, int last) {
    model->input_data = input;
    model->raw = true;
    if (last < 0) last = model->count - 1;
    assert(!model->training || !model->vertices[last].idle || last == model->shown);
    run_layers(model, pass, weights, 0, last);
}

void ls_model_forward_after(ls_model *model, const ls_pass *pass, const float *weights, int layer,
                            const float *output) {
    int source = ls_model_source(model, layer);
    size_t bytes = (size_t)(pass->rows->count * ls_shape_count(&model->vertices[layer].layer.out)) * sizeof *output;
    assert(model->slab != NULL && pass->rows->count <= model->limits.max_rows);
    if (source == LS_MODEL_INPUT)
        model->input_data = output;
    else
        memcpy(at(model, &model->vertices[source].output), output, bytes);
    model->raw = source != model->logits;
    run_layers(model, pass, weights, layer + 1, model->count - 1);
}

const float *ls_model_output(const ls_model *model, int layer) {
    int source = ls_model_source(model, layer);
    return source == LS_MODEL_INPUT ? model->input_data : at(model, &model->vertices[source].output);
}

const float *ls_model_predict(ls_model *model, const ls_pass *pass, int layer) {
    const float *output = ls_model_output(model, layer);
    int source = ls_model_source(model, layer);
    if (source != model->logits || !model->raw) return output;
    ls_vertex *vertex = &model->vertices[source];
    float *y = at(model, &vertex->output);
    int64_t width = vertex->layer.out.dim[vertex->layer.out.dims - 1];
    int64_t vectors = pass->rows->count * (ls_shape_count(&vertex->layer.out) / width);
    ls_activation_forward(pass->pool, model->loss->logits_of, vectors, width, y, y);
    model->raw = false;
    return output;
}

/* Where the loss writes its gradient; NULL for a model without weights. */
static float *output_gradient(const ls_model *model) {
    int source = ls_model_source(model, model->count - 1);
    return ls_model_trained(model, source) ? at(model, &model->vertices[source].gradient) : NULL;
}

static double weight_penalty(const ls_model *model, ls_pool *pool, const float *weights) {
    double sum = 0;
    for (int i = 0; i < model->count; i++) {
        const ls_layer *layer = &model->vertices[i].layer;
        for (int p = 0; p < layer->params; p++) {
            const ls_param *param = &layer->param[p];
            if (!ls_regularizer_is_on(&param->regularizer)) continue;
            sum +=
                ls_regularizer_sum(&param->regularizer, pool, ls_shape_count(&param->shape), weights + param->offset);
        }
    }
    return sum;
}

void ls_model_evaluate(ls_model *model, const ls_pass *pass, const float *weights, const float *target,
                       double *row_loss, double *row_data_loss) {
    assert(model->raw);
    ls_shape out = ls_model_output_shape(model);
    bool gradient = model->training && pass->training;
    ls_loss_evaluate(model->loss, pass->pool, pass->rows, ls_shape_count(&out),
                     ls_model_output(model, model->count - 1), target, gradient ? output_gradient(model) : NULL,
                     row_loss);
    if (row_data_loss != NULL) memcpy(row_data_loss, row_loss, (size_t)pass->rows->count * sizeof *row_loss);
    double of_weights = weight_penalty(model, pass->pool, weights);
    for (int64_t row = 0; row < pass->rows->count; row++) row_loss[row] += model->row_penalty[row] + of_weights;
}

void ls_model_add_weight_penalty(const ls_model *model, ls_pool *pool, int64_t begin, int64_t end, const float *weights,
                                 float *gradient) {
    for (int i = 0; i < model->count; i++) {
        const ls_layer *layer = &model->vertices[i].layer;
        for (int p = 0; p < layer->params; p++) {
            const ls_param *param = &layer->param[p];
            int64_t first = param->offset, last = first + ls_shape_count(&param->shape);
            if (first < begin) first = begin;
            if (last > end) last = end;
            if (first >= last || !ls_regularizer_is_on(&param->regularizer)) continue;
            ls_regularizer_gradient(&param->regularizer, pool, last - first, weights + (first - begin), 1,
                                    gradient + (first - begin));
        }
    }
}

/* Where backward writes each weight array's gradient: a pointer a subtree of rows. */
typedef struct param_gradients {
    float *subtree[LS_PARAMS_MAX][LS_SUBTREES_MAX];
} param_gradients;

static void describe_gradients(const ls_model *model, int index, const ls_rows *rows, float *const *gradients,
                               ls_layer_io *io, param_gradients *params) {
    const ls_vertex *vertex = &model->vertices[index];
    io->dy = at(model, &vertex->gradient);
    for (int k = 0; k < vertex->layer.inputs; k++) {
        int source = ls_model_source(model, vertex->layer.input[k]);
        if (!ls_model_trained(model, source)) continue;
        const ls_buffer *addend = &vertex->addend[k];
        io->dx[k] = at(model, addend->floats > 0 ? addend : &model->vertices[source].gradient);
    }
    for (int p = 0; p < vertex->layer.params; p++) {
        for (int n = 0; n < rows->subtrees; n++) params->subtree[p][n] = gradients[n] + vertex->layer.param[p].offset;
        io->dparam[p] = params->subtree[p];
    }
}

static void add_addends(const ls_model *model, int index, const ls_pass *pass) {
    const ls_vertex *vertex = &model->vertices[index];
    for (int k = 0; k < vertex->layer.inputs; k++) {
        const ls_buffer *addend = &vertex->addend[k];
        if (addend->floats == 0) continue;
        const ls_vertex *source = &model->vertices[ls_model_source(model, vertex->layer.input[k])];
        ls_vector_add(pass->pool, pass->rows->count * ls_shape_count(&vertex->layer.in[k]), at(model, addend),
                      at(model, &source->gradient));
    }
}

static void clear_gaps(const ls_layer *layer, const ls_rows *rows, float *const *gradients) {
    for (int p = 0; p < layer->params; p++) {
        int64_t count = ls_shape_count(&layer->param[p].shape), gap = ls_align_floats(count) - count;
        for (int n = 0; n < rows->subtrees; n++)
            memset(gradients[n] + layer->param[p].offset + count, 0, (size_t)gap * sizeof(float));
    }
}

static void add_activity_gradient(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    if (!ls_regularizer_is_on(&layer->activity)) return;
    ls_regularizer_gradient(&layer->activity, pass->pool, pass->rows->count * ls_shape_count(&layer->out), io->y,
                            1.0 / (double)pass->rows->global_count, io->dy);
}

/* Flat vectors are in the order in which backward gets through them. */
static void say_finished(const ls_layer *layer, const ls_pass *pass) {
    const ls_param *last = NULL;
    for (int p = 0; p < layer->params; p++)
        if (!layer->param[p].moving) last = &layer->param[p];
    if (pass->finished == NULL || last == NULL) return;
    pass->finished(pass->finished_context, last->offset + ls_align_floats(ls_shape_count(&last->shape)));
}

void ls_model_backward(ls_model *model, const ls_pass *pass, const float *weights, const float *input,
                       float *const *gradients) {
    ls_pass own = own_pass(model, pass);
    assert(model->training);
    model->input_data = input;
    for (int i = model->count - 1; i >= 0; i--) {
        const ls_layer *layer = &model->vertices[i].layer;
        if (!ls_vertex_learns(&model->vertices[i])) continue;
        param_gradients params;
        ls_layer_io io = describe(model, i, weights);
        describe_gradients(model, i, pass->rows, gradients, &io, &params);
        ls_pass_turn(pass, &io, layer->params > 0 ? LS_WORK_WEIGHT_GRADIENT : LS_WORK_INPUT_GRADIENT);
        add_activity_gradient(layer, pass, &io);
        if (model->broken != NULL)
            ls_debug_backward(model, layer, &own, &io);
        else
            layer->type->backward(layer, &own, &io);
        add_addends(model, i, pass);
        clear_gaps(layer, pass->rows, gradients);
        say_finished(layer, pass);
    }
    if (pass->finished != NULL && model->flat_count > model->trained_count)
        pass->finished(pass->finished_context, model->flat_count);
}
