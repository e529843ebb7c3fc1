/* microbatches.h - who runs a model over which samples where nothing is trained. Local.
 *
 * The samples are cut into microbatches of at most a lane's rows; a microbatch is the unit of summation, so sums do not
 * depend on the number of ranks. A chunk is so many of them that every rank can hold one; rank r takes the chunks r,
 * r + size, r + 2 size, ...: one each round. */
#ifndef LS_TRAIN_MICROBATCHES_H
#define LS_TRAIN_MICROBATCHES_H

#include "train/task.h"

typedef struct ls_microbatches {
    const ls_task *task;
    ls_span *microbatch; /* [count], owned */
    int64_t count;
    int64_t chunk;  /* microbatches in a chunk */
    int64_t rounds; /* chunks of the rank that has most */
    int64_t round;  /* the next one of ls_microbatches_next */
} ls_microbatches;

/* Errors: LS_ERROR, no memory. ls_microbatches_release in every case. */
ls_status ls_microbatches_make(const ls_task *task, const ls_span *spans, int64_t count, ls_microbatches *out);
void ls_microbatches_release(ls_microbatches *microbatches);

/* The number of the first microbatch of a rank's chunk; `count` where it has none. */
int64_t ls_microbatches_first(const ls_microbatches *microbatches, int64_t round, int rank);
/* The rows of a chunk, at most. */
int64_t ls_microbatches_rows(const ls_microbatches *microbatches);

/* An ls_next_fn: this rank's next chunk as a batch, each microbatch a lane, all in one subtree. */
ls_status ls_microbatches_next(void *microbatches, ls_batch *batch, bool *more);
/* A loader of those batches, with their targets or without; the microbatches must stay until it is closed. Errors:
 * LS_ERROR. */
ls_status ls_microbatches_open_loader(ls_microbatches *microbatches, ls_dataset *dataset, ls_use use, bool targeted,
                                      ls_loader **out);

/* A pass over such a batch. */
ls_pass ls_microbatches_pass(const ls_microbatches *microbatches, const ls_batch *batch);

#endif
