/* model.c - the graph: layers, names, shapes, the order of the weights, and what neighbours take over from each other.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "nn/layers_internal.h"
#include "nn/model_graph_internal.h"
#include "nn/regularizer_internal.h"

static const char input_name[] = "input";

ls_status ls_model_create(const ls_shape *input, ls_model **out) {
    LS_TRY(ls_alloc(out, 1, sizeof **out, "a model"));
    (*out)->input = *input;
    (*out)->logits = (*out)->shown = NO_LAYER;
    return LS_OK;
}

void ls_model_destroy(ls_model *model) {
    if (model == NULL) return;
    for (int i = 0; i < model->count; i++) {
        ls_free(model->vertices[i].layer.options);
        ls_free(model->vertices[i].layer.prepared);
    }
    ls_free(model->vertices);
    ls_free(model->slab);
    ls_free(model->row_penalty);
    ls_free(model);
}

/* Weights are stored in files under the layer's name, so it must do as a part of a path. */
static ls_status check_name(const ls_model *model, const char *name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    if (strlen(name) >= LS_NAME_MAX || name[strspn(name, letters)] != '\0')
        return LS_RAISE(LS_INVALID, "layer name '%s': up to %d letters, digits, - and _ are allowed", name,
                        LS_NAME_MAX - 1);
    if (strcmp(name, input_name) == 0 || ls_model_find(model, name) >= 0)
        return LS_RAISE(LS_INVALID, "layer name '%s' is taken; every layer needs a name of its own", name);
    return LS_OK;
}

static ls_status set_name(const ls_model *model, ls_layer *layer, const char *name) {
    if (name != NULL && *name != '\0') {
        LS_TRY(check_name(model, name));
        snprintf(layer->name, sizeof layer->name, "%s", name);
        return LS_OK;
    }
    snprintf(layer->name, sizeof layer->name, "%s", layer->type->name);
    for (int i = 1; ls_model_find(model, layer->name) >= 0; i++)
        snprintf(layer->name, sizeof layer->name, "%s_%d", layer->type->name, i);
    return LS_OK;
}

static ls_status find_input(const ls_model *model, const ls_layer *layer, const char *name, int *out) {
    *out = strcmp(name, input_name) == 0 ? LS_MODEL_INPUT : ls_model_find(model, name);
    if (*out >= 0 || strcmp(name, input_name) == 0) return LS_OK;
    const char *nearest = ls_model_nearest(model, name);
    return LS_RAISE(LS_INVALID, "layer '%s' (%s): no earlier layer is called '%s'%s%s%s", layer->name,
                    layer->type->name, name, nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                    nearest != NULL ? "'?" : "");
}

static ls_shape output_of(const ls_model *model, int layer) {
    return layer == LS_MODEL_INPUT ? model->input : model->vertices[layer].layer.out;
}

static ls_status connect(const ls_model *model, ls_layer *layer, const char *const *inputs, int count) {
    const ls_layer_type *type = layer->type;
    int least = type->min_inputs > 0 ? type->min_inputs : 1, most = type->max_inputs > 0 ? type->max_inputs : least;
    layer->inputs = count > 0 ? count : 1;
    if (layer->inputs < least || layer->inputs > most)
        return LS_RAISE(LS_INVALID, "layer '%s' (%s) takes %d to %d inputs, not %d", layer->name, type->name, least,
                        most, layer->inputs);
    layer->input[0] = model->count - 1; /* the previous layer, or LS_MODEL_INPUT */
    for (int i = 0; i < count; i++) LS_TRY(find_input(model, layer, inputs[i], &layer->input[i]));
    for (int i = 0; i < layer->inputs; i++) layer->in[i] = output_of(model, layer->input[i]);
    return LS_OK;
}

ls_status ls_vertex_prepare(ls_model *model, int index, const ls_limits *limits) {
    ls_layer *layer = &model->vertices[index].layer;
    layer->activation = LS_ACTIVATION_LINEAR;
    layer->activity = (ls_regularizer){0};
    layer->params = 0;
    layer->batch_sums = 0;
    layer->scratch_floats = 0;
    layer->kept_floats = 0;
    layer->flops = 0;
    LS_TRY(layer->type->prepare(layer, limits));
    if (index == model->logits) layer->activation = LS_ACTIVATION_LINEAR;
    return ls_layer_check_sizes(layer);
}

static ls_status add_vertex(ls_model *model, const void *options) {
    static const ls_limits smallest = {.max_rows = 1, .threads = 1, .lanes = 1};
    ls_vertex *vertex = &model->vertices[model->count];
    ls_layer *layer = &vertex->layer;
    const ls_layer_type *type = layer->type;
    LS_TRY(ls_alloc(&layer->options, 1, type->options_bytes, "a layer's options"));
    LS_TRY(ls_alloc(&layer->prepared, 1, type->prepared_bytes, "a layer"));
    if (type->options_bytes > 0) memcpy(layer->options, options, type->options_bytes);
    if (LS_FAILED(ls_vertex_prepare(model, model->count, &smallest))) {
        char shape[LS_SHAPE_TEXT_MAX];
        return ls_failure_prefix("layer '%s' (%s) on an input of %s: ", layer->name, type->name,
                                 ls_shape_text(&layer->in[0], shape));
    }
    bool view = ls_layer_is_view(layer);
    vertex->source = view ? ls_model_source(model, layer->input[0]) : model->count;
    vertex->trained = layer->params > 0;
    for (int i = 0; i < layer->inputs; i++)
        if (ls_model_trained(model, ls_model_source(model, layer->input[i]))) vertex->trained = true;
    return LS_OK;
}

ls_status ls_model_add(ls_model *model, const ls_layer_type *type, const void *options, const char *name,
                       const char *const *inputs, int count) {
    assert(model->loss == NULL && model->slab == NULL);
    LS_TRY(ls_grow(&model->vertices, &model->room, model->count + 1, sizeof *model->vertices, "the layers of a model"));
    ls_vertex *vertex = &model->vertices[model->count];
    *vertex = (ls_vertex){.layer.type = type};
    LS_TRY(set_name(model, &vertex->layer, name));
    LS_TRY(connect(model, &vertex->layer, inputs, count));
    ls_status status = add_vertex(model, options);
    if (LS_FAILED(status)) {
        ls_free(vertex->layer.options);
        ls_free(vertex->layer.prepared);
        return status;
    }
    model->count++;
    ls_model_number_params(model);
    return LS_OK;
}

static void number_params(ls_model *model, bool moving) {
    for (int i = model->count - 1; i >= 0; i--) {
        ls_layer *layer = &model->vertices[i].layer;
        for (int p = 0; p < layer->params; p++) {
            if (layer->param[p].moving != moving) continue;
            layer->param[p].offset = model->flat_count;
            model->flat_count += ls_align_floats(ls_shape_count(&layer->param[p].shape));
        }
    }
}

void ls_model_number_params(ls_model *model) {
    model->flat_count = 0;
    number_params(model, false);
    model->trained_count = model->flat_count;
    number_params(model, true);
}

/* How many layers take the layer's output; the last one's is taken as the model's. */
static int uses(const ls_model *model, int index) {
    int count = index == model->count - 1;
    for (int j = index + 1; j < model->count; j++) {
        const ls_layer *layer = &model->vertices[j].layer;
        for (int k = 0; k < layer->inputs; k++) count += layer->input[k] == index;
    }
    return count;
}

static bool is_used(const ls_model *model, int index) { return uses(model, index) > 0; }

/* The layer takes the input of the one before it in that one's place. */
static void bypass(ls_model *model, ls_layer *layer) {
    int index = layer->input[0];
    ls_vertex *before = &model->vertices[index];
    layer->in[0] = before->layer.in[0];
    layer->input[0] = before->layer.input[0];
    before->idle = !is_used(model, index);
}

static void absorb(ls_model *model) {
    for (int i = 0; i < model->count; i++) {
        ls_layer *layer = &model->vertices[i].layer;
        while (layer->type->absorb != NULL && layer->input[0] != LS_MODEL_INPUT &&
               layer->type->absorb(layer, ls_model_layer(model, layer->input[0])))
            bypass(model, layer);
    }
}

/* Where a layer can multiply by the derivative of relu before it, it does. */
static void share_derivatives(ls_model *model) {
    for (int i = 0; i < model->count; i++) {
        ls_layer *layer = &model->vertices[i].layer;
        if (!layer->type->can_derive || layer->input[0] == LS_MODEL_INPUT || uses(model, layer->input[0]) > 1) continue;
        ls_layer *before = &model->vertices[layer->input[0]].layer;
        layer->derives = before->derived =
            before->activation == LS_ACTIVATION_RELU && !ls_regularizer_is_on(&before->activity);
    }
}

static ls_status check_used(const ls_model *model) {
    for (int i = 0; i + 1 < model->count; i++) {
        if (is_used(model, i)) continue;
        const ls_layer *layer = &model->vertices[i].layer;
        return LS_RAISE(LS_INVALID,
                        "layer '%s' (%s): no later layer takes its output; name it in the inputs of one, or remove it",
                        layer->name, layer->type->name);
    }
    return LS_OK;
}

ls_status ls_model_check_cut(const ls_model *model, int layer) {
    const char *name = model->vertices[layer].layer.name;
    if (layer == model->count - 1)
        return LS_RAISE(LS_INVALID, "layer '%s' is the last one: no layer comes after it", name);
    if (model->vertices[layer].idle)
        return LS_RAISE(LS_INVALID,
                        "the model cannot be cut after layer '%s', which is part of what comes after it; cut "
                        "before it",
                        name);
    for (int i = layer + 1; i < model->count; i++) {
        const ls_layer *later = &model->vertices[i].layer;
        for (int k = 0; k < later->inputs; k++) {
            int input = later->input[k];
            if (input > layer || ls_model_source(model, input) == ls_model_source(model, layer)) continue;
            return LS_RAISE(LS_INVALID,
                            "the model cannot be cut after layer '%s': layer '%s' (%s) takes the output of '%s', which "
                            "comes before the cut",
                            name, later->name, later->type->name,
                            input == LS_MODEL_INPUT ? input_name : model->vertices[input].layer.name);
        }
    }
    return LS_OK;
}

/* A loss on logits takes what goes into the last activation, also through views of it. */
static ls_status take_logits(ls_model *model, const ls_loss_type *loss) {
    if (loss->logits_of == LS_ACTIVATION_COUNT) return LS_OK;
    int source = ls_model_source(model, model->count - 1);
    const ls_layer *layer = source == LS_MODEL_INPUT ? NULL : &model->vertices[source].layer;
    if (layer == NULL || layer->activation != loss->logits_of)
        return LS_RAISE(LS_INVALID, "%s needs 'activation: %s' at the end of the model, but layer '%s' has %s",
                        loss->name, ls_activation_names[loss->logits_of], layer != NULL ? layer->name : input_name,
                        ls_activation_names[layer != NULL ? layer->activation : LS_ACTIVATION_LINEAR]);
    if (loss->logits_of == LS_ACTIVATION_SOFTMAX && layer->out.dims != 1) {
        char shape[LS_SHAPE_TEXT_MAX];
        return LS_RAISE(LS_INVALID,
                        "%s needs a vector for each sample, with a number for each class, but layer '%s' gives %s",
                        loss->name, layer->name, ls_shape_text(&layer->out, shape));
    }
    if (ls_regularizer_is_on(&layer->activity))
        return LS_RAISE(LS_INVALID,
                        "%s is computed from what goes into the activation of layer '%s', so that layer cannot have an "
                        "activity_regularizer",
                        loss->name, layer->name);
    model->logits = source;
    model->vertices[source].layer.activation = LS_ACTIVATION_LINEAR;
    return LS_OK;
}

ls_status ls_model_set_loss(ls_model *model, const ls_loss_type *loss, const ls_shape *target) {
    assert(model->loss == NULL);
    if (model->count == 0) return LS_RAISE(LS_INVALID, "the model has no layers");
    ls_shape output = ls_model_output_shape(model);
    if (ls_shape_count(&output) != ls_shape_count(target)) {
        char a[LS_SHAPE_TEXT_MAX], b[LS_SHAPE_TEXT_MAX];
        return LS_RAISE(LS_INVALID, "the model's output of %s does not fit the target of %s: %lld numbers against %lld",
                        ls_shape_text(&output, a), ls_shape_text(target, b), (long long)ls_shape_count(&output),
                        (long long)ls_shape_count(target));
    }
    LS_TRY(check_used(model));
    LS_TRY(take_logits(model, loss));
    absorb(model);
    share_derivatives(model);
    model->loss = loss;
    return LS_OK;
}

void ls_model_show(ls_model *model, int layer) { model->shown = model->vertices[layer].idle ? layer : NO_LAYER; }

int ls_model_layers(const ls_model *model) { return model->count; }

const ls_layer *ls_model_layer(const ls_model *model, int index) {
    assert(index >= 0 && index < model->count);
    return &model->vertices[index].layer;
}

int ls_model_find(const ls_model *model, const char *name) {
    for (int i = 0; i < model->count; i++)
        if (strcmp(model->vertices[i].layer.name, name) == 0) return i;
    return -1;
}

const char *ls_model_nearest(const ls_model *model, const char *name) {
    const char *nearest = NULL;
    for (int i = 0; i < model->count; i++) {
        const char *candidates[] = {model->vertices[i].layer.name, nearest};
        const char *better = ls_nearest(name, candidates, nearest != NULL ? 2 : 1);
        if (better != NULL) nearest = better;
    }
    return nearest;
}

ls_shape ls_model_input_shape(const ls_model *model) { return model->input; }
ls_shape ls_model_output_shape(const ls_model *model) { return output_of(model, model->count - 1); }
int64_t ls_model_flat_count(const ls_model *model) { return model->flat_count; }
int64_t ls_model_trained_count(const ls_model *model) { return model->trained_count; }

int64_t ls_model_batch_sums(const ls_model *model) {
    int64_t most = 0;
    for (int i = 0; i < model->count; i++)
        if (model->vertices[i].layer.batch_sums > most) most = model->vertices[i].layer.batch_sums;
    return most;
}

int64_t ls_model_param_count(const ls_model *model) {
    int64_t count = 0;
    for (int i = 0; i < model->count; i++) {
        const ls_layer *layer = &model->vertices[i].layer;
        for (int p = 0; p < layer->params; p++)
            if (!layer->param[p].moving) count += ls_shape_count(&layer->param[p].shape);
    }
    return count;
}
