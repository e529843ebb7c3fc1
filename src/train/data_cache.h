/* data_cache.h - the memory that a run has for decoded samples. */
#ifndef LS_TRAIN_DATA_CACHE_H
#define LS_TRAIN_DATA_CACHE_H

#include "train/task.h"

/* Collective, for a task with lanes and open data. Keeps decoded samples in memory, a host's all where they fit, else a
 * rank's shuffle windows; says what it could not do. Sets task->ahead_bytes. */
void ls_task_cache_data(ls_task *task);

#endif
