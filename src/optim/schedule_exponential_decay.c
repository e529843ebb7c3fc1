/* lr = initial_learning_rate decay_rate^(step / decay_steps), as in Keras. */
#include <math.h>

#include "optim/schedule.h"

typedef struct exponential_decay_options {
    double initial_learning_rate, decay_rate;
    int64_t decay_steps;
    bool staircase;
} exponential_decay_options;

static const ls_option options[] = {
    {"initial_learning_rate", LS_OPTION_DOUBLE, offsetof(exponential_decay_options, initial_learning_rate),
     .required = true, .min = 0, .max = 1e6, .help = "the learning rate at the start"},
    {"decay_steps", LS_OPTION_INT, offsetof(exponential_decay_options, decay_steps), .required = true, .min = 1,
     .max = 1e15, .help = "steps after which the rate is multiplied by decay_rate"},
    {"decay_rate", LS_OPTION_DOUBLE, offsetof(exponential_decay_options, decay_rate), .required = true, .min = 0,
     .max = 1, .above_min = true, .help = "what the rate is multiplied by in decay_steps"},
    {"staircase", LS_OPTION_BOOL, offsetof(exponential_decay_options, staircase), .preset = "false",
     .help = "change the rate only after each decay_steps, not in every step"},
    LS_OPTIONS_END};

static double rate(const void *record, int64_t step) {
    const exponential_decay_options *given = record;
    double falls = (double)step / (double)given->decay_steps;
    return given->initial_learning_rate * pow(given->decay_rate, given->staircase ? floor(falls) : falls);
}

const ls_schedule_type ls_schedule_exponential_decay = {
    .name = "exponential_decay",
    .help = "falls by the same factor in the same number of steps",
    .options = options,
    .options_bytes = sizeof(exponential_decay_options),
    .rate = rate,
};
