/* train.h - trains what a config describes, and keeps the run directory. */
#ifndef LS_RUN_TRAIN_H
#define LS_RUN_TRAIN_H

#include "config/config.h"
#include "par/comm.h"

/* The files that a command line of `train` means. */
typedef struct ls_train_paths {
    char config[LS_PATH_MAX], run[LS_PATH_MAX]; /* the config to read; the run's directory */
    char earlier_config[LS_PATH_MAX];           /* the config.yaml of a run that is resumed; "": the run begins */
} ls_train_paths;

/* Collective. word: a config, CONFIG.yaml, whose run is `run` (the value of --run), or runs/CONFIG where that is "".
 * With resume, word may also be a run's directory, or the config.yaml in it: that run is resumed with its own config.
 * Errors (agreed): LS_INVALID: a directory that is not a run's, or a run without resume. */
ls_status ls_train_paths_find(const ls_comm *comm, const char *word, const char *run, bool resume, ls_train_paths *out);

typedef struct ls_train_options {
    const char *run; /* the run directory */
    bool resume;     /* go on where the newest whole checkpoint is; start where there is none */
    bool overwrite;  /* throw away the run that is there */
    bool debug;      /* check every call of a layer: see ls_model_debug */
} ls_train_options;

/* Collective. Returns when the run is over (LS_OK), or was stopped by a signal after saving (LS_STOPPED). Errors
 * (agreed): LS_INVALID: config, data, a directory that holds a run, before the first batch; at any batch a file of data
 * that is damaged, has a hole or is cut, and a number in it that is not finite or out of bounds (loader.h). LS_ERROR:
 * disk, memory, a loss or weights that are not finite. */
ls_status ls_train_run(const ls_comm *comm, const ls_config *config, const ls_train_options *options);

#endif
