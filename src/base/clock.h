/* clock.h - time. Local. */
#ifndef LS_BASE_CLOCK_H
#define LS_BASE_CLOCK_H

/* Seconds since some fixed moment; never goes back. */
double ls_clock_s(void);

#endif
