/* loss.h - what a model's output costs. A loss is one file src/nn/loss_<name>.c and one line in loss.c.
 *
 * As in Keras, the loss of a sample is a mean over its elements, and the loss of a batch a mean over its samples.
 * Local. */
#ifndef LS_NN_LOSS_H
#define LS_NN_LOSS_H

#include "base/lanes.h"
#include "base/threads.h"
#include "tensor/activation.h"

typedef struct ls_loss_type {
    const char *name;
    const char *help;
    /* The last layer's activation must be this one, and the loss takes what goes into it (logits): that keeps it finite
     * and is faster. LS_ACTIVATION_COUNT: any activation, and the loss takes its output. */
    ls_activation logits_of;
    /* The numbers of a target lie within these bounds: beyond them the loss has no least value. Equal bounds: any
     * number will do. */
    float target_low, target_high;
    /* Returns one sample's mean over `width` elements; where dz is not NULL, dz = scale * its gradient. */
    double (*row)(int64_t width, const float *z, const float *target, double scale, float *dz);
} ls_loss_type;

extern const ls_loss_type *const ls_loss_types[]; /* ended by NULL */

/* row_loss[rows]; dz (NULL: not wanted) is the gradient of the mean over rows->global_count samples. */
void ls_loss_evaluate(const ls_loss_type *type, ls_pool *pool, const ls_rows *rows, int64_t width, const float *z,
                      const float *target, float *dz, double *row_loss);

#endif
