/* Accuracy: of classes, whether the largest output is where the largest target is (the first of equals), Keras'
 * CategoricalAccuracy; of a single output, whether both are on the same side of 1/2, Keras' BinaryAccuracy. */
#include "nn/classes_internal.h"
#include "nn/metric.h"

static double row(int64_t width, const float *y, const float *target) {
    if (width == 1) return (y[0] > 0.5f) == (target[0] > 0.5f);
    return ls_largest(width, y) == ls_largest(width, target);
}

const ls_metric_type ls_metric_accuracy = {
    .name = "accuracy", .help = "share of the samples whose largest output is that of the right class", .row = row};
