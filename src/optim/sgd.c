/* Gradient descent, with momentum and Nesterov's form of it, as in Keras:
 *
 *   m = momentum m - lr g;   w += m, or with nesterov w += momentum m - lr g
 *
 * Source: I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of initialization and momentum in deep
 * learning", 2013. */
#include "base/vectorize.h"
#include "optim/optimizer.h"
#include "optim/settle_internal.h"

typedef struct sgd_options {
    double learning_rate, momentum;
    bool nesterov;
} sgd_options;

static const ls_option options[] = {{"learning_rate", LS_OPTION_DOUBLE, offsetof(sgd_options, learning_rate),
                                     .preset = "0.01", .min = 0, .max = 1e6, .help = "step size"},
                                    {"momentum", LS_OPTION_DOUBLE, offsetof(sgd_options, momentum), .preset = "0",
                                     .min = 0, .max = 1, .below_max = true,
                                     .help = "share of the last step that is added to the next"},
                                    {"nesterov", LS_OPTION_BOOL, offsetof(sgd_options, nesterov), .preset = "false",
                                     .help = "Nesterov momentum: use the gradient one step ahead"},
                                    LS_OPTIONS_END};

LS_VECTORIZE static void descend(float rate, int64_t count, const float *restrict gradient, float *restrict weight) {
    for (int64_t i = 0; i < count; i++) weight[i] -= rate * gradient[i];
}

LS_VECTORIZE static void descend_momentum(float rate, float momentum, int64_t count, const float *restrict gradient,
                                          float *restrict weight, float *restrict velocity) {
    for (int64_t i = 0; i < count; i++) {
        velocity[i] = ls_settle(momentum * velocity[i] - rate * gradient[i]);
        weight[i] += velocity[i];
    }
}

LS_VECTORIZE static void descend_nesterov(float rate, float momentum, int64_t count, const float *restrict gradient,
                                          float *restrict weight, float *restrict velocity) {
    for (int64_t i = 0; i < count; i++) {
        float step = rate * gradient[i];
        velocity[i] = ls_settle(momentum * velocity[i] - step);
        weight[i] += momentum * velocity[i] - step;
    }
}

static void update(const void *record, int64_t step, double learning_rate, const ls_update *u) {
    (void)step;
    const sgd_options *given = record;
    float rate = (float)learning_rate, momentum = (float)given->momentum;
    if (given->momentum == 0) {
        descend(rate, u->count, u->gradient, u->weight);
    } else if (given->nesterov) {
        descend_nesterov(rate, momentum, u->count, u->gradient, u->weight, u->slot[0]);
    } else {
        descend_momentum(rate, momentum, u->count, u->gradient, u->weight, u->slot[0]);
    }
}

const ls_optimizer_type ls_optimizer_sgd = {
    .name = "sgd",
    .help = "stochastic gradient descent, with or without momentum",
    .options = options,
    .options_bytes = sizeof(sgd_options),
    .slots = 1,
    .slot_names = {"momentum"},
    .update = update,
};
