/* exchange_messages_internal.h - the messages of the gradient exchange between groups: the partial sums of a bucket to
 * the owners of its slices, the updated slices back. Private to par.
 *
 * A few buckets are under way at a time. Each has an inbox of its own for partial sums; all else is sent from, and
 * received into, the place where it lies. Between two ranks messages are matched by their order, so every function that
 * posts must be called with buckets, and targets, in rising order. */
#ifndef LS_PAR_EXCHANGE_MESSAGES_INTERNAL_H
#define LS_PAR_EXCHANGE_MESSAGES_INTERNAL_H

#include <stdbool.h>

#include "par/comm_mpi.h"
#include "par/exchange_plan_internal.h"
#include "par/shards.h"

enum { LS_BUCKETS_UNDER_WAY = 8 };

typedef struct ls_bucket_messages {
    float *inbox; /* [arrivals][inbox_floats] */
    MPI_Request *arriving, *others;
    int arriving_count, other_count;
} ls_bucket_messages;

typedef struct ls_messages {
    MPI_Comm mpi;
    const ls_exchange_plan *plan;
    const ls_shards *shards;
    int64_t inbox_floats; /* of one arrival */
    ls_bucket_messages bucket[LS_BUCKETS_UNDER_WAY];
} ls_messages;

/* Local. Errors: LS_ERROR, no memory. Release in every case. */
ls_status ls_messages_init(ls_messages *messages, const ls_comm *comm, const ls_exchange_plan *plan,
                           const ls_shards *shards);
void ls_messages_release(ls_messages *messages);
int64_t ls_messages_memory_bytes(int arrivals, const ls_shards *shards);

/* A bucket may be opened when the one LS_BUCKETS_UNDER_WAY before it is done: its partial sums are received from now
 * on. */
void ls_messages_open(ls_messages *messages, int64_t bucket);
/* Sends a partial sum of the slice of plan->target[target]. */
void ls_messages_send_partial(ls_messages *messages, int64_t bucket, int target, const float *sum);
bool ls_messages_have_arrived(ls_messages *messages, int64_t bucket);
/* A partial sum of this rank's slice, by its number in plan->arrival. */
const float *ls_messages_arrival(const ls_messages *messages, int64_t bucket, int arrival);
/* Sends this rank's slice of the weights, and receives those that it serves for. */
void ls_messages_post_weights(ls_messages *messages, int64_t bucket, float *weights);
/* Whether all is sent and received that has been posted of the bucket. */
bool ls_messages_are_done(ls_messages *messages, int64_t bucket);

#endif
