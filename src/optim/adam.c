/* Adam in the "epsilon hat" form (the last lines of section 2 of the paper), as in Keras:
 *
 *   m += (1 - b1) (g - m);   v += (1 - b2) (g^2 - v);   w -= lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)
 *
 * Source: D. Kingma, J. Ba, "Adam: a method for stochastic optimization", 2015. */
#include <math.h>

#include "base/vectorize.h"
#include "optim/optimizer.h"
#include "optim/settle_internal.h"

typedef struct adam_options {
    double learning_rate, beta_1, beta_2, epsilon;
} adam_options;

static const ls_option options[] = {{"learning_rate", LS_OPTION_DOUBLE, offsetof(adam_options, learning_rate),
                                     .preset = "0.001", .min = 0, .max = 1e6, .help = "step size"},
                                    {"beta_1", LS_OPTION_DOUBLE, offsetof(adam_options, beta_1), .preset = "0.9",
                                     .min = 0, .max = 1, .below_max = true, .help = "decay of the mean gradient"},
                                    {"beta_2", LS_OPTION_DOUBLE, offsetof(adam_options, beta_2), .preset = "0.999",
                                     .min = 0, .max = 1, .below_max = true,
                                     .help = "decay of the mean squared gradient"},
                                    {"epsilon", LS_OPTION_DOUBLE, offsetof(adam_options, epsilon), .preset = "1e-7",
                                     .min = 1e-30, .max = 1, .help = "added to the root of the mean squared gradient"},
                                    LS_OPTIONS_END};

typedef struct constants {
    float rate, rest_1, rest_2, epsilon; /* rest: 1 - beta */
} constants;

LS_VECTORIZE static void adam(constants c, int64_t count, const float *restrict gradient, float *restrict weight,
                              float *restrict mean, float *restrict square) {
    for (int64_t i = 0; i < count; i++) {
        float g = gradient[i];
        float m = ls_settle(mean[i] + c.rest_1 * (g - mean[i]));
        float v = ls_settle(square[i] + c.rest_2 * (g * g - square[i]));
        mean[i] = m;
        square[i] = v;
        weight[i] -= c.rate * m / (sqrtf(v) + c.epsilon);
    }
}

static void update(const void *record, int64_t step, double learning_rate, const ls_update *u) {
    const adam_options *given = record;
    double t = (double)step;
    double rate = learning_rate * sqrt(1 - pow(given->beta_2, t)) / (1 - pow(given->beta_1, t));
    constants c = {.rate = (float)rate,
                   .rest_1 = (float)(1 - given->beta_1),
                   .rest_2 = (float)(1 - given->beta_2),
                   .epsilon = (float)given->epsilon};
    adam(c, u->count, u->gradient, u->weight, u->slot[0], u->slot[1]);
}

const ls_optimizer_type ls_optimizer_adam = {
    .name = "adam",
    .help = "steps scaled by running means of the gradient and its square",
    .options = options,
    .options_bytes = sizeof(adam_options),
    .slots = 2,
    .slot_names = {"momentum", "velocity"},
    .update = update,
};
