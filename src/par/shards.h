/* shards.h - how the ranks divide a flat vector: pure functions of integers, no MPI.
 *
 * The vector is cut into buckets, in the order in which backward finishes it, and each bucket into one slice a rank, in
 * rank order; slices may be empty. A rank's slices laid end to end are its shard: the weights that it updates, and all
 * that it keeps of the optimizer's state. Buckets and slices begin at whole grains. Local. */
#ifndef LS_PAR_SHARDS_H
#define LS_PAR_SHARDS_H

#include <stdint.h>

#include "base/integers.h"

enum { LS_GRAIN_FLOATS = 1024 }; /* a page: it has one writer, and lies near it */

/* Whole grains that so many floats lie in. */
static inline int64_t ls_shards_grains(int64_t floats) { return ls_ceil_div(floats, LS_GRAIN_FLOATS); }

typedef struct ls_shards {
    int64_t count;   /* of the vector */
    int64_t bucket;  /* floats of every bucket but the last, which may have fewer */
    int64_t buckets; /* their number */
    int rank, size;  /* whose shard ls_shards_place speaks of */
} ls_shards;

typedef struct ls_range {
    int64_t begin, end;
} ls_range;

/* bucket: floats that a bucket should have; rounded up to whole grains, at least one. */
ls_shards ls_shards_make(int64_t count, int64_t bucket, int rank, int size);

/* Places in the vector. */
ls_range ls_shards_bucket(const ls_shards *shards, int64_t bucket);
ls_range ls_shards_slice(const ls_shards *shards, int64_t bucket, int rank);

/* Where this rank's slice of a bucket begins in its shard; of bucket `buckets`: the shard's length. */
int64_t ls_shards_place(const ls_shards *shards, int64_t bucket);

ls_range ls_range_common(ls_range a, ls_range b); /* of two ranges; end == begin where they have nothing in common */

#endif
