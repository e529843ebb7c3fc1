/* Categorical cross-entropy, -sum over classes of t log p with p = softmax(z), from logits: log p = z - log sum exp z,
 * whose derivative is p sum(t) - t. */
#include <math.h>

#include "lockstep/loss.h"

static double row(int64_t width, const float *z, const float *target, double scale, float *dz) {
    double largest = -HUGE_VAL, exponentials = 0, targets = 0, loss = 0;
    for (int64_t i = 0; i < width; i++) largest = fmax(largest, (double)z[i]);
    for (int64_t i = 0; i < width; i++) exponentials += exp((double)z[i] - largest);
    double log_sum = largest + log(exponentials);
    for (int64_t i = 0; i < width; i++) {
        loss += (double)target[i] * (log_sum - (double)z[i]);
        targets += (double)target[i];
    }
    for (int64_t i = 0; dz && i < width; i++) {
        dz[i] = (float)(scale * (exp((double)z[i] - log_sum) * targets - (double)target[i]));
    }
    return loss;
}

const ls_loss_type ls_loss_categorical_crossentropy = {
    .name = "categorical_crossentropy",
    .help = "-sum of t log p over the classes; needs a softmax at the end",
    .logits_of = LS_ACTIVATION_SOFTMAX,
    .row = row,
};
