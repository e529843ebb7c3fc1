#include "run/pulse.h"

#include <stddef.h>

#include "base/clock.h"

void ls_pulse_enter(ls_pulse *pulse, ls_phase phase) {
    if (pulse == NULL) return;
    double now_s = ls_clock_s();
    if (pulse->entered_s > 0) pulse->spent_s[pulse->phase] += now_s - pulse->entered_s;
    pulse->entered_s = now_s;
    pulse->phase = (int)phase;
    ls_pulse_beat(pulse);
}

void ls_pulse_beat(ls_pulse *pulse) {
    if (pulse != NULL) pulse->beats++;
}
