/* evaluation.h - running a model over data in order, on all ranks. Private to run.
 *
 * The samples are cut into pieces of at most a lane's rows; a piece is the unit of summation, so sums do not depend on
 * the number of ranks. A chunk is so many pieces that every rank can hold one; rank r takes the chunks r, r + size, r +
 * 2 size, ... */
#ifndef LOCKSTEP_RUN_EVALUATION_H
#define LOCKSTEP_RUN_EVALUATION_H

#include "lockstep/loader.h"
#include "lockstep/sampler.h"
#include "run/scores.h"

/* Collective. scores[ls_scores_count]: means over all samples of the spans (prepared model, any limits of at least a
 * lane's rows); the same bits on any number of ranks. Errors (agreed): what reading met. */
ls_status ls_evaluation_scores(const ls_session *session, ls_dataset *dataset, const ls_span *spans, int64_t count,
                               const float *weights, double *scores);

/* Collective. Calls append on rank 0, in order, with the outputs of `layer` (with its activation) for all samples.
 * Errors (agreed). */
typedef ls_status (*ls_append_fn)(void *context, int64_t rows, const float *output);
ls_status ls_evaluation_outputs(const ls_session *session, ls_dataset *dataset, const ls_span *spans, int64_t count,
                                const float *weights, int layer, ls_append_fn append, void *context);

/* Local (for rank 0). Writes a PNG of input | output | target of the first `pictures` samples of the spans. */
ls_status ls_evaluation_pictures(const ls_session *session, ls_dataset *dataset, const ls_span *spans, int64_t count,
                                 const float *weights, int64_t pictures, const char *path);

#endif
