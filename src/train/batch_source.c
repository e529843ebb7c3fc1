/* batch_source.c - two threads walk through the same batches: the loader's, and before it the one that reads ahead. */
#include "train/batch_source.h"

#include <inttypes.h>

#include "base/integers.h"
#include "base/memory.h"
#include "data/readahead.h"
#include "train/division.h"

/* Goes through the batches of one epoch after the other. */
typedef struct walk {
    ls_sampler *sampler;
    int64_t epoch, step; /* step: the next one */
} walk;

struct ls_batch_source {
    const ls_task *task;
    walk now, ahead; /* the loader's, and the read-ahead's, while their threads run */
    ls_readahead *readahead;
    ls_loader *loader;
};

static ls_status create_walk(const ls_task *task, walk *out) {
    ls_sampling sampling = {
        .seed = task->seed, .batch = task->batch_size, .lanes = task->lanes.count, .window = task->shuffle_window};
    return ls_sampler_create(&sampling, &out->sampler);
}

static ls_status begin_walk(const ls_task *task, walk *w, int64_t epoch, int64_t step) {
    ls_division division;
    w->epoch = epoch;
    w->step = step;
    LS_TRY(ls_division_make(task, epoch, &division));
    ls_status status = ls_sampler_begin_epoch(w->sampler, division.spans, division.training, epoch);
    ls_division_release(&division);
    return status;
}

static bool has_ended(const walk *w) { return w->step >= ls_sampler_steps(w->sampler); }

/* This rank's rows of the next batch, lane after lane. */
static ls_status take_batch(const ls_lanes *lanes, walk *w, ls_rows *rows, int64_t *samples) {
    ls_lanes_rows(lanes, ls_sampler_batch(w->sampler, w->step), rows);
    for (int lane = lanes->first; lane < lanes->end; lane++)
        LS_TRY(ls_sampler_take(w->sampler, lane, w->step, samples + rows->lane_begin[lane - lanes->first]));
    w->step++;
    return LS_OK;
}

static ls_status next_batch(void *context, ls_batch *batch, bool *more) {
    ls_batch_source *source = context;
    *more = !has_ended(&source->now);
    if (!*more) return LS_OK;
    if (source->readahead != NULL) ls_readahead_advance(source->readahead);
    batch->epoch = (uint32_t)source->now.epoch;
    return take_batch(&source->task->lanes, &source->now, &batch->rows, batch->samples);
}

/* Beyond the end of an epoch as well: the next one begins as soon as this one has been judged. */
static ls_status next_samples(void *context, int64_t *samples, int64_t *count, bool *more) {
    ls_batch_source *source = context;
    ls_rows rows;
    walk *w = &source->ahead;
    *more = !has_ended(w) || w->epoch + 1 < source->task->epochs;
    if (!*more) return LS_OK;
    if (has_ended(w)) LS_TRY(begin_walk(source->task, w, w->epoch + 1, 0));
    LS_TRY(take_batch(&source->task->lanes, w, &rows, samples));
    *count = rows.count;
    return LS_OK;
}

static ls_loader_spec loader_spec(const ls_task *task) {
    enum { BATCHES_AHEAD = 3 };
    ls_loader_spec spec = ls_task_loader(task, task->train, LS_USE_TRAINING);
    spec.max_rows = ls_task_limits(task).max_rows;
    spec.depth = BATCHES_AHEAD;
    return spec;
}

int64_t ls_batch_source_memory_bytes(const ls_task *task, const ls_dataset_info *data) {
    ls_loader_spec spec = loader_spec(task);
    return ls_loader_memory_bytes(&spec, data);
}

static ls_status open_loader(ls_batch_source *source) {
    ls_loader_spec spec = loader_spec(source->task);
    spec.next = next_batch;
    spec.context = source;
    return ls_loader_open(&spec, &source->loader);
}

/* A window ahead at most, and no further than there is room for two. */
static ls_status open_readahead(ls_batch_source *source) {
    const ls_task *task = source->task;
    int64_t steps = ls_sampler_steps(source->now.sampler), batch = task->batch_size;
    int64_t window_steps = task->shuffle_window * task->lanes.count / batch + 1;
    if (task->ahead_bytes == 0) return LS_OK;
    ls_readahead_spec spec = {.dataset = task->train,
                              .max_rows = ls_task_limits(task).max_rows,
                              .batches = ls_min(steps, window_steps),
                              .room_bytes = task->ahead_bytes,
                              .next = next_samples,
                              .context = source};
    return ls_readahead_open(&spec, &source->readahead);
}

ls_status ls_batch_source_open(const ls_task *task, ls_batch_source **out) {
    *out = NULL;
    ls_batch_source *source;
    LS_TRY(ls_alloc(&source, 1, sizeof *source, "the batch source"));
    *source = (ls_batch_source){.task = task};
    ls_status status = create_walk(task, &source->now);
    if (status == LS_OK) status = create_walk(task, &source->ahead);
    if (LS_FAILED(status))
        ls_batch_source_close(source);
    else
        *out = source;
    return status;
}

/* The read-ahead stays where it is when the next epoch follows the one that has ended, and begins anew after a failure.
 */
static ls_status begin_readahead(ls_batch_source *source, int64_t epoch, int64_t first_step) {
    ls_readahead_close(source->readahead);
    source->readahead = NULL;
    LS_TRY(begin_walk(source->task, &source->ahead, epoch, first_step));
    return open_readahead(source);
}

static ls_status fail_steps(const ls_batch_source *source, int64_t epoch, int64_t done) {
    return LS_RAISE(
        LS_INVALID,
        "the checkpoint says that %lld steps of epoch %lld are done, which has %lld: Lockstep has not written "
        "it",
        (long long)done, (long long)epoch + 1, (long long)ls_sampler_steps(source->now.sampler));
}

ls_status ls_batch_source_begin(ls_batch_source *source, int64_t epoch, int64_t first_step) {
    if (source->loader != NULL) ls_loader_stop(source->loader);
    LS_TRY(ls_dataset_check_files(source->task->train));
    if (source->task->validation != NULL) LS_TRY(ls_dataset_check_files(source->task->validation));
    bool follows = source->readahead != NULL && ls_readahead_goes_on(source->readahead) &&
                   epoch == source->now.epoch + 1 && first_step == 0 && has_ended(&source->now);
    LS_TRY(begin_walk(source->task, &source->now, epoch, first_step));
    if (first_step > ls_sampler_steps(source->now.sampler)) return fail_steps(source, epoch, first_step);
    if (!follows) LS_TRY(begin_readahead(source, epoch, first_step));
    return source->loader != NULL ? ls_loader_start(source->loader) : open_loader(source);
}

void ls_batch_source_close(ls_batch_source *source) {
    if (source == NULL) return;
    ls_loader_close(source->loader);
    ls_readahead_close(source->readahead);
    ls_sampler_destroy(source->now.sampler);
    ls_sampler_destroy(source->ahead.sampler);
    ls_free(source);
}

int64_t ls_batch_source_steps(const ls_batch_source *source) { return ls_sampler_steps(source->now.sampler); }

int64_t ls_batch_source_rows(const ls_batch_source *source, int64_t step) {
    return ls_sampler_batch(source->now.sampler, step);
}

ls_loader *ls_batch_source_loader(ls_batch_source *source) { return source->loader; }
