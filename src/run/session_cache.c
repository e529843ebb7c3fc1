/* session_cache.c - how a run's memory for decoded samples (data.cache_mb) is spent, once: on all training samples
 * where they fit, else on the ranks' shuffle windows and on what is read ahead of them; what is left, on validation
 * data. */
#include <inttypes.h>
#include <stdio.h>

#include "base/integers.h"
#include "base/log.h"
#include "base/memory.h"
#include "run/session.h"
#include "train/windows.h"

/* Bytes that a host may spend, the same on all ranks. */
static int64_t host_limit(const ls_session *session) {
    int64_t cache_mb = session->config->data.cache_mb;
    return cache_mb > 0 ? cache_mb << 20 : ls_comm_min(session->comm, ls_memory_available_bytes() / 2);
}

static void warn_windows(const ls_session *session, int64_t need_bytes, int64_t room_bytes) {
    int64_t lanes = session->lanes.end - session->lanes.first;
    int64_t largest = ls_windows_largest(ls_dataset_get_info(session->train), lanes, room_bytes);
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
static int64_t keep_windows(ls_session *session, int64_t limit_bytes) {
    const ls_dataset_info *info = ls_dataset_get_info(session->train);
    int64_t lanes = session->lanes.end - session->lanes.first, range = info->count / session->lanes.count + 1;
    int64_t need_bytes = ls_windows_bytes(info, lanes, session->config->data.shuffle_window, range);
    int64_t room_bytes = limit_bytes / session->comm->host_size;
    int64_t kept_bytes = ls_min(2 * need_bytes, room_bytes);
    ls_dataset_keep(session->train, kept_bytes);
    session->ahead_bytes = ls_max(kept_bytes - need_bytes, 0);
    ls_log_info("the data does not fit into memory and is read from its files in every epoch");
    if (need_bytes > room_bytes) warn_windows(session, need_bytes, room_bytes);
    return kept_bytes;
}

void ls_session_cache_data(ls_session *session) {
    const ls_comm *comm = session->comm;
    const bool all = session->config->data.cache_mb != 0;
    int64_t limit_bytes = host_limit(session);
    int64_t spent_bytes = all ? ls_dataset_cache(session->train, comm, limit_bytes) : 0;
    session->ahead_bytes = INT64_MAX;
    if (spent_bytes == 0) spent_bytes = ls_comm_max(comm, keep_windows(session, limit_bytes) * comm->host_size);
    if (all && session->validation) (void)ls_dataset_cache(session->validation, comm, limit_bytes - spent_bytes);
}
