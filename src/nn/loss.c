/* loss.c - the table of losses, and a loss over all rows; see loss.h. */
#include "nn/loss.h"

#include <stddef.h>

/* The table of losses: one line each. */
#define LOSSES(X)                                                                                                      \
    X(binary_crossentropy)                                                                                             \
    X(binary_crossentropy_sum)                                                                                         \
    X(categorical_crossentropy)                                                                                        \
    X(mean_squared_error)

#define DECLARE(name) extern const ls_loss_type ls_loss_##name;
#define ENTRY(name)   &ls_loss_##name,
LOSSES(DECLARE)

const ls_loss_type *const ls_loss_types[] = {LOSSES(ENTRY) NULL};

typedef struct evaluation {
    const ls_loss_type *type;
    int64_t rows, rows_per_task, width;
    const float *z, *target;
    double scale;
    float *dz;
    double *row_loss;
} evaluation;

static void evaluate_rows(void *context, int64_t task, int thread) {
    (void)thread;
    const evaluation *e = context;
    int64_t end = (task + 1) * e->rows_per_task < e->rows ? (task + 1) * e->rows_per_task : e->rows;
    for (int64_t row = task * e->rows_per_task; row < end; row++) {
        int64_t at = row * e->width;
        e->row_loss[row] =
            e->type->row(e->width, e->z + at, e->target + at, e->scale, e->dz != NULL ? e->dz + at : NULL);
    }
}

void ls_loss_evaluate(const ls_loss_type *type, ls_pool *pool, const ls_rows *rows, int64_t width, const float *z,
                      const float *target, float *dz, double *row_loss) {
    enum { TASK_NUMBERS = 8192 }; /* enough work to be worth a task */
    evaluation e = {.type = type,
                    .rows = rows->count,
                    .rows_per_task = 1 + TASK_NUMBERS / width,
                    .width = width,
                    .z = z,
                    .target = target,
                    .scale = 1.0 / (double)rows->global_count,
                    .dz = dz,
                    .row_loss = row_loss};
    ls_pool_run(pool, (rows->count + e.rows_per_task - 1) / e.rows_per_task, evaluate_rows, &e);
}
