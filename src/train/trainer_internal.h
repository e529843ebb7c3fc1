/* trainer_internal.h - what the loop (trainer.c) and the end of an epoch (trainer_epoch.c) know of each other. */
#ifndef LS_TRAIN_TRAINER_INTERNAL_H
#define LS_TRAIN_TRAINER_INTERNAL_H

#include "train/trainer.h"

/* Collective. Validates the epoch, adds its line to the history, decides on learning rate and end, and makes the next
 * epoch the open one; callbacks hear of both. Errors (agreed). */
ls_status ls_trainer_end_epoch(ls_trainer *trainer);

/* Collective. Tells all callbacks, and agrees on what they say. */
ls_status ls_trainer_tell(ls_trainer *trainer, ls_event event);

/* Local. Always LS_ERROR. */
ls_status ls_trainer_fail_not_finite(const ls_trainer *trainer, const char *what, int64_t step);
/* Local. The optimizer's, after so many reductions as the position counts. */
void ls_trainer_set_learning_rate(ls_trainer *trainer);

#endif
