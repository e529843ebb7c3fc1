/* step.h - one training step: what the trainer and the benchmark both time. */
#ifndef LS_TRAIN_STEP_H
#define LS_TRAIN_STEP_H

#include "train/profile.h"
#include "train/scores.h"

/* What is updated by steps: the weights and gradients of the exchange, and this rank's shard of the optimizer's slots.
 */
typedef struct ls_stepper {
    const ls_task *task;
    ls_exchange *exchange;
    ls_profile *profile;       /* NULL, as ls_stepper_init leaves it: nobody wants to know */
    float *slot[LS_SLOTS_MAX]; /* of this rank's shard */
    double *row_values;        /* [2 max rows] */
    double *lane_sums;         /* [own lanes][scores] */
    double *lane_values;       /* [own lanes][scores + 1]: those, and busy_s */
    double *all_values;        /* [lanes][scores + 1] */
    double *column;            /* [lanes]: of one score or batch sum */
    int64_t most_lanes;        /* of a rank */
    double *rank_sums;         /* [most lanes][batch sums]: what layers add up over this rank's lanes */
    double *gathered;          /* [ranks][most lanes][batch sums]: the same of all ranks */
    bool weights_finite;       /* so far, in this rank's shard */
    int64_t step;              /* updates done */
    double learning_rate;      /* of the updates to come, where the task has no schedule */

    /* Where the task has a pulse: how long this rank was busy, in the latest step and in all, how long it then
     * exchanged, and how much of the exchange, in all steps, went by because others were still busy. */
    double busy_s, busy_in_all_s, exchange_s, waited_s;
} ls_stepper;

typedef struct ls_step_memory {
    int64_t model_bytes;    /* activations and their gradients */
    int64_t exchange_bytes; /* gradients, and what messages need */
    int64_t slot_bytes;     /* the optimizer's state */
    int64_t batches_bytes;  /* batches made ready */
    int64_t host_bytes;     /* weights, where the ranks of a host share them */
    int64_t best_bytes;     /* rank 0: the best weights, where they wait to be written */
} ls_step_memory;

/* Collective. Prepares the task's model for training and makes the exchange. Errors (agreed): LS_INVALID, a host has
 * not the memory; LS_ERROR. Release in every case. */
ls_status ls_stepper_init(ls_stepper *stepper, const ls_task *task);
void ls_stepper_release(ls_stepper *stepper);

/* Collective. Forward, loss, backward, signals, exchange, update. batch NULL: this rank has none because it failed
 * (signals->failed). signals in: what this rank has to say; out: what any rank said. The update is left out where a
 * rank failed or a loss is not finite. sums[scores] over all samples of the global batch, added in the tree over the
 * lanes. No allocation. */
void ls_stepper_run(ls_stepper *stepper, const ls_batch *batch, ls_signals *signals, double *sums);

/* Local. The rate of an update, given how many are done before it. */
double ls_stepper_learning_rate(const ls_stepper *stepper, int64_t step);

/* Local. Bytes that training on samples of this kind takes, where all ranks are on one host; decoded samples, which are
 * kept where there is room, are left out. data: NULL, no batches are made ready. */
ls_step_memory ls_stepper_memory(const ls_task *task, const ls_dataset_info *data);
/* What of it is the rank's own. */
int64_t ls_step_memory_rank_bytes(const ls_step_memory *memory);

#endif
