/* exchange_messages.c - posting and testing the messages of a bucket; see exchange_messages_internal.h. */
#include "par/exchange_messages_internal.h"

#include <assert.h>
#include <limits.h>

#include "base/memory.h"

enum { TAG_GRADIENTS, TAG_WEIGHTS };

static ls_bucket_messages *of(ls_messages *m, int64_t bucket) { return &m->bucket[bucket % LS_BUCKETS_UNDER_WAY]; }

static int64_t longest_slice(const ls_shards *shards) {
    return ls_ceil_div(ls_shards_grains(shards->bucket), shards->size) * LS_GRAIN_FLOATS;
}

static ls_status alloc_bucket(ls_messages *m, ls_bucket_messages *bucket) {
    const ls_exchange_plan *plan = m->plan;
    int others = plan->targets * (plan->partials + 1) + plan->servers;
    LS_TRY(ls_alloc(&bucket->inbox, plan->arrivals * m->inbox_floats, sizeof(float), "the gradients of other ranks"));
    LS_TRY(ls_alloc(&bucket->arriving, plan->arrivals, sizeof(MPI_Request), "messages"));
    return ls_alloc(&bucket->others, others, sizeof(MPI_Request), "messages");
}

ls_status ls_messages_init(ls_messages *m, const ls_comm *comm, const ls_exchange_plan *plan, const ls_shards *shards) {
    *m = (ls_messages){.plan = plan, .shards = shards, .inbox_floats = longest_slice(shards)};
    if (plan->groups == 1) return LS_OK;
    assert(m->inbox_floats <= INT_MAX); /* a bucket that travels has at most 1 GiB (exchange.bucket_mb) */
    m->mpi = ls_comm_mpi(comm);
    for (int b = 0; b < LS_BUCKETS_UNDER_WAY; b++) LS_TRY(alloc_bucket(m, &m->bucket[b]));
    return LS_OK;
}

void ls_messages_release(ls_messages *m) {
    for (int b = 0; b < LS_BUCKETS_UNDER_WAY; b++) {
        ls_free(m->bucket[b].inbox);
        ls_free(m->bucket[b].arriving);
        ls_free(m->bucket[b].others);
    }
    *m = (ls_messages){0};
}

int64_t ls_messages_memory_bytes(int arrivals, const ls_shards *shards) {
    return LS_BUCKETS_UNDER_WAY * arrivals * longest_slice(shards) * (int64_t)sizeof(float);
}

/* ---- posting; an empty slice has no messages ---- */

static ls_range slice_of(const ls_messages *m, int64_t bucket, int rank) {
    return ls_shards_slice(m->shards, bucket, rank);
}

static int floats(ls_range slice) { return (int)(slice.end - slice.begin); }

void ls_messages_open(ls_messages *m, int64_t bucket) {
    ls_bucket_messages *b = of(m, bucket);
    int count = floats(slice_of(m, bucket, m->shards->rank));
    b->arriving_count = b->other_count = 0;
    for (int a = 0; a < m->plan->arrivals && count > 0; a++)
        MPI_Irecv(b->inbox + a * m->inbox_floats, count, MPI_FLOAT, m->plan->arrival[a], TAG_GRADIENTS, m->mpi,
                  &b->arriving[b->arriving_count++]);
}

void ls_messages_send_partial(ls_messages *m, int64_t bucket, int target, const float *sum) {
    ls_bucket_messages *b = of(m, bucket);
    int rank = m->plan->target[target], count = floats(slice_of(m, bucket, rank));
    if (count > 0) MPI_Isend(sum, count, MPI_FLOAT, rank, TAG_GRADIENTS, m->mpi, &b->others[b->other_count++]);
}

void ls_messages_post_weights(ls_messages *m, int64_t bucket, float *weights) {
    ls_bucket_messages *b = of(m, bucket);
    for (int t = 0; t < m->plan->targets; t++) {
        ls_range slice = slice_of(m, bucket, m->plan->target[t]);
        if (floats(slice) > 0)
            MPI_Irecv(weights + slice.begin, floats(slice), MPI_FLOAT, m->plan->target[t], TAG_WEIGHTS, m->mpi,
                      &b->others[b->other_count++]);
    }
    ls_range mine = slice_of(m, bucket, m->shards->rank);
    for (int s = 0; s < m->plan->servers && floats(mine) > 0; s++)
        MPI_Isend(weights + mine.begin, floats(mine), MPI_FLOAT, m->plan->server[s], TAG_WEIGHTS, m->mpi,
                  &b->others[b->other_count++]);
}

const float *ls_messages_arrival(const ls_messages *m, int64_t bucket, int arrival) {
    return m->bucket[bucket % LS_BUCKETS_UNDER_WAY].inbox + arrival * m->inbox_floats;
}

/* ---- progress ---- */

static bool are_complete(MPI_Request *requests, int *count) {
    int complete = 1;
    if (*count > 0) MPI_Testall(*count, requests, &complete, MPI_STATUSES_IGNORE);
    if (complete) *count = 0;
    return complete;
}

bool ls_messages_have_arrived(ls_messages *m, int64_t bucket) {
    ls_bucket_messages *b = of(m, bucket);
    return are_complete(b->arriving, &b->arriving_count);
}

bool ls_messages_are_done(ls_messages *m, int64_t bucket) {
    ls_bucket_messages *b = of(m, bucket);
    return are_complete(b->others, &b->other_count);
}
