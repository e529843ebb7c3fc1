/* evaluation.h - running a model over data in order, on all ranks. Private to run. */
#ifndef LS_RUN_EVALUATION_H
#define LS_RUN_EVALUATION_H

#include "data/loader.h"
#include "data/sampler.h"
#include "run/codes.h"
#include "run/scores.h"

/* Collective. scores[ls_scores_count]: means over all samples of the spans (prepared model, any limits of at least a
 * lane's rows); the same bits on any number of ranks. Errors (agreed): what reading met. */
ls_status ls_evaluation_scores(const ls_session *session, ls_dataset *dataset, const ls_span *spans, int64_t count,
                               const float *weights, double *scores);

/* Whether the input could stand for the output, and is not the target: both are pictures of one size and range, the
 * input grey or of as many channels, and their steps differ (colours or clean pictures are wanted). */
bool ls_evaluation_has_baseline(const ls_session *session);
/* Collective. Where it could: the loss of the input as the output, a grey one copied to all channels. As above. */
ls_status ls_evaluation_baseline(const ls_session *session, ls_dataset *dataset, const ls_span *spans, int64_t count,
                                 double *loss);

/* Collective. Calls append on rank 0, in order, with the outputs of `layer` (with its activation) for all samples;
 * spans: whose they are. No target is looked at. Errors (agreed). */
typedef ls_status (*ls_append_fn)(void *context, const ls_span *spans, int64_t count, const float *output);
ls_status ls_evaluation_outputs(const ls_session *session, ls_dataset *dataset, ls_use use, const ls_span *spans,
                                int64_t count, const float *weights, int layer, ls_append_fn append, void *context);
/* Collective. The same with the model's outputs for codes in place of the outputs of `layer`. */
ls_status ls_evaluation_decode(const ls_session *session, ls_codes *codes, const float *weights, int layer,
                               ls_append_fn append, void *context);

/* Local (for rank 0). Writes a PNG of so many samples, the first ones of the spans: the input that the model was given,
 * the output of `layer`, and of the last layer the target, if the session has one. */
ls_status ls_evaluation_pictures(const ls_session *session, ls_dataset *dataset, ls_use use, const ls_span *spans,
                                 int64_t count, const float *weights, int layer, int64_t pictures, const char *path);

#endif
