/* feed.h - which samples come when in training: what the loader's thread is told. Private to run. */
#ifndef LS_RUN_FEED_H
#define LS_RUN_FEED_H

#include "data/loader.h"
#include "data/sampler.h"
#include "run/session.h"

/* The samples of an epoch: spans[training] to train on, then spans[held_out] (none without a split). */
typedef struct ls_division {
    ls_span *spans; /* owned: ls_division_release */
    int64_t training, held_out;
} ls_division;

/* Local, the same on all ranks: the epoch's part of the blocks, cut by the split. Errors: LS_INVALID: nothing left to
 * train on. */
ls_status ls_division_make(const ls_session *session, int64_t epoch, ls_division *out);
void ls_division_release(ls_division *division);
/* What is held out of so many epochs from this one on, at most as many as there are parts; *spans is the caller's
 * (ls_free). *count is 0 without a split. */
ls_status ls_division_held_out(const ls_session *session, int64_t epoch, int64_t epochs, ls_span **spans,
                               int64_t *count);

/* Local. Whether every epoch has something to train on, and to validate on where there is a split; warns of a batch
 * that is more than an epoch. Errors: LS_INVALID, the place in the config. */
ls_status ls_division_check(const ls_session *session);

/* This rank's batches of one epoch after the other, made ready by a loader. Local. */
typedef struct ls_training_feed ls_training_feed;
/* Bytes that a feed takes for batches made ready, of samples of this kind. */
int64_t ls_training_feed_memory_bytes(const ls_session *session, const ls_dataset_info *data);
ls_status ls_training_feed_open(const ls_session *session, ls_training_feed **out);
void ls_training_feed_close(ls_training_feed *feed); /* NULL is allowed */
/* An epoch's batches, from step first_step on. Errors: LS_INVALID, also where the epoch has fewer; LS_ERROR. */
ls_status ls_training_feed_begin(ls_training_feed *feed, int64_t epoch, int64_t first_step);
/* Of the epoch that has been begun: */
int64_t ls_training_feed_steps(const ls_training_feed *feed);              /* in the whole of it */
int64_t ls_training_feed_rows(const ls_training_feed *feed, int64_t step); /* of the global batch */
ls_loader *ls_training_feed_loader(ls_training_feed *feed);

#endif
