/* inspect.h - what a config, a run, a checkpoint or a data set holds, for people to read. */
#ifndef LS_RUN_INSPECT_H
#define LS_RUN_INSPECT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/shape.h"
#include "par/comm.h"

typedef struct ls_inspect_options {
    const char *const *settings; /* of --set, for a config */
    int setting_count;
    int ranks;      /* a config: that it would be trained on */
    ls_shape shape; /* a config: of a sample, where its data is not there; dims 0: not known */
    bool drawing;   /* of a config's or a run's model, as text for Graphviz' dot, in place of the rest */
} ls_inspect_options;

/* Collective. Whether the path would be taken for a config: neither a run, a checkpoint nor a data set. Errors
 * (agreed): LS_INVALID, there is no such file. */
ls_status ls_inspect_is_config(const ls_comm *comm, const char *path, bool *config);

/* Collective. Prints on rank 0, told apart by what the path is:
 * - of a config layers, shapes, parameters, FLOPs, memory of a rank, balance; without its data, what can be said then;
 * - of a run where it is, its last numbers, its checkpoints and whether they are whole; the same of one checkpoint;
 * - of a data set samples, blocks, classes.
 *
 * Errors (agreed): LS_INVALID: none of these, or wrong. */
ls_status ls_inspect_path(const ls_comm *comm, const char *path, const ls_inspect_options *options, FILE *out);

/* Collective. Prints on rank 0 where two checkpoints, or the newest complete ones of runs, differ. Errors (agreed):
 * LS_ERROR: they do; LS_INVALID: one cannot be read. */
ls_status ls_inspect_diff(const ls_comm *comm, const char *a, const char *b, FILE *out);

#endif
