/* stop.h - the request to stop that a signal leaves: TERM, INT, HUP or USR1. Local. */
#ifndef LS_TRAIN_STOP_H
#define LS_TRAIN_STOP_H

#include <stdbool.h>

/* From now on these signals only set a mark, which the training loop sees at its next step; a second INT ends the
 * process at once. Before it they end the process, which then has nothing to save. A HUP that is ignored, as nohup does
 * it, stays so. */
void ls_stop_watch(void);
bool ls_stop_requested(void);

#endif
