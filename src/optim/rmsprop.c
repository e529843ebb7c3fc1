/* RMSprop, as in Keras 3, with epsilon inside the root:
 *
 *   v = rho v + (1 - rho) g^2;   d = lr g / sqrt(v + eps);   w -= d, or with momentum m = momentum m + d; w -= m
 *
 * Source: T. Tieleman, G. Hinton, "Neural networks for machine learning", lecture 6.5, 2012. */
#include <math.h>

#include "base/vectorize.h"
#include "optim/optimizer.h"
#include "optim/settle_internal.h"

typedef struct rmsprop_options {
    double learning_rate, rho, momentum, epsilon;
} rmsprop_options;

static const ls_option options[] = {{"learning_rate", LS_OPTION_DOUBLE, offsetof(rmsprop_options, learning_rate),
                                     .preset = "0.001", .min = 0, .max = 1e6, .help = "step size"},
                                    {"rho", LS_OPTION_DOUBLE, offsetof(rmsprop_options, rho), .preset = "0.9", .min = 0,
                                     .max = 1, .below_max = true, .help = "decay of the mean squared gradient"},
                                    {"momentum", LS_OPTION_DOUBLE, offsetof(rmsprop_options, momentum), .preset = "0",
                                     .min = 0, .max = 1, .below_max = true,
                                     .help = "share of the last step that is added to the next"},
                                    {"epsilon", LS_OPTION_DOUBLE, offsetof(rmsprop_options, epsilon), .preset = "1e-7",
                                     .min = 1e-30, .max = 1, .help = "added inside the root"},
                                    LS_OPTIONS_END};

typedef struct constants {
    float rate, rho, rest, momentum, epsilon; /* rest: 1 - rho */
} constants;

LS_VECTORIZE static void rmsprop(constants c, int64_t count, const float *restrict gradient, float *restrict weight,
                                 float *restrict square) {
    for (int64_t i = 0; i < count; i++) {
        float g = gradient[i];
        float v = ls_settle(c.rho * square[i] + c.rest * (g * g));
        square[i] = v;
        weight[i] -= c.rate * g / sqrtf(v + c.epsilon);
    }
}

LS_VECTORIZE static void rmsprop_momentum(constants c, int64_t count, const float *restrict gradient,
                                          float *restrict weight, float *restrict square, float *restrict velocity) {
    for (int64_t i = 0; i < count; i++) {
        float g = gradient[i];
        float v = ls_settle(c.rho * square[i] + c.rest * (g * g));
        float m = ls_settle(c.momentum * velocity[i] + c.rate * g / sqrtf(v + c.epsilon));
        square[i] = v;
        velocity[i] = m;
        weight[i] -= m;
    }
}

static void update(const void *record, int64_t step, double learning_rate, const ls_update *u) {
    (void)step;
    const rmsprop_options *given = record;
    constants c = {.rate = (float)learning_rate,
                   .rho = (float)given->rho,
                   .rest = (float)(1 - given->rho),
                   .momentum = (float)given->momentum,
                   .epsilon = (float)given->epsilon};
    if (given->momentum == 0) {
        rmsprop(c, u->count, u->gradient, u->weight, u->slot[0]);
    } else {
        rmsprop_momentum(c, u->count, u->gradient, u->weight, u->slot[0], u->slot[1]);
    }
}

const ls_optimizer_type ls_optimizer_rmsprop = {
    .name = "rmsprop",
    .help = "steps scaled by a running mean of the squared gradient",
    .options = options,
    .options_bytes = sizeof(rmsprop_options),
    .slots = 2,
    .slot_names = {"velocity", "momentum"},
    .update = update,
};
