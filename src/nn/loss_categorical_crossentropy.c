/* Categorical cross-entropy, -sum over classes of t log p with p = softmax(z), from logits: log p = z - log sum exp z,
 * whose derivative is p sum(t) - t. */
#include <math.h>

#include "nn/classes_internal.h"
#include "nn/loss.h"

/* The largest gives a term of 1, so nothing overflows. */
static double log_sum_exp(int64_t width, const float *z) {
    int64_t best = ls_largest(width, z);
    double others = 0;
    for (int64_t i = 0; i < width; i++)
        if (i != best) others += exp((double)z[i] - (double)z[best]);
    return (double)z[best] + log1p(others);
}

static double row(int64_t width, const float *z, const float *target, double scale, float *dz) {
    double log_sum = log_sum_exp(width, z), targets = 0, loss = 0;
    for (int64_t i = 0; i < width; i++) {
        loss += (double)target[i] * (log_sum - (double)z[i]);
        targets += (double)target[i];
    }
    for (int64_t i = 0; dz != NULL && i < width; i++)
        dz[i] = (float)(scale * (exp((double)z[i] - log_sum) * targets - (double)target[i]));
    return loss;
}

const ls_loss_type ls_loss_categorical_crossentropy = {
    .name = "categorical_crossentropy",
    .help = "-sum of t log p over the classes; needs a softmax at the end",
    .logits_of = LS_ACTIVATION_SOFTMAX,
    .target_low = 0,
    .target_high = 1,
    .row = row,
};
