/* windows.c - see windows.h. A window lies anywhere in the sequence of blocks, so it may begin and end inside of one.
 */
#include "train/windows.h"

#include "base/integers.h"

enum { EDGE_BLOCKS = 2 };

int64_t ls_windows_bytes(const ls_dataset_info *info, int64_t lanes, int64_t window, int64_t range) {
    int64_t blocks = ls_min(window, range) / info->block_samples + EDGE_BLOCKS;
    return lanes * blocks * info->block_samples * info->sample_bytes;
}

int64_t ls_windows_largest(const ls_dataset_info *info, int64_t lanes, int64_t bytes) {
    int64_t blocks = bytes / (info->block_samples * info->sample_bytes) / lanes - EDGE_BLOCKS;
    return ls_max(blocks, 0) * info->block_samples;
}
