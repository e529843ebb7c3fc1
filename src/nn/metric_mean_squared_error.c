/* Mean of (y - t)^2 over the elements. */
#include "nn/metric.h"
#include "tensor/vector.h"

static double row(int64_t width, const float *y, const float *target) {
    return ls_vector_squared_error(width, y, target, 0, NULL) / (double)width;
}

const ls_metric_type ls_metric_mean_squared_error = {
    .name = "mean_squared_error", .help = "mean of (y - t)^2", .row = row};
