/* model_graph_internal.h - what a model is made of. Private to nn. */
#ifndef LS_NN_MODEL_GRAPH_INTERNAL_H
#define LS_NN_MODEL_GRAPH_INTERNAL_H

#include "nn/model.h"
#include "nn/slab_internal.h"

/* A layer and its place in the graph and in memory. */
typedef struct ls_vertex {
    ls_layer layer;
    int source;   /* where its output lies: its own number; of a view, what the view shows (or LS_MODEL_INPUT) */
    bool trained; /* it or a layer before it has weights, so that backward comes this far */
    bool idle;    /* all that take its output have absorbed it: it runs only where that is asked for */
    ls_buffer output, gradient, kept;
    ls_buffer addend[LS_INPUTS_MAX]; /* gradients of inputs that have one from later layers already: to be added */
} ls_vertex;

struct ls_model {
    ls_shape input;
    int count;
    int64_t room;
    ls_vertex *vertices;
    int64_t flat_count, trained_count;

    const ls_loss_type *loss;
    int logits; /* the layer without its activation because the loss takes logits, or NO_LAYER */
    int shown;  /* the idle layer that a pass may end with in training, or NO_LAYER */

    ls_limits limits;
    bool training;
    ls_buffer scratch;
    float *slab;         /* NULL before ls_model_prepare */
    double *row_penalty; /* [max_rows]: what layers add to a sample's loss */

    const float *input_data; /* of the latest forward pass */
    bool raw;                /* the output of `logits` is still without its activation */

    void (*broken)(void *context); /* NULL: calls of layers are not checked */
    void *broken_context;
};

enum { NO_LAYER = -2 };

/* Prepares the layer's type for these limits, and takes over its activation where the loss wants logits. */
ls_status ls_vertex_prepare(ls_model *model, int index, const ls_limits *limits);

/* Gives every weight array its place in the flat vectors. */
void ls_model_number_params(ls_model *model);

/* The layer in whose memory the output of `layer` lies, or LS_MODEL_INPUT. */
static inline int ls_model_source(const ls_model *model, int layer) {
    return layer == LS_MODEL_INPUT ? LS_MODEL_INPUT : model->vertices[layer].source;
}

static inline bool ls_model_trained(const ls_model *model, int source) {
    return source != LS_MODEL_INPUT && model->vertices[source].trained;
}

static inline bool ls_layer_is_view(const ls_layer *layer) { return layer->type->forward == NULL; }

/* Whether backward runs through it. */
static inline bool ls_vertex_learns(const ls_vertex *vertex) {
    return !ls_layer_is_view(&vertex->layer) && vertex->trained && !vertex->idle;
}

#endif
