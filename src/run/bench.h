/* bench.h - how long a step takes on this machine, and what share of its peak that is. */
#ifndef LS_RUN_BENCH_H
#define LS_RUN_BENCH_H

#include "config/config.h"
#include "par/comm.h"

typedef struct ls_bench_options {
    int64_t steps;  /* that are timed, after two that are not */
    bool json;      /* print one JSON object, else a line of text */
    bool profile;   /* and the times of rank 0's layers: an array "profile" of the object, else a table */
    ls_shape shape; /* of a sample, where the config's data is not there; dims 0: read the data's */
} ls_bench_options;

/* Collective. Times steps (forward, backward, exchange, update) on random data that is already in memory, and prints
 * on rank 0 to stdout: their median; how much of a step is exchange and update that backward does not hide, and waiting
 * for slower ranks (means of steps and ranks); the peak that all threads reach at once, those that share a core as one.
 * Errors (agreed): LS_INVALID, LS_ERROR. */
ls_status ls_bench_run(const ls_comm *comm, const ls_config *config, const ls_bench_options *options);

#endif
