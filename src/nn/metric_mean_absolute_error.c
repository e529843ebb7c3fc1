/* Mean of |y - t| over the elements. */
#include <math.h>

#include "nn/metric.h"

static double row(int64_t width, const float *y, const float *target) {
    double sum = 0;
    for (int64_t i = 0; i < width; i++) sum += fabs((double)y[i] - (double)target[i]);
    return sum / (double)width;
}

const ls_metric_type ls_metric_mean_absolute_error = {
    .name = "mean_absolute_error", .help = "mean of |y - t|", .row = row};
