/* One rate up to each boundary, and one after the last, as in Keras. */
#include "optim/schedule.h"

typedef struct piecewise_constant_decay_options {
    ls_int_list boundaries;
    ls_double_list values;
} piecewise_constant_decay_options;

static const ls_option options[] = {
    {"boundaries", LS_OPTION_INTS, offsetof(piecewise_constant_decay_options, boundaries), .required = true, .min = 1,
     .max = 1e15, .min_count = 1, .max_count = LS_LIST_MAX - 1, .help = "steps after which the next value begins"},
    {"values", LS_OPTION_DOUBLES, offsetof(piecewise_constant_decay_options, values), .required = true, .min = 0,
     .max = 1e6, .min_count = 2, .max_count = LS_LIST_MAX, .help = "learning rates: one more than boundaries"},
    LS_OPTIONS_END};

static ls_status check(const void *record) {
    const piecewise_constant_decay_options *given = record;
    if (given->values.count != given->boundaries.count + 1)
        return LS_RAISE(LS_INVALID, "%d boundaries need %d values, not %d", given->boundaries.count,
                        given->boundaries.count + 1, given->values.count);
    for (int i = 1; i < given->boundaries.count; i++)
        if (given->boundaries.value[i] <= given->boundaries.value[i - 1])
            return LS_RAISE(LS_INVALID, "boundaries must increase, but %lld follows %lld",
                            (long long)given->boundaries.value[i], (long long)given->boundaries.value[i - 1]);
    return LS_OK;
}

static double rate(const void *record, int64_t step) {
    const piecewise_constant_decay_options *given = record;
    int i = 0;
    while (i < given->boundaries.count && step > given->boundaries.value[i]) i++;
    return given->values.value[i];
}

const ls_schedule_type ls_schedule_piecewise_constant_decay = {
    .name = "piecewise_constant_decay",
    .help = "constant between boundaries",
    .options = options,
    .options_bytes = sizeof(piecewise_constant_decay_options),
    .check = check,
    .rate = rate,
};
