/* model.h - a network: a graph of layers in listed order, prepared once, run forwards and backwards.
 *
 *   ls_model_create(&input_shape, &model);
 *   ls_model_add(model, type, options, name, inputs, count);     in order, as often as there are layers
 *   ls_model_set_loss(model, loss, &target_shape);               to train or evaluate
 *   ls_model_prepare(model, &limits, training);                  lays out memory: one slab
 *   ls_model_init_weights(model, seed, weights);
 *   ls_model_forward(model, &pass, weights, input);
 *   ls_model_evaluate(model, &pass, weights, target, row_loss);
 *   ls_model_backward(model, &pass, weights, gradients);
 *
 * Weights and gradients are flat vectors that the caller owns, in the order in which backward finishes them (the last
 * layer first), and at the end what is not trained but moves along (ls_param.moving); each array starts at a multiple
 * of LS_ALIGN_BYTES and the gaps stay zero. Local; one pass at a time. */
#ifndef LS_NN_MODEL_H
#define LS_NN_MODEL_H

#include "nn/layer.h"
#include "nn/loss.h"

typedef struct ls_model ls_model;

ls_status ls_model_create(const ls_shape *input, ls_model **out);
void ls_model_destroy(ls_model *model); /* NULL is allowed */

/* Appends a layer. options (copied) is the record of type->options. name: NULL or "" for the default. inputs: names of
 * earlier layers, or "input" for the model's input; count 0 takes the previous layer's output. Errors: LS_INVALID: a
 * name twice, an unknown input (with the nearest), a wrong number of inputs, an impossible shape (names the layer, its
 * type and the shape it was given). */
ls_status ls_model_add(ls_model *model, const ls_layer_type *type, const void *options, const char *name,
                       const char *const *inputs, int count);

/* Call it once, after the last layer: from now on layers do the work of those before them where they can
 * (ls_layer_type.absorb). Checks that every layer's output is used, that the model's output has as many
 * numbers as the target, and that it ends in the activation that the loss needs (views may follow). Errors: LS_INVALID.
 */
ls_status ls_model_set_loss(ls_model *model, const ls_loss_type *loss, const ls_shape *target);

/* After ls_model_set_loss and before ls_model_prepare: passes may end with this layer in training, too, though it may
 * be one whose work those after it do. */
void ls_model_show(ls_model *model, int layer);

/* Lays out activations, gradients (training; needs a loss) and scratch, and allocates them. May be called again; no
 * layer can be added then. Errors: LS_ERROR, no memory. */
ls_status ls_model_prepare(ls_model *model, const ls_limits *limits, bool training);

int ls_model_layers(const ls_model *model);
const ls_layer *ls_model_layer(const ls_model *model, int index);
int ls_model_find(const ls_model *model, const char *name); /* a layer's index, or -1 */
const char *ls_model_nearest(const ls_model *model, const char *name);
ls_shape ls_model_input_shape(const ls_model *model);
ls_shape ls_model_output_shape(const ls_model *model);
int64_t ls_model_param_count(const ls_model *model);   /* trainable numbers, as Keras counts */
int64_t ls_model_flat_count(const ls_model *model);    /* length of the flat vectors, gaps included */
int64_t ls_model_trained_count(const ls_model *model); /* where what is trained ends in them */
int64_t ls_model_batch_sums(const ls_model *model); /* the largest ls_layer.batch_sums; 0: passes are not collective */
/* From now on every call of a layer is checked: that it writes all of its output, and of the gradients it is to write,
 * with finite numbers, and nothing that it may only read. broken(context) is called where a layer does not, with the
 * thread's failure record naming layer, pass and place; it need not return. NULL: no checks, at no cost. */
void ls_model_debug(ls_model *model, void (*broken)(void *context), void *context);

/* Bytes that ls_model_prepare would take with these limits. */
int64_t ls_model_memory_bytes(ls_model *model, const ls_limits *limits, bool training);

/* Glorot etc., each number a function of (seed, layer and array, its index). Writes the whole flat vector. */
void ls_model_init_weights(const ls_model *model, uint64_t seed, float *weights);

/* Runs layers 0..last (last < 0: all). With a loss on logits the activation before it is left out. */
void ls_model_forward(ls_model *model, const ls_pass *pass, const float *weights, const float *input, int last);

/* Whether the layers after this one can be run from its output alone. Errors: LS_INVALID: there are none, or they do
 * its work, or one takes something else too that comes before the cut (names both). */
ls_status ls_model_check_cut(const ls_model *model, int layer);

/* Runs the layers after `layer`, where the model can be cut; output: [rows][out], what that layer gives. */
void ls_model_forward_after(ls_model *model, const ls_pass *pass, const float *weights, int layer, const float *output);

/* A layer's output of the latest forward pass, [rows][out], until backward; logits for the last one, see above. A layer
 * whose work those after it do as well (ls_layer_type.absorb) has one only where the pass ended with it, and in
 * training only if it is shown. */
const float *ls_model_output(const ls_model *model, int layer);

/* The same as a user sees it: with the activation that forward left out, which is computed in place. In training not
 * before ls_model_evaluate. */
const float *ls_model_predict(ls_model *model, const ls_pass *pass, int layer);

/* The loss of each row after ls_model_forward, penalties included; and without them, unless row_data_loss is NULL. In
 * training also its gradient, from which ls_model_backward goes on. */
void ls_model_evaluate(ls_model *model, const ls_pass *pass, const float *weights, const float *target,
                       double *row_loss, double *row_data_loss);

/* Overwrites every number of every subtree's flat vector, gaps with zero. Penalties on weights are left out, for they
 * belong to no lane: ls_model_add_weight_penalty adds them to the whole batch's gradient. Where several layers take an
 * output, its gradient is the last layer's plus the others' in falling order. input: as in the forward pass. */
void ls_model_backward(ls_model *model, const ls_pass *pass, const float *weights, const float *input,
                       float *const *gradients);

/* gradient += that of the penalties on weights; both are the numbers [begin, end) of flat vectors. */
void ls_model_add_weight_penalty(const ls_model *model, ls_pool *pool, int64_t begin, int64_t end, const float *weights,
                                 float *gradient);

#endif
