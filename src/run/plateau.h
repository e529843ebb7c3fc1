/* plateau.h - a learning rate that falls where the loss does not; the rules of keras.callbacks.ReduceLROnPlateau.
 * Local, pure. */
#ifndef LS_RUN_PLATEAU_H
#define LS_RUN_PLATEAU_H

#include "config/config.h"
#include "state/checkpoint.h"

/* Call at the end of an epoch, before position->epoch counts it. value: what is monitored, smaller is better; NaN never
 * improves. With data in parts what counts is the mean over a cycle of the parts. Updates position's lr_reductions and
 * plateau fields; true where it has reduced the rate. Where it is not enabled nothing happens. */
bool ls_plateau_update(const ls_plateau *settings, int64_t parts, double value, ls_position *position);

/* What is left of a rate after so many reductions. */
double ls_plateau_rate(const ls_plateau *settings, double rate, int64_t reductions);

#endif
