/* Mean of (y - t)^2 over the elements. */
#include "nn/loss.h"
#include "tensor/vector.h"

static double row(int64_t width, const float *z, const float *target, double scale, float *dz) {
    double count = (double)width;
    return ls_vector_squared_error(width, z, target, (float)(scale / count), dz) / count;
}

const ls_loss_type ls_loss_mean_squared_error = {
    .name = "mean_squared_error",
    .help = "mean of (y - t)^2",
    .logits_of = LS_ACTIVATION_COUNT,
    .row = row,
};
