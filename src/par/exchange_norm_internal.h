/* exchange_norm_internal.h - the norm of a gradient that is spread over the ranks; equal bits whoever has what. Private
 * to par.
 *
 * Squares are added in double over a grain of the vector (shards.h), which belongs to one rank, in a fixed order; then
 * the grains' sums, one after another. */
#ifndef LS_PAR_EXCHANGE_NORM_INTERNAL_H
#define LS_PAR_EXCHANGE_NORM_INTERNAL_H

#include "base/threads.h"
#include "par/comm.h"
#include "par/shards.h"

typedef struct ls_norm {
    int64_t grains;
    double *squares; /* [grains] */
} ls_norm;

/* Local. Errors: LS_ERROR, no memory. Release in every case. */
ls_status ls_norm_init(ls_norm *norm, int64_t count);
void ls_norm_release(ls_norm *norm);
int64_t ls_norm_memory_bytes(int64_t count);

/* Local. Forgets all; adds what this rank has in `where`, which begins at a whole grain. */
void ls_norm_clear(ls_norm *norm);
void ls_norm_add(ls_norm *norm, ls_pool *pool, ls_range where, const float *gradient);
/* Collective. Over all that all ranks have added. */
double ls_norm_total(ls_norm *norm, const ls_comm *comm);

#endif
