/* schedules.c - the table of schedules; see schedule.h. */
#include "optim/schedule.h"

/* The table of schedules: one line each. */
#define SCHEDULES(X)                                                                                                   \
    X(cosine_decay)                                                                                                    \
    X(exponential_decay)                                                                                               \
    X(piecewise_constant_decay)

#define DECLARE(name) extern const ls_schedule_type ls_schedule_##name;
#define ENTRY(name)   &ls_schedule_##name,
SCHEDULES(DECLARE)

const ls_schedule_type *const ls_schedule_types[] = {SCHEDULES(ENTRY) NULL};
