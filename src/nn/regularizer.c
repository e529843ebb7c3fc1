/* regularizer.c - penalties in double, added in an order that threads do not change; see regularizer_internal.h. */
#include "nn/regularizer_internal.h"

#include <math.h>

static double sum_of(const ls_regularizer *regularizer, int64_t count, const float *x) {
    double absolute = 0, square = 0;
    for (int64_t i = 0; i < count; i++) {
        absolute += fabs((double)x[i]);
        square += (double)x[i] * (double)x[i];
    }
    return regularizer->l1 * absolute + regularizer->l2 * square;
}

typedef struct part_sums {
    const ls_regularizer *regularizer;
    int64_t count, parts;
    const float *x;
    double *sum; /* [parts] */
} part_sums;

static void sum_part(void *context, int64_t part, int thread) {
    (void)thread;
    const part_sums *p = context;
    int64_t begin = part * p->count / p->parts, end = (part + 1) * p->count / p->parts;
    p->sum[part] = sum_of(p->regularizer, end - begin, p->x + begin);
}

double ls_regularizer_sum(const ls_regularizer *regularizer, ls_pool *pool, int64_t count, const float *x) {
    enum { PARTS = 64 };
    double part[PARTS], sum = 0;
    part_sums p = {regularizer, count, PARTS, x, part};
    ls_pool_run(pool, PARTS, sum_part, &p);
    for (int i = 0; i < PARTS; i++) sum += part[i];
    return sum;
}

typedef struct row_sums {
    const ls_regularizer *regularizer;
    int64_t width;
    const float *x;
    double *penalty;
} row_sums;

static void sum_row(void *context, int64_t row, int thread) {
    (void)thread;
    const row_sums *r = context;
    r->penalty[row] += sum_of(r->regularizer, r->width, r->x + row * r->width);
}

void ls_regularizer_rows(const ls_regularizer *regularizer, ls_pool *pool, int64_t rows, int64_t width, const float *x,
                         double *penalty) {
    row_sums r = {regularizer, width, x, penalty};
    ls_pool_run(pool, rows, sum_row, &r);
}

enum { BLOCK = 16384 };

typedef struct slope {
    float l1, twice_l2;
    const float *x;
    float *dx;
} slope;

static void add_slope(void *context, int64_t begin, int64_t end) {
    const slope *s = context;
    for (int64_t i = begin; i < end; i++) {
        float sign = (float)((s->x[i] > 0) - (s->x[i] < 0));
        s->dx[i] += s->l1 * sign + s->twice_l2 * s->x[i];
    }
}

void ls_regularizer_gradient(const ls_regularizer *regularizer, ls_pool *pool, int64_t count, const float *x,
                             double scale, float *dx) {
    slope s = {(float)(scale * regularizer->l1), (float)(2 * scale * regularizer->l2), x, dx};
    ls_pool_run_blocks(pool, count, BLOCK, add_slope, &s);
}
