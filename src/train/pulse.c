/* pulse.c - two stores and a clock: a step calls this a few times. */
#include "train/pulse.h"

#include <stddef.h>

#include "base/clock.h"

void ls_pulse_enter(ls_pulse *pulse, ls_activity activity) {
    if (pulse == NULL) return;
    double now_s = ls_clock_s();
    if (pulse->entered_s > 0) pulse->spent_s[pulse->activity] += now_s - pulse->entered_s;
    pulse->entered_s = now_s;
    pulse->activity = (int)activity;
    ls_pulse_beat(pulse);
}

void ls_pulse_beat(ls_pulse *pulse) {
    if (pulse != NULL) pulse->beats++;
}
