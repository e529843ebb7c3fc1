/* exchange_norm.c - squares by grains, added in one order on all ranks; see exchange_norm_internal.h. */
#include "par/exchange_norm_internal.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/integers.h"
#include "base/memory.h"
#include "par/comm_mpi.h"

enum { TASK_GRAINS = 16, PARTS = 16 };

ls_status ls_norm_init(ls_norm *norm, int64_t count) {
    *norm = (ls_norm){.grains = ls_shards_grains(count)};
    assert(norm->grains <= INT_MAX); /* so that one reduction does: 2e12 weights */
    return ls_alloc(&norm->squares, norm->grains, sizeof(double), "a gradient's norm");
}

void ls_norm_release(ls_norm *norm) {
    ls_free(norm->squares);
    *norm = (ls_norm){0};
}

int64_t ls_norm_memory_bytes(int64_t count) { return ls_shards_grains(count) * (int64_t)sizeof(double); }

void ls_norm_clear(ls_norm *norm) { memset(norm->squares, 0, (size_t)norm->grains * sizeof(double)); }

typedef struct adding {
    double *squares;
    const float *gradient;
} adding;

/* Several sums side by side, so that they fill a vector. */
static double square_sum(const float *gradient, int64_t count) {
    double part[PARTS] = {0}, sum = 0;
    int64_t whole = count / PARTS * PARTS;
    for (int64_t i = 0; i < whole; i += PARTS)
        for (int p = 0; p < PARTS; p++) part[p] += (double)gradient[i + p] * (double)gradient[i + p];
    for (int64_t i = whole; i < count; i++) part[i - whole] += (double)gradient[i] * (double)gradient[i];
    for (int p = 0; p < PARTS; p++) sum += part[p];
    return sum;
}

static void add_grains(void *context, int64_t begin, int64_t end) {
    const adding *a = context;
    for (int64_t at = begin; at < end; at += LS_GRAIN_FLOATS)
        a->squares[at / LS_GRAIN_FLOATS] = square_sum(a->gradient + at, ls_min(end - at, LS_GRAIN_FLOATS));
}

void ls_norm_add(ls_norm *norm, ls_pool *pool, ls_range where, const float *gradient) {
    adding a = {norm->squares + where.begin / LS_GRAIN_FLOATS, gradient};
    ls_pool_run_blocks(pool, where.end - where.begin, TASK_GRAINS * LS_GRAIN_FLOATS, add_grains, &a);
}

/* A grain's sum is zero on all ranks but one: so the ranks' sums can be added in any order. */
double ls_norm_total(ls_norm *norm, const ls_comm *comm) {
    if (comm->size > 1)
        MPI_Allreduce(MPI_IN_PLACE, norm->squares, (int)norm->grains, MPI_DOUBLE, MPI_SUM, ls_comm_mpi(comm));
    double sum = 0;
    for (int64_t grain = 0; grain < norm->grains; grain++) sum += norm->squares[grain];
    return sqrt(sum);
}
