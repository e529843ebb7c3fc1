/* bench.h - how long a step takes on this machine, and what share of its peak that is. */
#ifndef LOCKSTEP_BENCH_H
#define LOCKSTEP_BENCH_H

#include "lockstep/comm.h"
#include "lockstep/config.h"

/* Collective. Times `steps` steps (forward, backward, exchange, update) of random data after two that do not count, and
 * prints the median of them on rank 0 to stdout: as text, or as one JSON object. Needs no data file where the config
 * has data.shape. Errors (agreed): LS_INVALID, LS_ERROR. */
ls_status ls_bench_run(const ls_comm *comm, const ls_config *config, int64_t steps, bool json);

#endif
