/* spin.c - a short wait without a system call; see spin.h. */
#include "base/spin.h"

#include <sched.h>

#include "base/clock.h"

static const double spin_s = 50e-6;
enum { SPINS_A_LOOK = 64 }; /* at the clock */

static void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

bool ls_spin(bool (*holds)(const void *context), const void *context) {
    double deadline_s = ls_clock_s() + spin_s;
    do {
        for (int i = 0; i < SPINS_A_LOOK; i++) {
            if (holds(context)) return true;
            pause_briefly();
        }
        sched_yield();
    } while (ls_clock_s() < deadline_s);
    return false;
}
