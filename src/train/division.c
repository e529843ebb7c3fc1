/* division.c - cuts the blocks of a data set into parts, and a part into what is trained on and what is held out. */
#include "train/division.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"

static ls_status divide(const ls_task *task, const ls_span *blocks, int64_t count, ls_division *out) {
    LS_TRY(ls_alloc(&out->spans, count + 1, sizeof(ls_span), "the blocks of an epoch"));
    out->training = count;
    if (task->split > 0) return ls_spans_split(blocks, count, task->split, out->spans, &out->training, &out->held_out);
    memcpy(out->spans, blocks, (size_t)count * sizeof *blocks);
    return LS_OK;
}

ls_status ls_division_make(const ls_task *task, int64_t epoch, ls_division *out) {
    *out = (ls_division){0};
    ls_span *blocks = NULL;
    int64_t count, begin = 0, end = 0;
    ls_status status = ls_dataset_blocks(task->train, &blocks, &count);
    if (status == LS_OK) status = ls_spans_part(count, epoch % task->parts, task->parts, &begin, &end);
    if (status == LS_OK) status = divide(task, blocks + begin, end - begin, out);
    ls_free(blocks);
    if (LS_FAILED(status)) ls_division_release(out);
    return status;
}

void ls_division_release(ls_division *division) {
    ls_free(division->spans);
    *division = (ls_division){0};
}

static ls_status append_held_out(const ls_task *task, int64_t epoch, ls_span *spans, int64_t *count) {
    ls_division division;
    LS_TRY(ls_division_make(task, epoch, &division));
    memcpy(spans + *count, division.spans + division.training, (size_t)division.held_out * sizeof *spans);
    *count += division.held_out;
    ls_division_release(&division);
    return LS_OK;
}

/* No epoch holds out more spans than its part has blocks. */
ls_status ls_division_held_out(const ls_task *task, int64_t epoch, int64_t epochs, ls_span **spans, int64_t *count) {
    int64_t blocks;
    *count = 0;
    ls_status status = ls_dataset_blocks(task->train, spans, &blocks);
    for (int64_t i = 0; i < epochs && status == LS_OK; i++) status = append_held_out(task, epoch + i, *spans, count);
    if (status == LS_OK) return LS_OK;
    ls_free(*spans);
    *spans = NULL;
    return status;
}

/* Every part must leave something to train on. */
ls_status ls_division_check(const ls_task *task) {
    ls_span *spans;
    ls_division first;
    int64_t count, batch = task->batch_size;
    LS_TRY(ls_division_held_out(task, 0, task->parts, &spans, &count));
    ls_free(spans);
    LS_TRY(ls_division_make(task, 0, &first));
    int64_t samples = ls_spans_samples(first.spans, first.training);
    ls_division_release(&first);
    if (batch > samples)
        ls_log_warn("batch_size is %" PRId64 ", but an epoch trains on %" PRId64
                    " samples only: each is one short step",
                    batch, samples);
    return LS_OK;
}
