/* pulse.h - what this rank's main thread is at: watched by the watchdog, and added up for the epoch's budget. Private
 * to run. Local. */
#ifndef LS_RUN_PULSE_H
#define LS_RUN_PULSE_H

#include <stdatomic.h>
#include <stdint.h>

/* In the order in which a step, and then the end of an epoch, comes through them. */
typedef enum ls_phase {
    LS_PHASE_START,
    LS_PHASE_READ,
    LS_PHASE_COMPUTE,
    LS_PHASE_EXCHANGE,
    LS_PHASE_VALIDATE,
    LS_PHASE_SAVE,
    LS_PHASES,
} ls_phase;

/* {0} is one that starts. The main thread writes it, the watchdog's reads the atomics. */
typedef struct ls_pulse {
    _Atomic int64_t beats; /* grows as the main thread gets on */
    _Atomic int64_t step;  /* in hand, from 1; 0: none */
    _Atomic int phase;
    double entered_s;
    double spent_s[LS_PHASES];
} ls_pulse;

/* The phase ends and another one begins. NULL: nobody wants to know. */
void ls_pulse_enter(ls_pulse *pulse, ls_phase phase);
/* Still in the same phase, but further. */
void ls_pulse_beat(ls_pulse *pulse);

#endif
