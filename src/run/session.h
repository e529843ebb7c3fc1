/* session.h - what training, evaluation and benchmarks share: threads, kernels, lanes, and a model built from a config.
 * Private to run. */
#ifndef LS_RUN_SESSION_H
#define LS_RUN_SESSION_H

#include "base/lanes.h"
#include "config/config.h"
#include "data/loader.h"
#include "par/comm.h"
#include "run/data_kind.h"
#include "tensor/cpu.h"
#include "train/watchdog.h"

typedef struct ls_session {
    const ls_comm *comm;
    const ls_config *config;
    ls_isa isa; /* agreed: the lowest of all ranks */
    int threads;
    ls_pool *pool;
    ls_lanes lanes;
    ls_dataset *train;      /* the config's training data */
    ls_dataset *validation; /* its validation files; NULL: a split, or none */
    int64_t ahead_bytes;    /* room for blocks of `train` that are read ahead of the loader; 0: none */
    char *class_names;      /* of the training data: see ls_kind_class_names; owned */
    ls_pipeline *input, *target;
    ls_bounds input_bounds; /* what the input must be within, where that is known: of a trained model */
    bool untargeted;       /* the data has no targets that the model's are like: the pipeline only says what they are */
    ls_model *model;       /* with its loss; prepared by whoever uses it */
    ls_pulse *pulse;       /* the caller's; NULL: nobody wants to know */
    ls_watchdog *watchdog; /* of the pulse */
} ls_session;

/* Collective. The watchdog, kernels and threads. The pulse stays until ls_session_release. Errors (agreed). */
ls_status ls_session_start(ls_session *session, const ls_comm *comm, const ls_config *config, ls_pulse *pulse);
/* Collective. Gives each rank its lanes, to train; the lanes of a run that is resumed cannot change. Errors (agreed):
 * LS_INVALID: more ranks than lanes. */
ls_status ls_session_divide(ls_session *session, bool resumed);
/* Collective. Opens the training and validation data, and builds pipelines and model on them. Errors (agreed). */
ls_status ls_session_open_data(ls_session *session);
/* Local. The same for this rank alone; session->train stays NULL where it cannot be opened. */
ls_status ls_session_open_local(ls_session *session);
/* Local. Pipelines and model for data of this kind; what the others do once it is open. */
ls_status ls_session_build(ls_session *session, const ls_dataset_info *info);
/* Local. The same for samples of this shape, where there are none to open: *info is what is assumed of them. */
ls_status ls_session_build_without_data(ls_session *session, const ls_shape *shape, ls_dataset_info *info);
/* Collective. The same on one data set alone, for a model that was trained on data of that kind: it becomes
 * session->train. targeted: labels that are the target must be there, and mean the same; else the session may be
 * untargeted. Errors (agreed): also LS_INVALID, data that the model was not made for. */
ls_status ls_session_open_only(ls_session *session, const char *const *paths, int count, const ls_data_kind *kind,
                               bool targeted);
/* Local. What every loader of the session's samples is told: data, pipelines, and what their numbers may be. The caller
 * adds whose they are (max_rows, depth, next, context). */
ls_loader_spec ls_session_loader(const ls_session *session, ls_dataset *dataset, ls_use use);
/* Collective. NULL is allowed. Errors (agreed): LS_INVALID: hosts see different files under one name. */
ls_status ls_session_check_same_data(const ls_comm *comm, const ls_dataset *dataset);
/* Collective, for a divided session with open data. Keeps decoded samples in memory, a host's all where they fit, else
 * a rank's shuffle windows; says what it could not do. */
void ls_session_cache_data(ls_session *session);
/* Collective. Releases all; also after an error. */
void ls_session_release(ls_session *session);

/* The rows of the largest lane: a piece of an evaluation. */
int64_t ls_session_lane_rows(const ls_session *session);
/* How many pieces a rank evaluates at once. */
int64_t ls_session_chunk_pieces(const ls_session *session);
/* What the model must be prepared for: this rank's part of a full batch, and a chunk of pieces. */
ls_limits ls_session_limits(const ls_session *session);

#endif
