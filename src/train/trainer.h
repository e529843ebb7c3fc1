/* trainer.h - trains a task: steps, epochs, and the judgement on each, told to callbacks.
 *
 *   ls_trainer_open(&trainer, &task);                  weights as the seed makes them
 *   ls_trainer_go_on(&trainer, &position);             if a run goes on, after its weights and slots are restored
 *   ls_trainer_run(&trainer, callbacks, count);
 *   ls_trainer_close(&trainer);                        in every case
 *
 * The trainer knows neither a config nor a run directory: whatever a run leaves behind, a callback writes. */
#ifndef LS_TRAIN_TRAINER_H
#define LS_TRAIN_TRAINER_H

#include "train/batch_source.h"
#include "train/callback.h"
#include "train/history.h"
#include "train/position.h"
#include "train/step.h"

/* The samples that an epoch is judged by: the validation files, or what the split holds out; count 0: none. */
typedef struct ls_validation_samples {
    ls_dataset *dataset;
    ls_span *spans; /* owned by the trainer */
    int64_t count;
} ls_validation_samples;

/* For callbacks to read; equal on all ranks, but for the task's parts that are a rank's. */
struct ls_trainer {
    ls_task *task;
    ls_stepper stepper; /* with the weights: ls_trainer_weights */
    ls_batch_source *source;
    ls_position position;
    ls_history history;
    ls_validation_samples validation; /* of the latest epoch that was validated */
    ls_epoch_logs logs;               /* of the latest epoch that is over */
    bool stop;                        /* a signal asked to stop: the run ends after this step */
    double reported_s[LS_TIMES];      /* this rank's, in earlier epochs */
    ls_callback *callback;            /* [callbacks] */
    int callbacks;
};

/* Collective. Prepares the task's model, and makes the exchange. Errors (agreed): those of ls_stepper_init. */
ls_status ls_trainer_open(ls_trainer *trainer, ls_task *task);
/* Collective. Also after an error. */
void ls_trainer_close(ls_trainer *trainer);

/* Local, before ls_trainer_run. The run is at this position, and its learning rate what reductions have left of it. */
void ls_trainer_go_on(ls_trainer *trainer, const ls_position *position);

/* Collective. Trains until the run is over. Errors (agreed): LS_STOPPED: a signal asked to stop (stop.h), or a callback
 * said so; LS_INVALID: what reading met; LS_ERROR: memory, a loss or weights that are not finite; what callbacks said.
 */
ls_status ls_trainer_run(ls_trainer *trainer, ls_callback *callback, int callbacks);

/* Local. */
bool ls_trainer_is_over(const ls_trainer *trainer);
double ls_trainer_mean_loss(const ls_trainer *trainer); /* of the open epoch so far */
const float *ls_trainer_weights(const ls_trainer *trainer);

/* Collective. What the last update made of its weights a rank hears in the next step, which is too late for a
 * checkpoint. Errors (agreed): LS_ERROR, they are not finite. */
ls_status ls_trainer_check_weights(const ls_trainer *trainer);

#endif
