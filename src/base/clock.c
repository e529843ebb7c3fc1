/* clock.c - the monotonic clock, which no change of the time of day disturbs; see clock.h. */
#include "base/clock.h"

#include <time.h>

double ls_clock_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
