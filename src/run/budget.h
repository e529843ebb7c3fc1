/* budget.h - where the ranks' time went in an epoch: who is slow, and who waits for whom. Private to run. */
#ifndef LS_RUN_BUDGET_H
#define LS_RUN_BUDGET_H

#include "par/comm.h"
#include "report/metrics.h"

typedef enum ls_budget_item {
    LS_BUDGET_READ,       /* waiting for the loader */
    LS_BUDGET_COMPUTE,    /* forward and backward, with what of the exchange they hide */
    LS_BUDGET_EXCHANGE,   /* what of it they do not */
    LS_BUDGET_WAITING,    /* for slower ranks */
    LS_BUDGET_VALIDATION, /* pictures too */
    LS_BUDGET_CHECKPOINT, /* those since the last line: an epoch's own counts in the next one */
    LS_BUDGET_ITEMS,
} ls_budget_item;

/* Collective. Every rank's seconds into times[LS_BUDGET_ITEMS] on all ranks; rank 0 also writes them into the log file,
 * with ranks and hosts. Errors (agreed): LS_ERROR, no memory. */
ls_status ls_budget_report(const ls_comm *comm, int64_t epoch, const double *seconds, ls_epoch_time *times);

#endif
