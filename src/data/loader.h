/* loader.h - prepares batches ahead of the step: a thread reads and transforms samples into a ring of buffers.
 *
 * The function `next` says which samples are in the next batch; the thread makes no collective call. All numbers of a
 * batch are checked: they must be finite, and a target must be within the bounds of the loss. Local. */
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
    float *target;    /* [rows.count][target shape]; NULL: there is no target pipeline */
} ls_batch;

/* Sets rows, epoch and samples of the next batch; the buffers have room for max_rows. *more = false: there is no next
 * batch. It runs in the loader's thread; ls_loader_next returns its failure. */
typedef ls_status (*ls_next_fn)(void *context, ls_batch *batch, bool *more);

/* The range of valid numbers; low == high: all finite numbers. */
typedef struct ls_bounds {
    float low, high;
} ls_bounds;

typedef struct ls_loader_spec {
    ls_dataset *dataset;
    const ls_pipeline *input, *target; /* target may be NULL */
    ls_bounds input_bounds, target_bounds;
    const char *target_of; /* the name of the loss whose bounds these are, for messages */
    uint64_t seed;
    ls_use use;
    int64_t max_rows;
    int depth; /* how many batches are prepared ahead, >= 1 */
    ls_next_fn next;
    void *context;
} ls_loader_spec;

typedef struct ls_loader ls_loader;

/* Errors: LS_ERROR: no memory, or no thread. */
ls_status ls_loader_open(const ls_loader_spec *spec, ls_loader **out);
/* Stops and joins the thread, at any time; NULL is allowed. */
void ls_loader_close(ls_loader *loader);

/* ls_loader_stop joins the thread and drops the batches that are ready; then the caller may change spec->context, and
 * ls_loader_start begins anew, with the same memory. Errors: LS_ERROR: no thread. */
void ls_loader_stop(ls_loader *loader);
ls_status ls_loader_start(ls_loader *loader);

/* Waits for the next batch, which is valid until the next call; *batch is NULL after the last one. Errors, after the
 * batches before it, and then on every call: those of `next` and of reading; LS_INVALID: a number is not finite or out
 * of bounds (names the file and the sample). */
ls_status ls_loader_next(ls_loader *loader, const ls_batch **batch);

/* The memory of a loader for samples of this kind (spec->dataset may be NULL): depth + 1 batches, since one is in use,
 * and one batch as it is stored. */
int64_t ls_loader_memory_bytes(const ls_loader_spec *spec, const ls_dataset_info *info);

#endif
