/* division.h - how an epoch divides the data: which blocks are trained on, and which are held out to judge by. Local,
 * the same on all ranks. */
#ifndef LS_TRAIN_DIVISION_H
#define LS_TRAIN_DIVISION_H

#include "train/task.h"

/* The samples of an epoch: spans[training] to train on, then spans[held_out] (none without a split). */
typedef struct ls_division {
    ls_span *spans; /* owned: ls_division_release */
    int64_t training, held_out;
} ls_division;

/* The epoch's part of the blocks, cut by the split. Errors: LS_INVALID: fewer blocks than parts, or nothing left to
 * train on. */
ls_status ls_division_make(const ls_task *task, int64_t epoch, ls_division *out);
void ls_division_release(ls_division *division);
/* What is held out of so many epochs from this one on, at most as many as there are parts; *spans is the caller's
 * (ls_free). *count is 0 without a split. */
ls_status ls_division_held_out(const ls_task *task, int64_t epoch, int64_t epochs, ls_span **spans, int64_t *count);

/* Whether every epoch has something to train on, and to validate on where there is a split; warns of a batch that is
 * more than an epoch. Errors: as of ls_division_make. */
ls_status ls_division_check(const ls_task *task);

#endif
