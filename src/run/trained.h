/* trained.h - a trained model out of a run or a checkpoint, and the samples to run it on. */
#ifndef LS_RUN_TRAINED_H
#define LS_RUN_TRAINED_H

#include "data/sampler.h"
#include "run/session.h"
#include "state/checkpoint.h"

typedef struct ls_trained {
    ls_checkpoint_info info;
    ls_config *config;
    ls_session session;
    ls_pulse pulse;
    float *weights; /* [flat count] */
    ls_span *spans; /* [span_count] the samples, of session.train */
    int64_t span_count;
} ls_trained;

/* Collective. RUN and data as in apply.h. targeted: the target of every sample is needed, so that data without it
 * is refused; else session.untargeted may be. Errors (agreed). ls_trained_close in every case. */
ls_status ls_trained_open(ls_trained *t, const ls_comm *comm, const char *run, const char *data, bool targeted);
/* Collective. The model alone, which needs no data but its weights. */
ls_status ls_trained_open_model(ls_trained *t, const ls_comm *comm, const char *run);
void ls_trained_close(ls_trained *t);

#endif
