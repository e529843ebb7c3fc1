/* metrics.h - the numbers of each epoch: metrics.jsonl, one JSON object a line. Local.
 *
 * All ranks keep the text; the one that opens the file also writes it. It is part of every checkpoint (its history),
 * and a run that goes on from one cuts the file back to that: restore, then open. */
#ifndef LS_REPORT_METRICS_H
#define LS_REPORT_METRICS_H

#include <stdint.h>

#include "base/options.h"
#include "base/status.h"
#include "nn/metric.h"
#include "train/time_breakdown.h"

typedef struct ls_metrics {
    char *text; /* all lines so far; NULL: none */
    int64_t length, room;
    int fd;   /* of the file; 0: not open */
} ls_metrics; /* {0} is an empty one */

typedef struct ls_epoch_metric {
    const char *name;
    double value, val_value; /* of training and validation */
} ls_epoch_metric;

typedef struct ls_epoch_metrics {
    int64_t epoch, step; /* epochs and steps completed */
    double loss, val_loss;
    int metrics;
    ls_epoch_metric metric[LS_METRICS_MAX]; /* printed as "name" and "val_name" */
    double seconds;                         /* of training */
    double images_per_s;
    double lr;
    int times;
    ls_epoch_time time[LS_TIMES]; /* printed as "name_s": [least, mean, most] */
} ls_epoch_metrics;

/* What is one number of those, by the name that it is printed by, in that order. */
enum { LS_SCALARS_MAX = 7 + 2 * LS_METRICS_MAX };
typedef struct ls_scalar {
    char name[LS_NAME_MAX + 4];
    double value; /* NaN: there is none */
} ls_scalar;
int ls_epoch_scalars(const ls_epoch_metrics *epoch, ls_scalar scalar[LS_SCALARS_MAX]);

/* Takes over a checkpoint's history. Errors: LS_ERROR, no memory. */
ls_status ls_metrics_restore(ls_metrics *metrics, const char *history);
/* Makes the file hold what is known so far (in one instant), and from now on every epoch. Errors: LS_ERROR names the
 * file. */
ls_status ls_metrics_open(ls_metrics *metrics, const char *path);
ls_status ls_metrics_append(ls_metrics *metrics, const ls_epoch_metrics *epoch);
const char *ls_metrics_history(const ls_metrics *metrics);
void ls_metrics_close(ls_metrics *metrics);

#endif
