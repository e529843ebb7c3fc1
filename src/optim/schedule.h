/* schedule.h - learning-rate schedules: one file src/optim/schedule_<name>.c each, one line in schedules.c; Keras'
 * arguments and defaults.
 *
 * A rate is a function of the number of updates done and of nothing else: it is the same on all ranks and after a
 * resume. Local. */
#ifndef LS_OPTIM_SCHEDULE_H
#define LS_OPTIM_SCHEDULE_H

#include "base/options.h"

typedef struct ls_schedule_type {
    const char *name;
    const char *help;
    const ls_option *options;
    size_t options_bytes;
    /* What the table cannot say of options together; NULL: nothing. Errors: LS_INVALID. */
    ls_status (*check)(const void *options);
    /* step: updates done, 0 for the first one. */
    double (*rate)(const void *options, int64_t step);
} ls_schedule_type;

extern const ls_schedule_type *const ls_schedule_types[]; /* ended by NULL */

#endif
