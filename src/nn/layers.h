/* layers.h - what several layers share. Private to nn. */
#ifndef NN_LAYERS_H
#define NN_LAYERS_H

#include "lockstep/layer.h"

/* Height and width out of an option that is one number for both, or two. */
static inline int64_t ls_pair_h(const ls_int_list *list) { return list->value[0]; }
static inline int64_t ls_pair_w(const ls_int_list *list) { return list->value[list->count - 1]; }

extern const char *const ls_padding_names[]; /* Keras' "valid", "same"; the second is 1 */

/* Errors: LS_INVALID, the input has not three dimensions. */
ls_status ls_layer_check_picture(const ls_layer *layer);

/* Sets the layer's parameters: a kernel [..., inputs, outputs], Glorot uniform, and a bias of zeros. */
void ls_layer_set_weights(ls_layer *layer, const ls_shape *kernel, bool use_bias);

/* The last axis of the output, and how many vectors of that length a pass has. */
int64_t ls_layer_width(const ls_layer *layer);
int64_t ls_layer_vectors(const ls_layer *layer, const ls_pass *pass);

/* Rows of which each sample has `positions`, in the lanes of the samples. */
ls_rows ls_rows_of_positions(const ls_rows *samples, int64_t positions);

/* The kernels apply ls_layer_fused; ls_layer_activate does afterwards what they cannot fuse (softmax). */
ls_activation ls_layer_fused(const ls_layer *layer);
void ls_layer_activate(const ls_layer *layer, const ls_pass *pass, float *y);
/* Turns dy into the gradient of what went into the activation. */
void ls_layer_deactivate(const ls_layer *layer, const ls_pass *pass, const float *y, float *dy);

#endif
