/* loss.h - what a model's output costs, and what else is said of it: losses and metrics, one file src/nn/loss_<name>.c
 * or metric_<name>.c each and one line in loss.c or metric.c. Keras: a mean over the elements of a sample and over
 * samples. */
#ifndef LS_NN_LOSS_H
#define LS_NN_LOSS_H

#include "base/rows.h"
#include "base/threads.h"
#include "tensor/activation.h"

typedef struct ls_loss_type {
    const char *name;
    const char *help;
    /* The last layer's activation must be this one and the loss takes what goes into it (logits), which keeps it finite
     * and is faster; LS_ACTIVATION_COUNT: any activation, and the loss takes its output. */
    ls_activation logits_of;
    /* Of the numbers of a target: where one is outside, the loss has no least value. Equal: any number will do. */
    float target_low, target_high;
    /* Returns one sample's mean over `width` elements; where dz is not NULL, dz = scale * its gradient. */
    double (*row)(int64_t width, const float *z, const float *target, double scale, float *dz);
} ls_loss_type;

extern const ls_loss_type *const ls_loss_types[]; /* ended by NULL */

/* row_loss[rows]; dz (NULL: not wanted) is the gradient of the mean over rows->global_count samples. */
void ls_loss_evaluate(const ls_loss_type *type, ls_pool *pool, const ls_rows *rows, int64_t width, const float *z,
                      const float *target, float *dz, double *row_loss);

/* A number that is reported beside the loss. */
typedef struct ls_metric_type {
    const char *name;
    const char *help;
    double (*row)(int64_t width, const float *y, const float *target); /* one sample's; y: with its activation */
} ls_metric_type;

enum { LS_METRICS_MAX = 3 }; /* of a model */

extern const ls_metric_type *const ls_metric_types[]; /* ended by NULL */

void ls_metric_evaluate(const ls_metric_type *type, ls_pool *pool, int64_t rows, int64_t width, const float *y,
                        const float *target, double *row_value);

/* lane_sum[lane * stride] = row_value (of a loss or a metric) added in row order. */
void ls_loss_lane_sums(const ls_rows *rows, const double *row_value, int64_t stride, double *lane_sum);

#endif
