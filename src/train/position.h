/* position.h - where a run is, and all that it decides by. A checkpoint saves it, and a run that goes on starts from
 * it. Local. */
#ifndef LS_TRAIN_POSITION_H
#define LS_TRAIN_POSITION_H

#include <stdint.h>

#include "nn/metric.h"

/* Plain data, equal on all ranks. */
typedef struct ls_position {
    int64_t epoch;                     /* epochs completed (0-based number of the open one) */
    int64_t epoch_step;                /* steps done in the open epoch */
    int64_t step;                      /* steps done in all: the optimizer's count */
    double loss_sum;                   /* of the open epoch: sum over samples, and their number */
    double metric_sum[LS_METRICS_MAX]; /* the same of the metrics */
    int64_t loss_count;
    double seconds;           /* of training so far in the open epoch */
    double best;              /* best monitored value, INFINITY before the first */
    int64_t best_epoch;       /* and its epoch; -1 before the first */
    double stopping_best;     /* the last that was better by more than early stopping's min_delta */
    int64_t wait;             /* epochs (or cycles of parts) since it */
    double cycle_sum;         /* of the monitored value over the open cycle of parts */
    int64_t lr_reductions;    /* how often the learning rate has been reduced on a plateau */
    double plateau_best;      /* the last value that was better by more than reduce_lr_on_plateau's min_delta */
    int64_t plateau_wait;     /* epochs (or cycles of parts) since it */
    int64_t plateau_cooldown; /* epochs (or cycles of parts) that are left of the cooldown */
    double plateau_sum;       /* of the monitored value over the open cycle of parts */
} ls_position;

/* Of a run that has not begun. */
ls_position ls_position_start(void);

#endif
