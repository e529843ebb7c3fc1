/* readahead.h - reads the blocks of a data set before the loader needs them.
 *
 * A shuffle window draws from all of its blocks at once, so that the first batches of a window would wait for nearly
 * all of them, and the later ones for none. A thread of its own therefore walks the same sequence of batches ahead of
 * the loader, and sees to it that their blocks are decoded. It changes nothing but when blocks are read. Local. */
#ifndef LS_DATA_READAHEAD_H
#define LS_DATA_READAHEAD_H

#include "data/dataset.h"

/* The samples of the batch that comes next: samples[*count], at most max_rows; *more = false: there is none. Runs on
 * the thread of the read-ahead; after a failure it is not called again. */
typedef ls_status (*ls_samples_fn)(void *context, int64_t *samples, int64_t *count, bool *more);

typedef struct ls_readahead_spec {
    ls_dataset *dataset;
    int64_t max_rows;
    int64_t batches;    /* how many it may be ahead of the loader, >= 1 */
    int64_t room_bytes; /* what decoded blocks may take that the loader has not come to yet; one block is always read */
    ls_samples_fn next;
    void *context;
} ls_readahead_spec;

typedef struct ls_readahead ls_readahead;

/* Errors: LS_ERROR, no memory or no thread. */
ls_status ls_readahead_open(const ls_readahead_spec *spec, ls_readahead **out);
/* Stops and joins the thread, at any time; NULL is allowed. */
void ls_readahead_close(ls_readahead *readahead);

/* Thread-safe. Whether the thread still reads: it ends where a batch cannot be read, and where there are no more. */
bool ls_readahead_goes_on(ls_readahead *readahead);

/* Thread-safe. The loader has come to its next batch. */
void ls_readahead_advance(ls_readahead *readahead);

#endif
