/* loss.h - losses: one file src/nn/loss_<name>.c each, one line in loss.c. Keras: a mean over the elements of a
 * sample and over samples. */
#ifndef LOCKSTEP_LOSS_H
#define LOCKSTEP_LOSS_H

#include "lockstep/activation.h"
#include "lockstep/rows.h"
#include "lockstep/threads.h"

typedef struct ls_loss_type {
    const char *name;
    const char *help;
    /* The last layer's activation must be this one and the loss takes what goes into it (logits), which keeps it finite
     * and is faster; LS_ACTIVATION_COUNT: any activation, and the loss takes its output. */
    ls_activation logits_of;
    /* Returns one sample's mean over `width` elements; where dz is not NULL, dz = scale * its gradient. */
    double (*row)(int64_t width, const float *z, const float *target, double scale, float *dz);
} ls_loss_type;

extern const ls_loss_type *const ls_loss_types[]; /* ended by NULL */
const ls_loss_type *ls_loss_type_find(const char *name);

/* row_loss[rows]; dz (NULL: not wanted) is the gradient of the mean over rows->global_count samples. */
void ls_loss_evaluate(const ls_loss_type *type, ls_pool *pool, const ls_rows *rows, int64_t width, const float *z,
                      const float *target, float *dz, double *row_loss);

/* lane_sum[lane] = row_loss added in row order. */
void ls_loss_lane_sums(const ls_rows *rows, const double *row_loss, double *lane_sum);

#endif
