/* plateau.h - a learning rate that falls where the loss does not; the rules of keras.callbacks.ReduceLROnPlateau.
 * Local, pure. */
#ifndef LOCKSTEP_PLATEAU_H
#define LOCKSTEP_PLATEAU_H

#include "lockstep/checkpoint.h"
#include "lockstep/config.h"

/* Call at the end of an epoch, before position->epoch counts it. value: what is monitored, smaller is better; NaN never
 * improves. With data in parts what counts is the mean over a cycle of the parts. Updates position's lr_reductions and
 * plateau fields; true where it has reduced the rate. Where it is not enabled nothing happens. */
bool ls_plateau_update(const ls_plateau *settings, int64_t parts, double value, ls_position *position);

/* What is left of a rate after so many reductions. */
double ls_plateau_rate(const ls_plateau *settings, double rate, int64_t reductions);

#endif
