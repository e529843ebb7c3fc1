/* exchange.h - the gradient exchange: sums over a rank's lanes in, updated weights out.
 *
 *   ls_exchange_begin(x, signals, loss sums, update);     after forward and loss
 *   ls_exchange_progress(x, finished);                    as backward finishes a prefix of ls_exchange_gradients
 *   ls_exchange_end(x, signals, loss sums);               of all ranks; every rank has the new weights
 *
 * The flat vector is divided over the ranks (shards.h). The owner of a slice adds the subtrees of all ranks in the tree
 * (lanes.h) and calls `update` on the slice with the whole batch's gradient. Then everyone gets the updated weights. So
 * an optimizer's state and work divide by the number of ranks. The result has the same bits on any number of them and
 * in any way of exchanging.
 *
 * Ranks of one host have one copy of the weights in shared memory and add slices straight out of each other's
 * gradients, after backward. Between hosts slices travel as messages, a bucket of the vector at a time, started as
 * backward finishes them. The ranks of a host first add the largest subtrees that they have of a slice, and only these
 * are sent.
 *
 * Everything Collective here must be called by all ranks with the same step. */
#ifndef LS_PAR_EXCHANGE_H
#define LS_PAR_EXCHANGE_H

#include "base/lanes.h"
#include "base/threads.h"
#include "par/comm.h"
#include "par/shards.h"

typedef struct ls_exchange ls_exchange;

typedef struct ls_exchange_settings {
    int mode;         /* LS_EXCHANGE_... */
    double bucket_mb; /* MiB of the flat vector that are exchanged at a time where there are messages; 0: by itself */
    double clip_norm; /* the batch's gradient is made no longer than this, as a whole; 0: as long as it is */
} ls_exchange_settings;

enum {
    LS_EXCHANGE_AUTO,     /* shared memory within a host; where it cannot be had, messages, and it says so */
    LS_EXCHANGE_SHARED,   /* the same, but an error where it cannot be had */
    LS_EXCHANGE_MESSAGES, /* messages between all ranks */
};
extern const char *const ls_exchange_mode_names[]; /* in that order, ended by NULL */

/* Collective. count: length of the flat vectors (a multiple of 16 floats). Errors (agreed): LS_ERROR, no memory. */
ls_status ls_exchange_create(const ls_comm *comm, const ls_lanes *lanes, ls_pool *pool,
                             const ls_exchange_settings *settings, int64_t count, ls_exchange **out);
void ls_exchange_destroy(ls_exchange *exchange); /* Collective; NULL is allowed */

float *ls_exchange_weights(ls_exchange *exchange);          /* [count], the same on all ranks between steps */
float *const *ls_exchange_gradients(ls_exchange *exchange); /* [subtrees][count] of this rank */
/* The same weights on the rank that fills them from outside, at the start or from a checkpoint: one of those that share
 * them. NULL on the others. ls_agree before anyone reads them. */
float *ls_exchange_weights_to_fill(ls_exchange *exchange);
/* Local. How the vector is divided. */
const ls_shards *ls_exchange_shards(const ls_exchange *exchange);

/* What the ranks tell each other before each update. */
typedef struct ls_signals {
    bool failed;     /* a rank cannot go on (its failure record says why) */
    bool stop;       /* a rank was asked to stop */
    bool not_finite; /* a loss or an updated weight is not finite */
} ls_signals;

enum { LS_LANE_VALUES_MAX = 6 }; /* loss with and without penalties, metrics, and a time */

/* Changes gradient[count], the whole batch's, or weight[count], a part of ls_exchange_weights; both belong to the
 * numbers [place, place + count) of this rank's shard. Called on the calling thread (it may use the pool) for one strip
 * of the shard after another; nothing may depend on where strips begin. */
typedef void (*ls_apply_fn)(void *context, int64_t place, int64_t count, float *gradient, float *weight);

/* What a rank brings to a step. */
typedef struct ls_contribution {
    ls_signals signals;
    int values;                /* a lane, equal on all ranks */
    const double *lane_values; /* [own lanes][values] */
    ls_apply_fn complete;      /* adds to the gradient what depends on the weights alone; NULL: nothing */
    ls_apply_fn update;        /* the weights by the complete, and clipped, gradient, which it may destroy */
    void *context;
    int64_t clipped; /* numbers of the flat vector that clipping is about: [0, clipped) */
} ls_contribution;

/* Collective, but waits for nobody. No gradient may have been finished yet. */
void ls_exchange_begin(ls_exchange *exchange, const ls_contribution *contribution);

/* Local. The gradients [0, finished) of this rank's subtrees are there, and it does not read the weights [0, finished)
 * any more in this step. Here, and while the pool runs, the exchange gets ahead: `update` may be called. */
void ls_exchange_progress(ls_exchange *exchange, int64_t finished);

/* Collective. Finishes everything, and then leaves the gradients in no useful state. signals: those of any rank.
 * all_values[all lanes][values], in lane order. Where a rank failed or something is not finite no weight of any rank
 * has been changed. A rank that failed may leave out backward. Allocates nothing. */
void ls_exchange_end(ls_exchange *exchange, ls_signals *signals, double *all_values);

/* Bytes that an exchange takes, where all ranks are on one host: for memory predictions. Local. */
typedef struct ls_exchange_memory {
    int64_t rank_bytes; /* of the rank `lanes` speaks of */
    int64_t host_bytes; /* once for all of them */
} ls_exchange_memory;
ls_exchange_memory ls_exchange_predict(const ls_lanes *lanes, const ls_exchange_settings *settings, int64_t count);

#endif
