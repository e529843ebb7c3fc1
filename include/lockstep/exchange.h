/* exchange.h - the gradient exchange: local lane sums in, updated weights out.
 *
 * A step:   fill ls_exchange_gradients (one flat vector a node) -> ls_exchange_signals (losses and flags of all ranks)
 * -> ls_exchange_apply. apply cuts the flat vector into one shard a rank; a shard's owner adds the nodes of all ranks
 * in the tree (lanes.h), calls `update` on it with the whole batch's gradient, and the updated weights go to everyone.
 * So an optimizer's state and work divide by the number of ranks, and the result is the same bits on any number of
 * them.
 *
 * Everything Collective here must be called by all ranks with the same step. */
#ifndef LOCKSTEP_EXCHANGE_H
#define LOCKSTEP_EXCHANGE_H

#include "lockstep/comm.h"
#include "lockstep/lanes.h"
#include "lockstep/threads.h"

typedef struct ls_exchange ls_exchange;

/* Collective. count: length of the flat vectors (a multiple of 16 floats). Errors (agreed): LS_ERROR, no memory. */
ls_status ls_exchange_create(const ls_comm *comm, const ls_lanes *lanes, ls_pool *pool, int64_t count,
                             ls_exchange **out);
void ls_exchange_destroy(ls_exchange *exchange); /* Collective; NULL is allowed */

float *ls_exchange_weights(ls_exchange *exchange);          /* [count], the same on all ranks between steps */
float *const *ls_exchange_gradients(ls_exchange *exchange); /* [nodes][count] of this rank */
/* Local. This rank's shard [begin, end) of the flat vector; shards lie in rank order without gaps. */
void ls_exchange_shard(const ls_exchange *exchange, int64_t *begin, int64_t *end);

/* What the ranks tell each other before each update. */
typedef struct ls_signals {
    bool failed;     /* a rank cannot go on (its failure record says why) */
    bool stop;       /* a rank was asked to stop */
    bool not_finite; /* a loss or an updated weight is not finite */
} ls_signals;

enum { LS_LANE_VALUES_MAX = 4 }; /* loss, metrics */

/* Collective, one small message. signals in: mine; out: those of any rank. lane_values[own lanes][values] in;
 * all_values[all lanes][values] out, in lane order. */
void ls_exchange_signals(ls_exchange *exchange, ls_signals *signals, int values, const double *lane_values,
                         double *all_values);

/* Updates weight[end - begin] by gradient[end - begin], the whole batch's, both from flat index `begin` on. Called on
 * the calling thread (it may use the pool) for one piece of the shard after another, in order; nothing may depend on
 * where pieces begin. */
typedef void (*ls_apply_fn)(void *context, int64_t begin, int64_t end, const float *gradient, float *weight);

/* Collective. Leaves the gradients in no useful state; allocates nothing. */
void ls_exchange_apply(ls_exchange *exchange, ls_apply_fn update, void *context);

/* Bytes a rank that an exchange takes (weights, gradients, buffers): for memory predictions. Local. */
int64_t ls_exchange_memory_bytes(const ls_lanes *lanes, int64_t count);

#endif
