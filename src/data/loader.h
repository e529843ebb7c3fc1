/* loader.h - batches made ready ahead of the step: a thread that fetches and transforms samples into a ring of buffers.
 *
 * The caller says through `next` which samples come when; the thread calls nothing collective. Every number of a batch
 * is looked at: a model is given none that is not finite, and a loss none that it has no least value for. Local. */
#ifndef LS_DATA_LOADER_H
#define LS_DATA_LOADER_H

#include "base/lanes.h"
#include "data/dataset.h"
#include "data/transform.h"

typedef struct ls_batch {
    ls_rows rows;
    uint32_t epoch;
    int64_t *samples; /* [rows.count] */
    float *input;     /* [rows.count][input shape] */
    float *target;    /* [rows.count][target shape]; NULL where there is no target pipeline */
} ls_batch;

/* Fills in rows, epoch and samples of the next batch (buffers are there, of max_rows); *more = false: there is none.
 * Runs on the loader's thread; a failure reaches the caller of ls_loader_next. */
typedef ls_status (*ls_next_fn)(void *context, ls_batch *batch, bool *more);

/* What numbers may be: low at least, high at most; equal: any that are finite. */
typedef struct ls_bounds {
    float low, high;
} ls_bounds;

typedef struct ls_loader_spec {
    ls_dataset *dataset;
    const ls_pipeline *input, *target; /* target may be NULL */
    ls_bounds input_bounds, target_bounds;
    const char *target_of; /* whose bounds the target's are, for messages: the loss */
    uint64_t seed;
    ls_use use;
    int64_t max_rows;
    int depth; /* batches ahead, >= 1 */
    ls_next_fn next;
    void *context;
} ls_loader_spec;

typedef struct ls_loader ls_loader;

/* Errors: LS_ERROR, no memory or no thread. */
ls_status ls_loader_open(const ls_loader_spec *spec, ls_loader **out);
/* Stops and joins the thread, at any time; NULL is allowed. */
void ls_loader_close(ls_loader *loader);

/* Stops and joins the thread, and forgets what is ready: then spec->context may be changed, and it is started again, to
 * ask for other batches with the memory that it has. Errors: LS_ERROR, no thread. */
void ls_loader_stop(ls_loader *loader);
ls_status ls_loader_start(ls_loader *loader);

/* The next batch, valid until the next call; *batch is NULL after the last one. Waits where it is not ready. Errors:
 * what the loader's thread met, after the batches before it; then the same again: of reading; LS_INVALID, the file and
 * the sample that has a number that is not finite, or out of bounds. */
ls_status ls_loader_next(ls_loader *loader, const ls_batch **batch);

/* Bytes that a loader takes for samples of this kind (spec->dataset may be NULL): depth + 1 batches, for one is in use,
 * and one as it is stored. */
int64_t ls_loader_memory_bytes(const ls_loader_spec *spec, const ls_dataset_info *info);

#endif
