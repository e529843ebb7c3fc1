/* session.h - from a config to a task: threads, kernels, lanes, open data, pipelines and model. */
#ifndef LS_RUN_SESSION_H
#define LS_RUN_SESSION_H

#include "config/config.h"
#include "run/data_kind.h"
#include "train/task.h"
#include "train/watchdog.h"

typedef struct ls_session {
    ls_task task; /* what the config describes, with its data, pipelines and model once they are opened or built */
    const ls_config *config;
    char *class_names;     /* of the training data: see ls_kind_class_names; owned */
    ls_watchdog *watchdog; /* of the task's pulse */
} ls_session;

/* Local. What the config alone says; neither threads, lanes nor data. ls_session_start does it, too. */
ls_session ls_session_of(const ls_comm *comm, const ls_config *config, ls_pulse *pulse);
/* Collective. The watchdog, kernels and threads. The pulse stays until ls_session_release. Errors (agreed). */
ls_status ls_session_start(ls_session *session, const ls_comm *comm, const ls_config *config, ls_pulse *pulse);
/* Collective. Gives each rank its lanes, to train; the lanes of a run that is resumed cannot change. Errors (agreed):
 * LS_INVALID: more ranks than lanes. */
ls_status ls_session_divide(ls_session *session, bool resumed);
/* Collective. Opens the training and validation data, and builds pipelines and model on them. Errors (agreed). */
ls_status ls_session_open_data(ls_session *session);
/* Local. The same for this rank alone; session->task.train stays NULL where it cannot be opened. */
ls_status ls_session_open_local(ls_session *session);
/* Local. Pipelines and model for data of this kind; what the others do once it is open. */
ls_status ls_session_build(ls_session *session, const ls_dataset_info *info);
/* Local. The same for samples of this shape, where there are none to open: *info is what is assumed of them. */
ls_status ls_session_build_without_data(ls_session *session, const ls_shape *shape, ls_dataset_info *info);
/* Collective. The same on one data set alone, for a model that was trained on data of that kind: it becomes
 * session->task.train. targeted: labels that are the target must be there, and mean the same; else the session's task
 * may be untargeted. Errors (agreed): also LS_INVALID, data that the model was not made for. */
ls_status ls_session_open_only(ls_session *session, const char *const *paths, int count, const ls_data_kind *kind,
                               bool targeted);
/* Local. Whether every epoch has something to train on: see ls_division_check. Errors: LS_INVALID, the place in the
 * config. */
ls_status ls_session_check_division(const ls_session *session);
/* Collective. NULL is allowed. Errors (agreed): LS_INVALID: hosts see different files under one name. */
ls_status ls_session_check_same_data(const ls_comm *comm, const ls_dataset *dataset);
/* Collective. Releases all; also after an error. */
void ls_session_release(ls_session *session);

#endif
