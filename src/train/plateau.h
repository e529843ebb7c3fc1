/* plateau.h - a learning rate that falls where the loss does not; the rules of keras.callbacks.ReduceLROnPlateau.
 * Local, pure. */
#ifndef LS_TRAIN_PLATEAU_H
#define LS_TRAIN_PLATEAU_H

#include <stdbool.h>

#include "train/position.h"

typedef struct ls_plateau {
    bool enabled; /* false: the rate stays */
    int monitor;  /* LS_MONITOR_..., see early_stopping.h */
    int64_t patience, cooldown;
    double factor, min_delta, min_lr;
} ls_plateau;

/* Call at the end of an epoch, before position->epoch counts it. value: what is monitored, smaller is better; NaN never
 * improves. With data in parts what counts is the mean over a cycle of the parts. Updates position's lr_reductions and
 * plateau fields; true where it has reduced the rate. Where it is not enabled nothing happens. */
bool ls_plateau_update(const ls_plateau *settings, int64_t parts, double value, ls_position *position);

/* What is left of a rate after so many reductions. */
double ls_plateau_rate(const ls_plateau *settings, double rate, int64_t reductions);

#endif
