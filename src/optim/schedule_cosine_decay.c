/* Half a cosine down to a share of the rate, as in Keras; before it, if asked for, a straight line up.
 *
 * Source: I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017. */
#include <math.h>

#include "optim/schedule.h"

typedef struct cosine_decay_options {
    double initial_learning_rate, alpha, warmup_target;
    int64_t decay_steps, warmup_steps;
} cosine_decay_options;

static const ls_option options[] = {
    {"initial_learning_rate", LS_OPTION_DOUBLE, offsetof(cosine_decay_options, initial_learning_rate), .required = true,
     .min = 0, .max = 1e6, .help = "the learning rate at the start"},
    {"decay_steps", LS_OPTION_INT, offsetof(cosine_decay_options, decay_steps), .required = true, .min = 1, .max = 1e15,
     .help = "steps from the highest rate to the lowest"},
    {"alpha", LS_OPTION_DOUBLE, offsetof(cosine_decay_options, alpha), .preset = "0", .min = 0, .max = 1,
     .help = "the lowest rate, as a share of the highest; 1: only a warm-up"},
    {"warmup_steps", LS_OPTION_INT, offsetof(cosine_decay_options, warmup_steps), .preset = "0", .min = 0, .max = 1e15,
     .help = "steps of the warm-up before that, from the initial rate to warmup_target"},
    {"warmup_target", LS_OPTION_DOUBLE, offsetof(cosine_decay_options, warmup_target), .preset = "0", .min = 0,
     .max = 1e6, .help = "the highest rate, if there are warmup_steps"},
    LS_OPTIONS_END};

static ls_status check(const void *record) {
    const cosine_decay_options *given = record;
    if ((given->warmup_steps > 0) == (given->warmup_target > 0)) return LS_OK;
    return LS_RAISE(LS_INVALID, "warmup_steps and warmup_target need each other, and one of them is missing");
}

static double rate(const void *record, int64_t step) {
    const cosine_decay_options *given = record;
    double first = given->initial_learning_rate, highest = given->warmup_steps > 0 ? given->warmup_target : first;
    if (step < given->warmup_steps) return first + (highest - first) * (double)step / (double)given->warmup_steps;
    int64_t since = step - given->warmup_steps;
    double way = since < given->decay_steps ? (double)since / (double)given->decay_steps : 1;
    return highest * ((1 - given->alpha) * 0.5 * (1 + cos(acos(-1) * way)) + given->alpha);
}

const ls_schedule_type ls_schedule_cosine_decay = {
    .name = "cosine_decay",
    .help = "falls along half a cosine, after a warm-up if there is one",
    .options = options,
    .options_bytes = sizeof(cosine_decay_options),
    .check = check,
    .rate = rate,
};
