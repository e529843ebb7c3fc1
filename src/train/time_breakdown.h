/* time_breakdown.h - where the ranks' time went in an epoch: who is slow, and who waits for whom. */
#ifndef LS_TRAIN_TIME_BREAKDOWN_H
#define LS_TRAIN_TIME_BREAKDOWN_H

#include "par/comm.h"

typedef enum ls_time_item {
    LS_TIME_READ,       /* waiting for the loader */
    LS_TIME_COMPUTE,    /* forward and backward, with what of the exchange they hide */
    LS_TIME_EXCHANGE,   /* what of it they do not */
    LS_TIME_WAITING,    /* for slower ranks */
    LS_TIME_VALIDATION, /* pictures too */
    LS_TIME_CHECKPOINT, /* those since the last line: an epoch's own counts in the next one */
    LS_TIMES,
} ls_time_item;

/* Seconds that something took in the epoch: of the ranks that needed least and most, and of all on average. */
typedef struct ls_epoch_time {
    const char *name;
    double least_s, mean_s, most_s;
} ls_epoch_time;

/* Collective. Every rank's seconds into times[LS_TIMES] on all ranks; rank 0 also writes them into the log file,
 * with ranks and hosts. Errors (agreed): LS_ERROR, no memory. */
ls_status ls_time_breakdown(const ls_comm *comm, int64_t epoch, const double *seconds, ls_epoch_time *times);

#endif
