/* Binary cross-entropy, -(t log p + (1 - t) log(1 - p)) with p = sigmoid(z), as a mean over the elements. */
#include "nn/loss.h"
#include "tensor/vector.h"

static double row(int64_t width, const float *z, const float *target, double scale, float *dz) {
    double count = (double)width;
    return ls_vector_cross_entropy(width, z, target, (float)(scale / count), dz) / count;
}

const ls_loss_type ls_loss_binary_crossentropy = {
    .name = "binary_crossentropy",
    .help = "mean of -(t log p + (1 - t) log(1 - p)); needs a sigmoid at the end",
    .logits_of = LS_ACTIVATION_SIGMOID,
    .target_low = 0,
    .target_high = 1,
    .row = row,
};
