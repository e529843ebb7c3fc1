/* predict.h - what a model makes of samples, brought to rank 0 in order. Collective. Errors (agreed): what reading met,
 * what append said. */
#ifndef LS_TRAIN_PREDICT_H
#define LS_TRAIN_PREDICT_H

#include "train/microbatches.h"

/* Called on rank 0, in order, with the outputs of all samples; spans: whose they are. */
typedef ls_status (*ls_append_fn)(void *context, const ls_span *spans, int64_t count, const float *output);

/* Of samples of a data set: the outputs of `layer` (with its activation). No target is looked at. */
ls_status ls_predict_samples(const ls_task *task, ls_dataset *dataset, ls_use use, const ls_span *spans, int64_t count,
                             const float *weights, int layer, ls_append_fn append, void *context);

/* How else outputs are made. run gives those of this rank's next chunk: *output, [rows][width], is valid until the next
 * call; rows 0: there is none left. */
typedef struct ls_prediction {
    ls_status (*run)(void *context, const ls_microbatches *microbatches, int64_t *rows, const float **output);
    void *context;
    int64_t width; /* numbers of an output */
    ls_append_fn append;
    void *append_context;
} ls_prediction;
ls_status ls_predict_chunks(const ls_microbatches *microbatches, const ls_prediction *prediction);

#endif
