/* early_stopping.h - when to stop, and which epoch is the best so far; Keras' rules, but that the weights which
 * restore_best brings back are the best ones: Keras' are the last that were better by min_delta. Local, pure. */
#ifndef LS_TRAIN_EARLY_STOPPING_H
#define LS_TRAIN_EARLY_STOPPING_H

#include <stdbool.h>

#include "train/position.h"

/* What is watched, in the order of the names; smaller is better. */
enum { LS_MONITOR_VAL_LOSS, LS_MONITOR_LOSS };
extern const char *const ls_monitor_names[]; /* ended by NULL */

typedef struct ls_early_stopping {
    bool enabled; /* false: the run ends after its last epoch */
    int monitor;  /* LS_MONITOR_... */
    int64_t patience;
    double min_delta;
    bool restore_best;
} ls_early_stopping;

typedef struct ls_verdict {
    bool improved; /* the best value so far, by however little */
    bool stop;
} ls_verdict;

/* Call at the end of an epoch, before position->epoch counts it. value: what is monitored, smaller is better; NaN never
 * improves. With data in parts what counts is the mean over a cycle of the parts, and the last epoch of a cycle
 * decides. Where stopping is not enabled the best value is followed all the same. Updates position's best, best_epoch,
 * stopping_best, wait and cycle_sum. */
ls_verdict ls_early_stopping_update(const ls_early_stopping *settings, int64_t parts, double value,
                                    ls_position *position);

/* Whether a run at this position has stopped early: also of one read from a checkpoint, with another patience perhaps.
 */
bool ls_early_stopping_is_over(const ls_early_stopping *settings, const ls_position *position);

#endif
