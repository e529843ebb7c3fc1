/* readahead.h - reads the blocks of a data set before the loader needs them.
 *
 * A shuffle window draws from all of its blocks at once. So the first batches of a window would wait for nearly all of
 * its blocks, and later batches for none. Therefore another thread walks through the same sequence of batches ahead of
 * the loader, and decodes their blocks. Only the time of reading changes. Local. */
#ifndef LS_DATA_READAHEAD_H
#define LS_DATA_READAHEAD_H

#include "data/dataset.h"

/* Sets samples[*count], at most max_rows, of the next batch; *more = false: there is no next batch. It runs in the
 * thread that reads ahead; after a failure it is not called again. */
typedef ls_status (*ls_samples_fn)(void *context, int64_t *samples, int64_t *count, bool *more);

typedef struct ls_readahead_spec {
    ls_dataset *dataset;
    int64_t max_rows;
    int64_t batches;    /* how far it may be ahead of the loader, >= 1 */
    int64_t room_bytes; /* limit of the decoded blocks that the loader has not reached; one block is always read */
    ls_samples_fn next;
    void *context;
} ls_readahead_spec;

typedef struct ls_readahead ls_readahead;

/* Errors: LS_ERROR, no memory or no thread. */
ls_status ls_readahead_open(const ls_readahead_spec *spec, ls_readahead **out);
/* Stops and joins the thread, at any time; NULL is allowed. */
void ls_readahead_close(ls_readahead *readahead);

/* Thread-safe. Whether the thread still runs. It ends if a batch cannot be read, and after the last batch. */
bool ls_readahead_goes_on(ls_readahead *readahead);

/* Thread-safe. Tells that the loader has reached its next batch. */
void ls_readahead_advance(ls_readahead *readahead);

#endif
