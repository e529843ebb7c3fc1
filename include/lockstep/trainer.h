/* trainer.h - trains what a config describes, and keeps the run directory. */
#ifndef LOCKSTEP_TRAINER_H
#define LOCKSTEP_TRAINER_H

#include "lockstep/comm.h"
#include "lockstep/config.h"

typedef struct ls_train_options {
    const char *run; /* the run directory */
    bool resume;     /* go on where the newest whole checkpoint is; start where there is none */
    bool overwrite;  /* throw away the run that is there */
    bool debug;      /* check every call of a layer: see ls_model_debug */
} ls_train_options;

/* Collective. Returns when the run is over (LS_OK), or was stopped by a signal after saving (LS_STOPPED). Errors
 * (agreed): LS_INVALID before the first batch: config, data, a directory that holds a run; LS_ERROR: disk, memory,
 * numbers that are not finite. */
ls_status ls_trainer_run(const ls_comm *comm, const ls_config *config, const ls_train_options *options);

#endif
