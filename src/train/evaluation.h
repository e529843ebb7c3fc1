/* evaluation.h - means over samples of what a model's outputs cost, on all ranks: the same bits on any number of them.
 * Collective. Errors (agreed): what reading met; LS_ERROR, no memory. */
#ifndef LS_TRAIN_EVALUATION_H
#define LS_TRAIN_EVALUATION_H

#include "train/microbatches.h"
#include "train/scores.h"

/* scores[ls_scores_count]: means over all samples of the spans, of a model that is prepared for any limits of at least
 * a lane's rows. */
ls_status ls_evaluation_scores(const ls_task *task, ls_dataset *dataset, const ls_span *spans, int64_t count,
                               const float *weights, double *scores);

/* What else may be measured of every sample: `batch` writes sums[lanes of the batch][scores]. */
typedef struct ls_measure {
    int scores;
    void (*batch)(void *context, const ls_microbatches *microbatches, const ls_batch *batch, double *sums);
    void *context;
} ls_measure;

/* mean[measure->scores] over all samples of the spans, with the transforms of validation. */
ls_status ls_evaluation_mean(const ls_task *task, ls_dataset *dataset, const ls_span *spans, int64_t count,
                             const ls_measure *measure, double *mean);

#endif
