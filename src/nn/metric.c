/* metric.c - the table of metrics, and a metric of all rows; see metric.h. */
#include "nn/metric.h"

#include <stddef.h>

/* The table of metrics: one line each. */
#define METRICS(X)                                                                                                     \
    X(accuracy)                                                                                                        \
    X(mean_absolute_error)                                                                                             \
    X(mean_squared_error)

#define DECLARE(name) extern const ls_metric_type ls_metric_##name;
#define ENTRY(name)   &ls_metric_##name,
METRICS(DECLARE)

const ls_metric_type *const ls_metric_types[] = {METRICS(ENTRY) NULL};

typedef struct measuring {
    const ls_metric_type *type;
    int64_t width;
    const float *y, *target;
    double *row_value;
} measuring;

static void measure_row(void *context, int64_t row, int thread) {
    (void)thread;
    const measuring *m = context;
    m->row_value[row] = m->type->row(m->width, m->y + row * m->width, m->target + row * m->width);
}

void ls_metric_evaluate(const ls_metric_type *type, ls_pool *pool, int64_t rows, int64_t width, const float *y,
                        const float *target, double *row_value) {
    measuring m = {type, width, y, target, row_value};
    ls_pool_run(pool, rows, measure_row, &m);
}
