/* windows.h - the memory that shuffle windows take where a data set does not fit into memory. Pure arithmetic. */
#ifndef LS_TRAIN_WINDOWS_H
#define LS_TRAIN_WINDOWS_H

#include "data/dataset.h"

/* Bytes of the decoded blocks from which so many lanes draw at the same time, each of them from a window of `window`
 * samples of its range of `range` samples. */
int64_t ls_windows_bytes(const ls_dataset_info *info, int64_t lanes, int64_t window, int64_t range);

/* The largest window whose blocks fit into so many bytes; 0: there is none. */
int64_t ls_windows_largest(const ls_dataset_info *info, int64_t lanes, int64_t bytes);

#endif
