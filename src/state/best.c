/* best.c - keeps the best weights on rank 0, and writes them when enough time has passed. */
#include "state/best.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

void ls_best_init(ls_best *best, const ls_comm *comm, const char *run, double interval_s) {
    *best = (ls_best){.comm = comm, .run = run, .interval_s = interval_s, .written_s = -interval_s};
}

void ls_best_release(ls_best *best) { ls_free(best->weights); }

static ls_status write_best(ls_best *best, const ls_snapshot *snapshot) {
    LS_TRY(ls_checkpoint_save_best(best->comm, best->run, snapshot));
    best->written_s = ls_clock_s();
    best->pending = false;
    return LS_OK;
}

/* On rank 0. False where it is time to write, or no memory to wait in. */
static bool keep(ls_best *best, const ls_snapshot *snapshot) {
    int64_t count = ls_model_flat_count(snapshot->model);
    if (ls_clock_s() - best->written_s >= best->interval_s) return false;
    if (best->weights == NULL && ls_alloc(&best->weights, count, sizeof(float), "the best weights") != LS_OK)
        return false;
    memcpy(best->weights, snapshot->weights, (size_t)count * sizeof(float));
    return true;
}

ls_status ls_best_improved(ls_best *best, const ls_snapshot *snapshot) {
    bool kept = best->comm->rank == 0 && keep(best, snapshot);
    ls_comm_broadcast(best->comm, &kept, sizeof kept, 0);
    if (!kept) return write_best(best, snapshot);
    best->pending = true;
    best->position = snapshot->position;
    return LS_OK;
}

ls_status ls_best_flush(ls_best *best, const ls_snapshot *snapshot) {
    if (!best->pending) return LS_OK;
    ls_snapshot kept = *snapshot;
    kept.weights = best->weights;
    kept.position = best->position;
    return write_best(best, &kept);
}
