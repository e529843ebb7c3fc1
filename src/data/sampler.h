/* sampler.h - which samples a lane sees in which step. Pure arithmetic on sample numbers: no MPI, no files.
 *
 * A span is a run of samples, numbered through all files of a data set: a block, or a part of one. An epoch's order:
 *
 *   1. permute the spans                       by (seed, epoch)
 *   2. lay them end to end: one sequence of all N samples
 *   3. cut it into V ranges, one a lane, each as long as the lane's share of all the epoch's batches (lanes.h)
 *   4. shuffle each range inside windows of W samples     by (seed, epoch, lane, window)
 *   5. step s takes the next samples of every range: ceil(N/B) steps, all of B samples but the last, which takes the
 * rest
 *
 * So every sample comes exactly once an epoch, a lane reads whole spans in order and needs no other lane, and the order
 * is a function of seed, epoch and the spans alone: any step can be asked for, in any order, on any rank, after any
 * resume, and gives the same.
 *
 * Everything here is Local. A sampler serves one thread at a time. */
#ifndef LS_DATA_SAMPLER_H
#define LS_DATA_SAMPLER_H

#include <stdint.h>

#include "base/status.h"

typedef struct ls_span {
    int64_t first, count; /* samples [first, first + count) */
} ls_span;

/* --- lists of spans --- */

int64_t ls_spans_samples(const ls_span *spans, int64_t count);

/* Cuts spans into pieces of at most `rows` samples, each span as evenly as can be, in order: what is evaluated at once,
 * and the unit in which sums over a data set are formed. Returns how many; pieces may be NULL to learn that only. */
int64_t ls_spans_cut(const ls_span *spans, int64_t count, int64_t rows, ls_span *pieces);

/* Part 0 <= part < parts of a list is its spans [*begin, *end): a run of about count / parts of them.
 * Errors: LS_INVALID, more parts than spans. */
ls_status ls_spans_part(int64_t count, int64_t part, int64_t parts, int64_t *begin, int64_t *end);

/* Holds out the last `fraction` (0 < fraction < 1) of the samples; as in Keras floor(N (1 - fraction)) stay to train
 * on. A span may be cut in two. out[count + 1]: *training spans, then *held_out spans. Errors: LS_INVALID, nothing left
 * on one side. */
ls_status ls_spans_split(const ls_span *spans, int64_t count, double fraction, ls_span *out, int64_t *training,
                         int64_t *held_out);

/* --- the order of an epoch --- */

typedef struct ls_sampling {
    uint64_t seed;
    int64_t batch;  /* B >= 1 */
    int lanes;      /* V, a power of two */
    int64_t window; /* W >= 1; 1 leaves the order inside spans as it is */
} ls_sampling;

typedef struct ls_sampler ls_sampler;

/* Errors: LS_ERROR, no memory. */
ls_status ls_sampler_create(const ls_sampling *sampling, ls_sampler **out);
void ls_sampler_destroy(ls_sampler *sampler); /* NULL is allowed */

/* Before anything below, and for every epoch. The spans are copied: another epoch may have others (data in parts).
 * Errors: LS_ERROR, no memory. */
ls_status ls_sampler_begin_epoch(ls_sampler *sampler, const ls_span *spans, int64_t count, int64_t epoch);

int64_t ls_sampler_steps(const ls_sampler *sampler);                        /* of the epoch */
int64_t ls_sampler_batch(const ls_sampler *sampler, int64_t step);          /* samples of a step, of all lanes */
int64_t ls_sampler_rows(const ls_sampler *sampler, int lane, int64_t step); /* of one lane; may be 0 */

/* samples[ls_sampler_rows] <- the lane's sample numbers in that step. Steps in order cost least: a lane that is asked
 * for holds one shuffled window (8 bytes a sample), made when a step first reaches into it. Errors: LS_ERROR, no
 * memory. */
ls_status ls_sampler_take(ls_sampler *sampler, int lane, int64_t step, int64_t *samples);

#endif
