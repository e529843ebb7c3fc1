/* Binary cross-entropy as in binary_crossentropy, but summed over the elements of a sample: the negative log likelihood
 * of a Bernoulli decoder, against which variational autoencoders weigh their divergence. */
#include "nn/loss.h"
#include "tensor/vector.h"

static double row(int64_t width, const float *z, const float *target, double scale, float *dz) {
    return ls_vector_cross_entropy(width, z, target, (float)scale, dz);
}

const ls_loss_type ls_loss_binary_crossentropy_sum = {
    .name = "binary_crossentropy_sum",
    .help = "sum of -(t log p + (1 - t) log(1 - p)) over a sample; needs a sigmoid at the end",
    .logits_of = LS_ACTIVATION_SIGMOID,
    .target_low = 0,
    .target_high = 1,
    .row = row,
};
