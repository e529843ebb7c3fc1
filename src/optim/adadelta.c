/* Adadelta, as in Keras:
 *
 *   a = rho a + (1 - rho) g^2;   d = g sqrt((e + eps) / (a + eps));   e = rho e + (1 - rho) d^2;   w -= lr d
 *
 * Source: M. Zeiler, "ADADELTA: an adaptive learning rate method", 2012, with one root of a quotient for the quotient
 * of two roots. */
#include <math.h>

#include "base/vectorize.h"
#include "optim/optimizer.h"
#include "optim/settle_internal.h"

typedef struct adadelta_options {
    double learning_rate, rho, epsilon;
} adadelta_options;

static const ls_option options[] = {{"learning_rate", LS_OPTION_DOUBLE, offsetof(adadelta_options, learning_rate),
                                     .preset = "0.001", .min = 0, .max = 1e6, .help = "step size; 1 in the paper"},
                                    {"rho", LS_OPTION_DOUBLE, offsetof(adadelta_options, rho), .preset = "0.95",
                                     .min = 0, .max = 1, .below_max = true, .help = "decay of the running means"},
                                    {"epsilon", LS_OPTION_DOUBLE, offsetof(adadelta_options, epsilon), .preset = "1e-7",
                                     .min = 1e-30, .max = 1, .help = "added inside the roots"},
                                    LS_OPTIONS_END};

typedef struct constants {
    float rate, rho, rest, epsilon; /* rest: 1 - rho */
} constants;

LS_VECTORIZE static void adadelta(constants c, int64_t count, const float *restrict gradient, float *restrict weight,
                                  float *restrict square, float *restrict squared_step) {
    for (int64_t i = 0; i < count; i++) {
        float g = gradient[i];
        float a = ls_settle(c.rho * square[i] + c.rest * (g * g));
        float d = g * sqrtf((squared_step[i] + c.epsilon) / (a + c.epsilon));
        square[i] = a;
        squared_step[i] = ls_settle(c.rho * squared_step[i] + c.rest * (d * d));
        weight[i] -= c.rate * d;
    }
}

static void update(const void *record, int64_t step, double learning_rate, const ls_update *u) {
    (void)step;
    const adadelta_options *given = record;
    constants c = {.rate = (float)learning_rate,
                   .rho = (float)given->rho,
                   .rest = (float)(1 - given->rho),
                   .epsilon = (float)given->epsilon};
    adadelta(c, u->count, u->gradient, u->weight, u->slot[0], u->slot[1]);
}

const ls_optimizer_type ls_optimizer_adadelta = {
    .name = "adadelta",
    .help = "steps by the ratio of the running means of squared steps and squared gradients",
    .options = options,
    .options_bytes = sizeof(adadelta_options),
    .slots = 2,
    .slot_names = {"accumulated_grad", "accumulated_delta"},
    .update = update,
};
