/* clock.h - time. Local. */
#ifndef LOCKSTEP_CLOCK_H
#define LOCKSTEP_CLOCK_H

/* Seconds since some fixed moment; never goes back. */
double ls_clock_s(void);

#endif
