/* metric.h - numbers that are reported beside the loss. A metric is one file src/nn/metric_<name>.c and one line in
 * metric.c.
 *
 * As in Keras, a metric of a batch is a mean over its samples. Local. */
#ifndef LS_NN_METRIC_H
#define LS_NN_METRIC_H

#include "base/threads.h"

typedef struct ls_metric_type {
    const char *name;
    const char *help;
    double (*row)(int64_t width, const float *y, const float *target); /* of one sample; y: with its activation */
} ls_metric_type;

enum { LS_METRICS_MAX = 3 }; /* of a model */

extern const ls_metric_type *const ls_metric_types[]; /* ended by NULL */

/* row_value[rows] of y[rows][width]. */
void ls_metric_evaluate(const ls_metric_type *type, ls_pool *pool, int64_t rows, int64_t width, const float *y,
                        const float *target, double *row_value);

#endif
