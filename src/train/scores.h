/* scores.h - what is measured of every sample: the loss, the loss without penalties, and the metrics. Local. */
#ifndef LS_TRAIN_SCORES_H
#define LS_TRAIN_SCORES_H

#include "train/task.h"

enum {
    LS_SCORE_LOSS,
    LS_SCORE_DATA_LOSS, /* without penalties */
    LS_SCORE_METRICS,   /* in the order of the task */
    LS_SCORES_MAX = LS_SCORE_METRICS + LS_METRICS_MAX
};

int ls_scores_count(const ls_task *task);

/* After a forward pass: lane_sums[lanes of the pass][count]; in training also where the backward pass goes on from.
 * row_values: scratch of 2 rows->count numbers. */
void ls_scores_measure(const ls_task *task, const ls_pass *pass, const float *weights, const float *target,
                       double *row_values, double *lane_sums);

#endif
