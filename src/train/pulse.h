/* pulse.h - what this rank's main thread is at: watched by the watchdog, and added up for the epoch's time breakdown.
 * Local. */
#ifndef LS_TRAIN_PULSE_H
#define LS_TRAIN_PULSE_H

#include <stdatomic.h>
#include <stdint.h>

/* In the order in which a step, and then the end of an epoch, comes through them. */
typedef enum ls_activity {
    LS_ACTIVITY_START,
    LS_ACTIVITY_READ,
    LS_ACTIVITY_COMPUTE,
    LS_ACTIVITY_EXCHANGE,
    LS_ACTIVITY_VALIDATE,
    LS_ACTIVITY_SAVE,
    LS_ACTIVITIES,
} ls_activity;

/* {0} is one that starts. The main thread writes it, the watchdog's reads the atomics. */
typedef struct ls_pulse {
    _Atomic int64_t beats; /* grows as the main thread gets on */
    _Atomic int64_t step;  /* in hand, from 1; 0: none */
    _Atomic int activity;
    double entered_s;
    double spent_s[LS_ACTIVITIES];
} ls_pulse;

/* The activity ends and another one begins. NULL: nobody wants to know. */
void ls_pulse_enter(ls_pulse *pulse, ls_activity activity);
/* Still in the same activity, but further. */
void ls_pulse_beat(ls_pulse *pulse);

#endif
