/* model_debug_internal.h - a layer's call, with its contract checked. Private to nn. */
#ifndef LS_NN_MODEL_DEBUG_INTERNAL_H
#define LS_NN_MODEL_DEBUG_INTERNAL_H

#include "nn/model_graph_internal.h"

/* Instead of layer->type->forward and backward: see ls_model_debug. */
void ls_debug_forward(const ls_model *model, const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io);
void ls_debug_backward(const ls_model *model, const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io);

#endif
