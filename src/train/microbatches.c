/* microbatches.c - cuts samples into microbatches, and deals them out in chunks. */
#include "train/microbatches.h"

#include "base/integers.h"
#include "base/memory.h"

enum { BATCHES_AHEAD = 2 };

ls_status ls_microbatches_make(const ls_task *task, const ls_span *spans, int64_t count, ls_microbatches *out) {
    int64_t rows = ls_task_lane_rows(task);
    *out = (ls_microbatches){.task = task, .count = ls_spans_cut(spans, count, rows, NULL)};
    LS_TRY(ls_alloc(&out->microbatch, out->count, sizeof(ls_span), "the microbatches of an evaluation"));
    ls_spans_cut(spans, count, rows, out->microbatch);
    out->chunk = ls_task_microbatches(task);
    int64_t chunks = (out->count + out->chunk - 1) / out->chunk;
    out->rounds = (chunks + task->comm->size - 1) / task->comm->size;
    return LS_OK;
}

void ls_microbatches_release(ls_microbatches *microbatches) { ls_free(microbatches->microbatch); }

int64_t ls_microbatches_first(const ls_microbatches *microbatches, int64_t round, int rank) {
    return ls_min((round * microbatches->task->comm->size + rank) * microbatches->chunk, microbatches->count);
}

int64_t ls_microbatches_rows(const ls_microbatches *microbatches) {
    return microbatches->chunk * ls_task_lane_rows(microbatches->task);
}

ls_status ls_microbatches_next(void *context, ls_batch *batch, bool *more) {
    ls_microbatches *p = context;
    int64_t begin = ls_microbatches_first(p, p->round, p->task->comm->rank), row = 0;
    int64_t end = ls_min(begin + p->chunk, p->count);
    *more = begin < end;
    if (!*more) return LS_OK;
    p->round++;
    batch->epoch = 0;
    batch->rows.lanes = (int)(end - begin);
    for (int64_t i = begin; i < end; i++) {
        batch->rows.lane_begin[i - begin] = row;
        for (int64_t s = 0; s < p->microbatch[i].count; s++) batch->samples[row++] = p->microbatch[i].first + s;
    }
    batch->rows.lane_begin[end - begin] = row;
    batch->rows.count = batch->rows.global_count = row;
    batch->rows.subtrees = 1;
    batch->rows.subtree_begin[1] = batch->rows.lanes;
    return LS_OK;
}

ls_status ls_microbatches_open_loader(ls_microbatches *microbatches, ls_dataset *dataset, ls_use use, bool targeted,
                                      ls_loader **out) {
    ls_loader_spec spec = ls_task_loader(microbatches->task, dataset, use);
    if (!targeted) spec.target = NULL;
    spec.max_rows = ls_microbatches_rows(microbatches);
    spec.depth = BATCHES_AHEAD;
    spec.next = ls_microbatches_next;
    spec.context = microbatches;
    return ls_loader_open(&spec, out);
}

ls_pass ls_microbatches_pass(const ls_microbatches *microbatches, const ls_batch *batch) {
    const ls_task *task = microbatches->task;
    return (ls_pass){.pool = task->pool, .rows = &batch->rows, .samples = batch->samples, .seed = task->seed};
}
