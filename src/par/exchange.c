/* exchange.c - the gradient exchange by messages; see exchange.h.
 *
 * Reduce-scatter, update, allgather, all in pieces of the shards. While a shard's owner adds and updates one piece, the
 * messages of the next are already posted; gradients are sent from, and weights received into, their final place, so
 * the only buffers are the two inboxes that hold a piece of every other rank's nodes. */
#include "lockstep/exchange.h"

#include <assert.h>
#include <mpi.h>

#include "lockstep/memory.h"
#include "par/comm_mpi.h"

enum {
    GRAIN_FLOATS = 16,          /* shards and pieces begin at cache lines */
    PIECE_FLOATS = 256 << 10,   /* of one shard: long enough for full speed, short enough to stay in cache */
    INBOX_FLOATS = 4 << 20,     /* one inbox, unless a grain of every node takes more */
    TASK_FLOATS = 4 << 10,      /* a thread's share of the additions */
    TAG_WEIGHTS = LS_NODES_MAX, /* gradients: the node's number on its rank */
};

/* Messages under way. */
typedef struct messages {
    MPI_Request *requests;
    int count;
} messages;

struct ls_exchange {
    const ls_comm *comm;
    ls_lanes lanes;
    ls_pool *pool;
    int64_t count;
    int64_t piece, pieces; /* length of a piece; how many the longest shard has */

    float *weights, *slab; /* slab: the gradients, node after node */
    float *gradients[LS_NODES_MAX];

    /* All ranks' nodes end to end: rank r has [node_first[r], node_first[r+1]). */
    int *node_first;
    ls_addition *additions;
    int addition_count;
    float **parts; /* [nodes] a node's sums over the piece in hand */

    /* Of a piece, by its parity: while one is added up the other is filled. */
    float *inbox[2];
    messages gradients_under_way[2], weights_under_way[2];

    double *my_record, *all_records; /* signals */
};

/* ---- layout ---- */

static int64_t shard_begin(const ls_exchange *x, int rank) {
    return ls_lane_offset(x->count / GRAIN_FLOATS, rank, x->comm->size) * GRAIN_FLOATS;
}

typedef struct range {
    int64_t begin, end;
} range;

/* A piece of a rank's shard; empty where the shard has fewer of them. */
static range shard_piece(const ls_exchange *x, int rank, int64_t piece) {
    int64_t begin = shard_begin(x, rank) + piece * x->piece, end = shard_begin(x, rank + 1);
    if (begin > end) begin = end;
    return (range){begin, end - begin < x->piece ? end : begin + x->piece};
}

static int rank_nodes(int lanes, int rank, int size) {
    ls_lanes other;
    ls_status status = ls_lanes_init(&other, lanes, rank, size);
    assert(status == LS_OK);
    (void)status;
    return other.nodes;
}

static int all_nodes(const ls_lanes *lanes) {
    int nodes = 0;
    for (int rank = 0; rank < lanes->size; rank++) nodes += rank_nodes(lanes->count, rank, lanes->size);
    return nodes;
}

static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t longest_shard(const ls_lanes *lanes, int64_t count) {
    return (count / GRAIN_FLOATS + lanes->size - 1) / lanes->size * GRAIN_FLOATS;
}

/* Without messages there is nothing to overlap: one piece. */
static int64_t piece_floats(const ls_lanes *lanes, int64_t count) {
    if (lanes->size == 1) return count;
    int64_t room = INBOX_FLOATS / (all_nodes(lanes) - lanes->nodes) / GRAIN_FLOATS * GRAIN_FLOATS;
    return min64(longest_shard(lanes, count), min64(PIECE_FLOATS, room));
}

static int64_t inbox_floats(const ls_lanes *lanes, int64_t count) {
    return (all_nodes(lanes) - lanes->nodes) * piece_floats(lanes, count);
}

int64_t ls_exchange_memory_bytes(const ls_lanes *lanes, int64_t count) {
    return ((1 + lanes->nodes) * count + 2 * inbox_floats(lanes, count)) * (int64_t)sizeof(float);
}

/* ---- making ---- */

static ls_status alloc_vectors(ls_exchange *x) {
    LS_TRY(ls_alloc(&x->weights, x->count, sizeof(float), "weights"));
    LS_TRY(ls_alloc(&x->slab, x->lanes.nodes * x->count, sizeof(float), "gradients"));
    for (int node = 0; node < x->lanes.nodes; node++) x->gradients[node] = x->slab + node * x->count;
    return LS_OK;
}

static ls_status alloc_plan(ls_exchange *x) {
    int size = x->lanes.size;
    LS_TRY(ls_alloc(&x->node_first, size + 1, sizeof(int), "node numbers"));
    for (int rank = 0; rank < size; rank++)
        x->node_first[rank + 1] = x->node_first[rank] + rank_nodes(x->lanes.count, rank, size);
    LS_TRY(ls_alloc(&x->parts, x->node_first[size], sizeof(float *), "node pointers"));
    LS_TRY(ls_alloc(&x->additions, x->node_first[size], sizeof(ls_addition), "additions"));
    x->addition_count = ls_lanes_additions(x->lanes.count, size, x->additions);
    return LS_OK;
}

static ls_status alloc_messages(ls_exchange *x) {
    int peers = x->lanes.size - 1, own = x->lanes.nodes, others = x->node_first[x->lanes.size] - own;
    for (int parity = 0; parity < 2; parity++) {
        LS_TRY(ls_alloc(&x->inbox[parity], inbox_floats(&x->lanes, x->count), sizeof(float), "gradient inbox"));
        LS_TRY(
            ls_alloc(&x->gradients_under_way[parity].requests, others + own * peers, sizeof(MPI_Request), "requests"));
        LS_TRY(ls_alloc(&x->weights_under_way[parity].requests, 2 * peers, sizeof(MPI_Request), "requests"));
    }
    return LS_OK;
}

static int record_doubles(const ls_exchange *x, int values) {
    int most_lanes = (x->lanes.count + x->lanes.size - 1) / x->lanes.size;
    return 1 + most_lanes * values;
}

static ls_status alloc_records(ls_exchange *x) {
    int doubles = record_doubles(x, LS_LANE_VALUES_MAX);
    LS_TRY(ls_alloc(&x->my_record, doubles, sizeof(double), "signals"));
    LS_TRY(ls_alloc(&x->all_records, (int64_t)x->lanes.size * doubles, sizeof(double), "signals"));
    return LS_OK;
}

static ls_status make(ls_exchange *x) {
    LS_TRY(alloc_vectors(x));
    LS_TRY(alloc_plan(x));
    LS_TRY(alloc_messages(x));
    return alloc_records(x);
}

ls_status ls_exchange_create(const ls_comm *comm, const ls_lanes *lanes, ls_pool *pool, int64_t count,
                             ls_exchange **out) {
    assert(count % GRAIN_FLOATS == 0 && lanes->size == comm->size && lanes->rank == comm->rank);
    ls_exchange *x;
    ls_status status = ls_alloc(&x, 1, sizeof *x, "gradient exchange");
    if (status == LS_OK) {
        *x = (ls_exchange){.comm = comm, .lanes = *lanes, .pool = pool, .count = count};
        x->piece = piece_floats(lanes, count);
        x->pieces = (longest_shard(lanes, count) + x->piece - 1) / x->piece;
        status = make(x);
    }
    if (LS_FAILED(status = ls_agree(comm, status))) {
        ls_exchange_destroy(x);
        x = NULL;
    }
    *out = x;
    return status;
}

void ls_exchange_destroy(ls_exchange *x) {
    if (!x) return;
    for (int parity = 0; parity < 2; parity++) {
        ls_free(x->inbox[parity]);
        ls_free(x->gradients_under_way[parity].requests);
        ls_free(x->weights_under_way[parity].requests);
    }
    ls_free(x->weights);
    ls_free(x->slab);
    ls_free(x->node_first);
    ls_free(x->parts);
    ls_free(x->additions);
    ls_free(x->my_record);
    ls_free(x->all_records);
    ls_free(x);
}

float *ls_exchange_weights(ls_exchange *x) { return x->weights; }

float *const *ls_exchange_gradients(ls_exchange *x) { return x->gradients; }

void ls_exchange_shard(const ls_exchange *x, int64_t *begin, int64_t *end) {
    *begin = shard_begin(x, x->comm->rank);
    *end = shard_begin(x, x->comm->rank + 1);
}

/* ---- signals ---- */

enum { FAILED = 1, STOP = 2, NOT_FINITE = 4 };

void ls_exchange_signals(ls_exchange *x, ls_signals *signals, int values, const double *lane_values,
                         double *all_values) {
    assert(values <= LS_LANE_VALUES_MAX);
    int stride = record_doubles(x, values), mine = (x->lanes.end - x->lanes.first) * values;
    x->my_record[0] =
        (signals->failed ? FAILED : 0) | (signals->stop ? STOP : 0) | (signals->not_finite ? NOT_FINITE : 0);
    for (int i = 0; i < mine; i++) x->my_record[1 + i] = lane_values[i];
    ls_comm_gather_all(x->comm, x->my_record, stride * (int64_t)sizeof(double), x->all_records);

    int flags = 0;
    for (int rank = 0; rank < x->lanes.size; rank++) {
        const double *record = x->all_records + (int64_t)rank * stride;
        int end = ls_lane_first(x->lanes.count, rank + 1, x->lanes.size) * values;
        for (int i = ls_lane_first(x->lanes.count, rank, x->lanes.size) * values; i < end; i++)
            all_values[i] = *++record;
        flags |= (int)x->all_records[(int64_t)rank * stride];
    }
    *signals = (ls_signals){.failed = flags & FAILED, .stop = flags & STOP, .not_finite = flags & NOT_FINITE};
}

/* ---- messages ---- */

static void post_send(const ls_exchange *x, messages *under_way, const float *data, range part, int rank, int tag) {
    MPI_Isend(data, (int)(part.end - part.begin), MPI_FLOAT, rank, tag, ls_comm_mpi(x->comm),
              &under_way->requests[under_way->count++]);
}

static void post_receive(const ls_exchange *x, messages *under_way, float *data, range part, int rank, int tag) {
    MPI_Irecv(data, (int)(part.end - part.begin), MPI_FLOAT, rank, tag, ls_comm_mpi(x->comm),
              &under_way->requests[under_way->count++]);
}

static void wait_for(messages *under_way) {
    if (under_way->count > 0) MPI_Waitall(under_way->count, under_way->requests, MPI_STATUSES_IGNORE);
    under_way->count = 0;
}

/* Peers in an order of its own for each rank, so that not all of them turn to the same one first. */
static int peer(const ls_exchange *x, int step) { return (x->comm->rank + step) % x->comm->size; }

/* Where the nodes of another rank arrive: the inbox has them in rank order, without this rank's. */
static float *inbox_slot(const ls_exchange *x, int64_t piece, int node) {
    int slot = node < x->node_first[x->comm->rank] ? node : node - x->lanes.nodes;
    return x->inbox[piece % 2] + slot * x->piece;
}

static void post_gradients(ls_exchange *x, int64_t piece) {
    messages *under_way = &x->gradients_under_way[piece % 2];
    range mine = shard_piece(x, x->comm->rank, piece);
    for (int step = 1; step < x->comm->size && mine.begin < mine.end; step++) {
        int rank = peer(x, step), first = x->node_first[rank];
        for (int node = first; node < x->node_first[rank + 1]; node++)
            post_receive(x, under_way, inbox_slot(x, piece, node), mine, rank, node - first);
    }
    for (int step = 1; step < x->comm->size; step++) {
        int rank = peer(x, step);
        range theirs = shard_piece(x, rank, piece);
        for (int node = 0; node < x->lanes.nodes && theirs.begin < theirs.end; node++)
            post_send(x, under_way, x->gradients[node] + theirs.begin, theirs, rank, node);
    }
}

static void post_weights(ls_exchange *x, int64_t piece) {
    messages *under_way = &x->weights_under_way[piece % 2];
    range mine = shard_piece(x, x->comm->rank, piece);
    for (int step = 1; step < x->comm->size; step++) {
        int rank = peer(x, step);
        range theirs = shard_piece(x, rank, piece);
        if (theirs.begin < theirs.end) post_receive(x, under_way, x->weights + theirs.begin, theirs, rank, TAG_WEIGHTS);
        if (mine.begin < mine.end) post_send(x, under_way, x->weights + mine.begin, mine, rank, TAG_WEIGHTS);
    }
}

/* ---- the sum ---- */

static void add(float *restrict into, const float *restrict from, int64_t count) {
    for (int64_t i = 0; i < count; i++) into[i] += from[i];
}

typedef struct summing {
    const ls_exchange *exchange;
    int64_t count;
} summing;

/* All additions of a stretch while it is in cache. */
static void sum_stretch(void *context, int64_t task, int thread) {
    (void)thread;
    const summing *sum = context;
    const ls_exchange *x = sum->exchange;
    int64_t begin = task * TASK_FLOATS, count = min64(TASK_FLOATS, sum->count - begin);
    for (int i = 0; i < x->addition_count; i++)
        add(x->parts[x->additions[i].into] + begin, x->parts[x->additions[i].from] + begin, count);
}

/* This rank's own slice of its gradients is added to in place: nobody else reads it. Returns the whole batch's
 * gradient. */
static const float *sum_nodes(ls_exchange *x, int64_t piece, range mine) {
    int own = x->node_first[x->comm->rank];
    for (int node = 0; node < x->node_first[x->comm->size]; node++) {
        bool here = node >= own && node < own + x->lanes.nodes;
        x->parts[node] = here ? x->gradients[node - own] + mine.begin : inbox_slot(x, piece, node);
    }
    summing sum = {.exchange = x, .count = mine.end - mine.begin};
    if (x->addition_count > 0) ls_pool_run(x->pool, (sum.count + TASK_FLOATS - 1) / TASK_FLOATS, sum_stretch, &sum);
    return x->parts[0];
}

void ls_exchange_apply(ls_exchange *x, ls_apply_fn update, void *context) {
    post_gradients(x, 0);
    for (int64_t piece = 0; piece < x->pieces; piece++) {
        if (piece + 1 < x->pieces) post_gradients(x, piece + 1);
        wait_for(&x->gradients_under_way[piece % 2]);
        range mine = shard_piece(x, x->comm->rank, piece);
        if (mine.begin < mine.end)
            update(context, mine.begin, mine.end, sum_nodes(x, piece, mine), x->weights + mine.begin);
        wait_for(&x->weights_under_way[piece % 2]);
        post_weights(x, piece);
    }
    wait_for(&x->weights_under_way[0]);
    wait_for(&x->weights_under_way[1]);
}
