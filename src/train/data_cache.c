/* data_cache.c - how a run's memory for decoded samples (data.cache_mb) is spent, once: on all training samples
 * where they fit, else on the ranks' shuffle windows and on what is read ahead of them; what is left, on validation
 * data. */
#include "train/data_cache.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/integers.h"
#include "base/log.h"
#include "base/memory.h"
#include "train/windows.h"

/* Bytes that a host may spend, the same on all ranks. */
static int64_t host_limit(const ls_task *task) {
    int64_t cache_mb = task->cache_mb;
    return cache_mb > 0 ? cache_mb << 20 : ls_comm_min(task->comm, ls_memory_available_bytes() / 2);
}

static void warn_windows(const ls_task *task, int64_t need_bytes, int64_t room_bytes) {
    int64_t lanes = task->lanes.end - task->lanes.first;
    int64_t largest = ls_windows_largest(ls_dataset_get_info(task->train), lanes, room_bytes);
    char advice[128] = "raise data.cache_mb, or start more ranks on more hosts";
    if (largest > 0)
        (void)snprintf(advice, sizeof advice, "set data.shuffle_window to %" PRId64 " at most, or raise data.cache_mb",
                       largest);
    ls_log_warn("a rank's shuffle windows need %" PRId64 " MB and may take %" PRId64
                " MB: blocks will be decoded again and again; %s",
                need_bytes >> 20, room_bytes >> 20, advice);
}

/* Local. A rank keeps the blocks that its lanes' windows draw from, and reads those of the next windows ahead where
 * there is room for both. Returns what a rank takes. */
static int64_t keep_windows(ls_task *task, int64_t limit_bytes) {
    const ls_dataset_info *info = ls_dataset_get_info(task->train);
    int64_t lanes = task->lanes.end - task->lanes.first, range = info->count / task->lanes.count + 1;
    int64_t need_bytes = ls_windows_bytes(info, lanes, task->shuffle_window, range);
    int64_t room_bytes = limit_bytes / task->comm->host_size;
    int64_t kept_bytes = ls_min(2 * need_bytes, room_bytes);
    ls_dataset_keep(task->train, kept_bytes);
    task->ahead_bytes = ls_max(kept_bytes - need_bytes, 0);
    ls_log_info("the data does not fit into memory and is read from its files in every epoch");
    if (need_bytes > room_bytes) warn_windows(task, need_bytes, room_bytes);
    return kept_bytes;
}

void ls_task_cache_data(ls_task *task) {
    const ls_comm *comm = task->comm;
    bool all = task->cache_mb != 0;
    int64_t limit_bytes = host_limit(task);
    int64_t spent_bytes = all ? ls_dataset_cache(task->train, comm, limit_bytes) : 0;
    task->ahead_bytes = INT64_MAX;
    if (spent_bytes == 0) spent_bytes = ls_comm_max(comm, keep_windows(task, limit_bytes) * comm->host_size);
    if (all && task->validation) (void)ls_dataset_cache(task->validation, comm, limit_bytes - spent_bytes);
}
