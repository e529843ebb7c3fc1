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
    int64_t width;
    const float *z, *target;
    double scale;
    float *dz;
    double *row_loss;
} evaluation;

static void evaluate_rows(void *context, int64_t begin, int64_t end) {
    const evaluation *e = context;
    for (int64_t row = begin; row < end; row++) {
        int64_t at = row * e->width;
        float *dz = e->dz != NULL ? e->dz + at : NULL;
        e->row_loss[row] = e->type->row(e->width, e->z + at, e->target + at, e->scale, dz);
    }
}

void ls_loss_evaluate(const ls_loss_type *type, ls_pool *pool, const ls_rows *rows, int64_t width, const float *z,
                      const float *target, float *dz, double *row_loss) {
    enum { TASK_NUMBERS = 8192 }; /* enough work to be worth a task */
    evaluation e = {type, width, z, target, 1.0 / (double)rows->global_count, dz, row_loss};
    ls_pool_run_blocks(pool, rows->count, 1 + TASK_NUMBERS / width, evaluate_rows, &e);
}
