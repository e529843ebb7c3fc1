/* sampler.h - which samples a lane gets in which step. Pure arithmetic on sample numbers, without MPI and files.
 *
 * A span is a run of samples, numbered through all files of a data set: a block, or a part of one. The order of an
 * epoch:
 *
 *   1. permute the spans                       by (seed, epoch)
 *   2. lay them end to end: one sequence of all N samples
 *   3. cut it into V ranges, one for each lane, as long as the lane's share of all batches of the epoch (lanes.h)
 *   4. shuffle each range within windows of W samples     by (seed, epoch, lane, window)
 *   5. each of the ceil(N/B) steps takes the next samples of every range: B samples, in the last step the rest
 *
 * So every sample comes exactly once in an epoch, and a lane reads whole spans in order, without knowing the other
 * lanes. The order is a function of seed, epoch and spans alone: any step gives the same samples, on any rank, after
 * any resume.
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

/* Cuts spans into microbatches of at most `rows` samples, in order, each span as evenly as possible. A microbatch is
 * evaluated at once, and is the unit of summation in an evaluation. Returns how many; microbatches may be NULL to learn
 * only that. */
int64_t ls_spans_cut(const ls_span *spans, int64_t count, int64_t rows, ls_span *microbatches);

/* One of `parts` parts of a list of spans: its spans [*begin, *end), about count / parts of them. 0 <= part < parts.
 * Errors: LS_INVALID: more parts than spans. */
ls_status ls_spans_part(int64_t count, int64_t part, int64_t parts, int64_t *begin, int64_t *end);

/* Holds out the last `fraction` (0 < fraction < 1) of the samples. As in Keras, floor(N (1 - fraction)) samples stay
 * for training. A span may be cut in two. out[count + 1]: *training spans, then *held_out spans. Errors: LS_INVALID:
 * one side is empty. */
ls_status ls_spans_split(const ls_span *spans, int64_t count, double fraction, ls_span *out, int64_t *training,
                         int64_t *held_out);

/* --- the order of an epoch --- */

typedef struct ls_sampling {
    uint64_t seed;
    int64_t batch;  /* B >= 1 */
    int lanes;      /* V, a power of two */
    int64_t window; /* W >= 1; 1 keeps the order within spans */
} ls_sampling;

typedef struct ls_sampler ls_sampler;

/* Errors: LS_ERROR, no memory. */
ls_status ls_sampler_create(const ls_sampling *sampling, ls_sampler **out);
void ls_sampler_destroy(ls_sampler *sampler); /* NULL is allowed */

/* To be called for each epoch, before the functions below. The spans are copied: another epoch may have other spans
 * (parts of the data). Errors: LS_ERROR: no memory. */
ls_status ls_sampler_begin_epoch(ls_sampler *sampler, const ls_span *spans, int64_t count, int64_t epoch);

int64_t ls_sampler_steps(const ls_sampler *sampler);                        /* of the epoch */
int64_t ls_sampler_batch(const ls_sampler *sampler, int64_t step);          /* samples of a step, of all lanes */
int64_t ls_sampler_rows(const ls_sampler *sampler, int lane, int64_t step); /* of one lane; may be 0 */

/* Sets samples[ls_sampler_rows] to the lane's sample numbers in a step. Each lane that is asked for holds one shuffled
 * window (8 bytes for each sample), so steps in order cost least. Errors: LS_ERROR: no memory. */
ls_status ls_sampler_take(ls_sampler *sampler, int lane, int64_t step, int64_t *samples);

#endif
