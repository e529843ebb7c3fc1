#include "run/best.h"

#include <string.h>

#include "lockstep/clock.h"
#include "lockstep/memory.h"

ls_status ls_best_init(ls_best *best, const ls_comm *comm, const char *run, double interval_s, int64_t flat_count) {
    *best = (ls_best){.comm = comm, .run = run, .interval_s = interval_s, .written_s = -interval_s};
    int64_t count = comm->rank == 0 && interval_s > 0 ? flat_count : 0;
    return ls_agree(comm, ls_alloc(&best->weights, count, sizeof(float), "the best weights"));
}

void ls_best_release(ls_best *best) { ls_free(best->weights); }

static ls_status write_best(ls_best *best, const ls_snapshot *snapshot) {
    LS_TRY(ls_checkpoint_save_best(best->comm, best->run, snapshot));
    best->written_s = ls_clock_s();
    best->pending = false;
    return LS_OK;
}

/* Rank 0's clock decides for all. */
static bool is_time(const ls_best *best) {
    bool time = ls_clock_s() - best->written_s >= best->interval_s;
    ls_comm_broadcast(best->comm, &time, sizeof time, 0);
    return time;
}

ls_status ls_best_improved(ls_best *best, const ls_snapshot *snapshot) {
    if (is_time(best)) return write_best(best, snapshot);
    best->pending = true;
    best->position = snapshot->position;
    if (best->comm->rank == 0)
        memcpy(best->weights, snapshot->weights, (size_t)ls_model_flat_count(snapshot->model) * sizeof(float));
    return LS_OK;
}

ls_status ls_best_flush(ls_best *best, const ls_snapshot *snapshot) {
    if (!best->pending) return LS_OK;
    ls_snapshot kept = *snapshot;
    kept.weights = best->weights;
    kept.position = best->position;
    return write_best(best, &kept);
}
