/* batch_source.h - this rank's batches of one epoch after the other, made ready by a loader: which samples come when in
 * training. Local. */
#ifndef LS_TRAIN_BATCH_SOURCE_H
#define LS_TRAIN_BATCH_SOURCE_H

#include "train/task.h"

typedef struct ls_batch_source ls_batch_source;
/* Bytes that a source takes for batches made ready, of samples of this kind. */
int64_t ls_batch_source_memory_bytes(const ls_task *task, const ls_dataset_info *data);
ls_status ls_batch_source_open(const ls_task *task, ls_batch_source **out);
void ls_batch_source_close(ls_batch_source *source); /* NULL is allowed */
/* An epoch's batches, from step first_step on. Errors: LS_INVALID, also where the epoch has fewer; LS_ERROR. */
ls_status ls_batch_source_begin(ls_batch_source *source, int64_t epoch, int64_t first_step);
/* Of the epoch that has been begun: */
int64_t ls_batch_source_steps(const ls_batch_source *source);              /* in the whole of it */
int64_t ls_batch_source_rows(const ls_batch_source *source, int64_t step); /* of the global batch */
ls_loader *ls_batch_source_loader(ls_batch_source *source);

#endif
