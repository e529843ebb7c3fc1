/* exchange.c - making a gradient exchange, and what it takes; see exchange.h. */
#include "par/exchange.h"

#include <assert.h>
#include <math.h>

#include "base/log.h"
#include "base/memory.h"
#include "par/exchange_state_internal.h"

const char *const ls_exchange_mode_names[] = {"auto", "shared", "messages", NULL};

static int rank_subtrees(const ls_lanes *lanes, int rank) {
    ls_lanes other;
    ls_status status = ls_lanes_init(&other, lanes->count, rank, lanes->size);
    assert(status == LS_OK);
    (void)status;
    return other.subtrees;
}

/* The ranks of this host are host_rank 0, 1, ... in rank order. */
static ls_status share_memory(ls_exchange *x, const int *leader) {
    int subtrees[LS_LANES_MAX], member = 0;
    for (int rank = 0; rank < x->comm->size; rank++)
        if (leader[rank] == leader[x->comm->rank]) subtrees[member++] = rank_subtrees(&x->lanes, rank);
    return ls_group_init(&x->group, x->comm, true, subtrees, x->shards.count,
                         ls_exchange_record_doubles(&x->lanes, LS_LANE_VALUES_MAX));
}

static ls_status share_nothing(ls_exchange *x) {
    return ls_group_init(&x->group, x->comm, false, &x->lanes.subtrees, x->shards.count,
                         ls_exchange_record_doubles(&x->lanes, LS_LANE_VALUES_MAX));
}

/* leader[size]: the lowest rank of each rank's host, then of each rank's group. */
static ls_status make_group(ls_exchange *x, int mode, int *leader) {
    int mine = ls_comm_host_leader(x->comm);
    ls_comm_gather_all(x->comm, &mine, sizeof mine, leader);
    ls_status status = LS_ERROR;
    bool sharing = mode != LS_EXCHANGE_MESSAGES && x->comm->host_size > 1;
    if (sharing) status = share_memory(x, leader);
    if (sharing && status != LS_OK && mode == LS_EXCHANGE_AUTO && x->comm->host_rank == 0)
        ls_log_rank("%s; the ranks of %s exchange by messages", ls_failure_get()->message, x->comm->host);
    if (!sharing || (status != LS_OK && mode == LS_EXCHANGE_AUTO)) {
        mine = x->comm->rank;
        status = share_nothing(x);
    }
    ls_comm_gather_all(x->comm, &mine, sizeof mine, leader);
    return status;
}

static ls_status alloc_rest(ls_exchange *x) {
    LS_TRY(ls_alloc(&x->terms, x->plan.subtrees + x->plan.arrivals, sizeof(float *), "gradients' places"));
    LS_TRY(ls_alloc(&x->sum, LS_STRIP_FLOATS, sizeof(float), "a gradient's sum"));
    for (int subtree = 0; subtree < x->lanes.subtrees; subtree++)
        x->gradients[subtree] = x->group.gradients[x->group.member] + subtree * x->group.stride;
    LS_TRY(ls_messages_init(&x->messages, x->comm, &x->plan, &x->shards));
    if (x->clip_norm > 0) LS_TRY(ls_norm_init(&x->norm, x->shards.count));
    if (x->plan.groups == 1) return LS_OK;
    int64_t doubles = ls_exchange_record_doubles(&x->lanes, LS_LANE_VALUES_MAX);
    return ls_alloc(&x->own_records, (x->lanes.size + 1) * doubles, sizeof(double), "signals");
}

/* Unless the config says otherwise, a message has 1/8 MiB. That is long enough for its own cost not to count, and short
 * enough that little is left to exchange when backward ends; measured in docs/performance.md. With many ranks messages
 * are shorter, for the buckets under way (exchange_messages_internal.h) would need too much memory. */
static double bucket_mb(const ls_exchange_settings *settings, int ranks) {
    static const double slice_mb = 0.125, most_mb = 16;
    return settings->bucket_mb > 0 ? settings->bucket_mb : fmin(slice_mb * ranks, most_mb);
}

/* One group has one bucket: its ranks' slices are as long as can be. */
static ls_shards divide(const ls_lanes *lanes, const ls_exchange_settings *settings, int64_t count, int groups) {
    int64_t bucket = groups == 1 ? count : (int64_t)(bucket_mb(settings, lanes->size) * (1 << 20) / sizeof(float));
    return ls_shards_make(count, bucket, lanes->rank, lanes->size);
}

static ls_status make(ls_exchange *x, const ls_exchange_settings *settings, int *leader) {
    LS_TRY(ls_agree(x->comm, make_group(x, settings->mode, leader)));
    ls_status status = ls_exchange_plan_init(&x->plan, &x->lanes, leader);
    x->shards = divide(&x->lanes, settings, x->shards.count, x->plan.groups);
    if (status == LS_OK) status = alloc_rest(x);
    return ls_agree(x->comm, status);
}

ls_status ls_exchange_create(const ls_comm *comm, const ls_lanes *lanes, ls_pool *pool,
                             const ls_exchange_settings *settings, int64_t count, ls_exchange **out) {
    assert(count % 16 == 0 && lanes->size == comm->size && lanes->rank == comm->rank);
    ls_exchange *x;
    int leader[LS_LANES_MAX];
    *out = NULL;
    LS_TRY(ls_agree(comm, ls_alloc(&x, 1, sizeof *x, "the gradient exchange")));
    *x = (ls_exchange){
        .comm = comm, .lanes = *lanes, .pool = pool, .shards.count = count, .clip_norm = settings->clip_norm};
    ls_status status = make(x, settings, leader);
    if (status == LS_OK)
        *out = x;
    else
        ls_exchange_destroy(x);
    return status;
}

void ls_exchange_destroy(ls_exchange *x) {
    if (x == NULL) return;
    ls_messages_release(&x->messages);
    ls_norm_release(&x->norm);
    ls_exchange_plan_release(&x->plan);
    ls_group_release(&x->group);
    ls_free(x->terms);
    ls_free(x->sum);
    ls_free(x->own_records);
    ls_free(x);
}

float *ls_exchange_weights(ls_exchange *x) { return x->group.weights; }

float *ls_exchange_weights_to_fill(ls_exchange *x) { return x->group.member == 0 ? x->group.weights : NULL; }

float *const *ls_exchange_gradients(ls_exchange *x) { return x->gradients; }

const ls_shards *ls_exchange_shards(const ls_exchange *x) { return &x->shards; }

/* ---- prediction ---- */

ls_exchange_memory ls_exchange_predict(const ls_lanes *lanes, const ls_exchange_settings *settings, int64_t count) {
    bool sharing = settings->mode != LS_EXCHANGE_MESSAGES;
    ls_exchange_memory memory = {.rank_bytes = ls_group_member_bytes(lanes->subtrees, count)};
    if (settings->clip_norm > 0) memory.rank_bytes += ls_norm_memory_bytes(count);
    *(sharing ? &memory.host_bytes : &memory.rank_bytes) += ls_group_common_bytes(count);
    if (sharing || lanes->size == 1) return memory;
    int subtrees = 0;
    for (int rank = 0; rank < lanes->size; rank++) subtrees += rank == lanes->rank ? 0 : rank_subtrees(lanes, rank);
    ls_shards shards = divide(lanes, settings, count, lanes->size);
    memory.rank_bytes += ls_messages_memory_bytes(subtrees, &shards);
    return memory;
}
