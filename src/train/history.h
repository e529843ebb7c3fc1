/* history.h - the numbers of each epoch, and all of them so far: one JSON object a line, as metrics.jsonl holds them.
 * Local.
 *
 * All ranks keep the text. It is part of every checkpoint, and a run that goes on from one has the history of then. */
#ifndef LS_TRAIN_HISTORY_H
#define LS_TRAIN_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/options.h"
#include "base/status.h"
#include "nn/metric.h"
#include "train/time_breakdown.h"

typedef struct ls_history {
    char *text;           /* all lines so far; NULL: none */
    int64_t length, room; /* bytes */
    int64_t last;         /* where the last line begins */
} ls_history;             /* {0} is an empty one */

typedef struct ls_epoch_metric {
    const char *name;
    double value, val_value; /* of training and validation */
} ls_epoch_metric;

typedef struct ls_epoch_logs {
    int64_t epoch, step; /* epochs and steps completed */
    double loss, val_loss;
    int metrics;
    ls_epoch_metric metric[LS_METRICS_MAX]; /* printed as "name" and "val_name" */
    double seconds;                         /* of training */
    double images_per_s;
    double lr;
    double next_lr; /* from now on, where no progress has reduced it; else NaN */
    bool improved;  /* it is the best epoch so far */
    bool stops;     /* without progress for so long that the run ends early */
    int times;
    ls_epoch_time time[LS_TIMES]; /* printed as "name_s": [least, mean, most] */
} ls_epoch_logs;

/* What is one number of those, by the name that it is printed by, in that order. */
enum { LS_SCALARS_MAX = 7 + 2 * LS_METRICS_MAX };
typedef struct ls_scalar {
    char name[LS_NAME_MAX + 4];
    double value; /* NaN: there is none */
} ls_scalar;
int ls_epoch_scalars(const ls_epoch_logs *epoch, ls_scalar scalar[LS_SCALARS_MAX]);

/* Takes over a checkpoint's. Errors: LS_ERROR, no memory. */
ls_status ls_history_restore(ls_history *history, const char *text);
/* Adds an epoch's line. Errors: LS_ERROR, no memory. */
ls_status ls_history_append(ls_history *history, const ls_epoch_logs *logs);
const char *ls_history_text(const ls_history *history);
const char *ls_history_last(const ls_history *history); /* the last line, with its end; "" where there is none */
void ls_history_release(ls_history *history);

#endif
