/* watchdog.h - ends a job that hangs, and says who is missing.
 *
 * A thread of each rank watches the pulse of its main thread. Where that has not got on for the timeout, rank 0 names
 * the ranks that do not answer and those that are behind, and ends the job; where rank 0 itself does not answer,
 * another rank does. Time in which the process is suspended, as queues do it, does not count. */
#ifndef LS_TRAIN_WATCHDOG_H
#define LS_TRAIN_WATCHDOG_H

#include "par/comm.h"
#include "train/pulse.h"

typedef struct ls_watchdog ls_watchdog;

/* Collective. timeout_s 0: nothing is watched, *out is NULL. Errors (agreed): LS_ERROR, no memory or no thread. */
ls_status ls_watchdog_start(const ls_comm *comm, const ls_pulse *pulse, double timeout_s, ls_watchdog **out);
/* Local. NULL is allowed. */
void ls_watchdog_stop(ls_watchdog *watchdog);

#endif
