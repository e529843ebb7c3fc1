/* exchange.c - a step of the gradient exchange; see exchange.h.
 *
 * Within a group (exchange_group.h) all is read and written in place: a member may add up a slice of a bucket, and
 * change its weights, as soon as all members' marks say that they are through with the bucket. Between groups
 * (exchange_plan.h) a bucket goes through stages: opened (its messages may come in), sent (this group's partial sums
 * are on their way), applied (this rank's slice is updated and on its way back), done. Each stage is reached by buckets
 * in order, so a stage is a count of buckets. One group has one bucket and no messages. */
#include "lockstep/exchange.h"

#include <assert.h>
#include <math.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "lockstep/clock.h"
#include "lockstep/log.h"
#include "lockstep/memory.h"
#include "par/comm_mpi.h"
#include "par/exchange_group.h"
#include "par/exchange_messages.h"
#include "par/exchange_norm.h"
#include "par/exchange_plan.h"

enum {
    PIECE_FLOATS = 128 << 10, /* added up at a time: still in the second cache when the update reads the sum */
    TASK_FLOATS = 16 << 10,   /* a thread's share of the additions */
};

static const double look_s = 200e-6;   /* how often a running pool's caller looks after messages */
static const double patience_s = 1e-3; /* how long a rank that waits for messages keeps its core */
static const long nap_ns = 50000;      /* and how long it then lets go of it at a time */

const char *const ls_exchange_mode_names[] = {"auto", "shared", "messages", NULL};

struct ls_exchange {
    const ls_comm *comm;
    ls_lanes lanes;
    ls_pool *pool;
    ls_shards shards;
    ls_exchange_plan plan;
    ls_group group;
    ls_messages messages;
    double clip_norm; /* 0: no clipping */
    ls_norm norm;
    float *gradients[LS_NODES_MAX];
    const float **terms; /* of expressions, at the slice in hand */
    float *sum;          /* [PIECE_FLOATS] */

    /* Signals: a record a rank. */
    double *my_record, *all_records, *own_records; /* own_records: where there are messages */
    MPI_Request records_under_way;

    /* The step in hand. */
    ls_contribution mine;
    int64_t mark;         /* the group's marks of this step: plus what is finished, plus count + 1 in the end */
    bool informed, sound; /* all records are here; and none forbids the update */
    bool advancing;       /* within advance(): the pool's tasks call it again */
    double looked_s;      /* when it last was called */
    int64_t opened, sent, applied, done; /* buckets that have come through each stage */
};

/* ---- making ---- */

static int rank_nodes(const ls_lanes *lanes, int rank) {
    ls_lanes other;
    ls_status status = ls_lanes_init(&other, lanes->count, rank, lanes->size);
    assert(status == LS_OK);
    (void)status;
    return other.nodes;
}

static int64_t record_doubles(const ls_lanes *lanes, int values) {
    int most_lanes = (lanes->count + lanes->size - 1) / lanes->size;
    return 1 + (int64_t)most_lanes * values;
}

/* The ranks of this host are node_rank 0, 1, ... in rank order. */
static ls_status share_memory(ls_exchange *x, const int *leader) {
    int nodes[LS_LANES_MAX], member = 0;
    for (int rank = 0; rank < x->comm->size; rank++)
        if (leader[rank] == leader[x->comm->rank]) nodes[member++] = rank_nodes(&x->lanes, rank);
    return ls_group_init(&x->group, x->comm, true, nodes, x->shards.count,
                         record_doubles(&x->lanes, LS_LANE_VALUES_MAX));
}

static ls_status share_nothing(ls_exchange *x) {
    return ls_group_init(&x->group, x->comm, false, &x->lanes.nodes, x->shards.count,
                         record_doubles(&x->lanes, LS_LANE_VALUES_MAX));
}

/* leader[size]: the lowest rank of each rank's host, then of each rank's group. */
static ls_status make_group(ls_exchange *x, int mode, int *leader) {
    int mine = ls_comm_host_leader(x->comm);
    ls_comm_gather_all(x->comm, &mine, sizeof mine, leader);
    ls_status status = LS_ERROR;
    bool sharing = mode != LS_EXCHANGE_MESSAGES && x->comm->node_size > 1;
    if (sharing) status = share_memory(x, leader);
    if (sharing && status != LS_OK && mode == LS_EXCHANGE_AUTO && x->comm->node_rank == 0)
        ls_log_rank("%s; the ranks of %s exchange by messages", ls_failure_get()->message, x->comm->host);
    if (!sharing || (status != LS_OK && mode == LS_EXCHANGE_AUTO)) {
        mine = x->comm->rank;
        status = share_nothing(x);
    }
    ls_comm_gather_all(x->comm, &mine, sizeof mine, leader);
    return status;
}

static ls_status alloc_rest(ls_exchange *x) {
    LS_TRY(ls_alloc(&x->terms, x->plan.nodes + x->plan.arrivals, sizeof(float *), "gradients' places"));
    LS_TRY(ls_alloc(&x->sum, PIECE_FLOATS, sizeof(float), "a gradient's sum"));
    for (int node = 0; node < x->lanes.nodes; node++)
        x->gradients[node] = x->group.gradients[x->group.member] + node * x->group.stride;
    LS_TRY(ls_messages_init(&x->messages, x->comm, &x->plan, &x->shards));
    if (x->clip_norm > 0) LS_TRY(ls_norm_init(&x->norm, x->shards.count));
    if (x->plan.groups == 1) return LS_OK;
    int64_t doubles = record_doubles(&x->lanes, LS_LANE_VALUES_MAX);
    return ls_alloc(&x->own_records, (x->lanes.size + 1) * doubles, sizeof(double), "signals");
}

/* One group has one bucket: its ranks' slices are as long as can be. */
static ls_shards divide(const ls_lanes *lanes, const ls_exchange_settings *settings, int64_t count, int groups) {
    int64_t bucket = groups == 1 ? count : (int64_t)(settings->bucket_mb * (1 << 20) / sizeof(float));
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
    if (!x) return;
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

/* ---- signals ---- */

enum { FAILED = 1, STOP = 2, NOT_FINITE = 4 };

/* Members of one group write their records where all see them. */
static void send_record(ls_exchange *x) {
    const ls_signals *signals = &x->mine.signals;
    int64_t doubles = record_doubles(&x->lanes, x->mine.values);
    bool alone = x->plan.groups == 1;
    x->all_records = alone ? x->group.records : x->own_records;
    double *record = alone ? x->all_records + x->comm->rank * doubles : x->own_records + x->comm->size * doubles;
    record[0] = (signals->failed ? FAILED : 0) | (signals->stop ? STOP : 0) | (signals->not_finite ? NOT_FINITE : 0);
    for (int i = 0; i < (x->lanes.end - x->lanes.first) * x->mine.values; i++) record[1 + i] = x->mine.lane_values[i];
    if (!alone)
        MPI_Iallgather(record, (int)doubles, MPI_DOUBLE, x->all_records, (int)doubles, MPI_DOUBLE, ls_comm_mpi(x->comm),
                       &x->records_under_way);
}

static const double *record_of(const ls_exchange *x, int rank) {
    return x->all_records + rank * record_doubles(&x->lanes, x->mine.values);
}

static void read_flags(ls_exchange *x) {
    int flags = 0;
    for (int rank = 0; rank < x->comm->size; rank++) flags |= (int)record_of(x, rank)[0];
    x->mine.signals = (ls_signals){.failed = flags & FAILED, .stop = flags & STOP, .not_finite = flags & NOT_FINITE};
    x->sound = !x->mine.signals.failed && !x->mine.signals.not_finite;
    x->informed = true;
}

static void read_values(const ls_exchange *x, double *all_values) {
    for (int rank = 0; rank < x->comm->size; rank++) {
        const double *record = record_of(x, rank);
        int end = ls_lane_first(x->lanes.count, rank + 1, x->lanes.size) * x->mine.values;
        for (int i = ls_lane_first(x->lanes.count, rank, x->lanes.size) * x->mine.values; i < end; i++)
            all_values[i] = *++record;
    }
}

/* ---- sums ---- */

typedef struct summing {
    const ls_expression *expression;
    const float *const *terms;
    int64_t begin, count;
    float *out;
} summing;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static void sum_task(void *context, int64_t task, int thread) {
    (void)thread;
    const summing *s = context;
    int64_t at = task * TASK_FLOATS;
    ls_expression_sum(s->expression, s->terms, s->begin + at, smaller(TASK_FLOATS, s->count - at), s->out + at);
}

/* Where there is nothing to add, the term itself. */
static const float *add_up(ls_exchange *x, const ls_expression *e, int64_t begin, int64_t count, float *out) {
    if (e->length == 1) return x->terms[e->tokens[0]] + begin;
    summing s = {.expression = e, .terms = x->terms, .begin = begin, .count = count, .out = out};
    ls_pool_run(x->pool, (count + TASK_FLOATS - 1) / TASK_FLOATS, sum_task, &s);
    return out;
}

static float *node_gradient(const ls_exchange *x, int node) {
    const ls_group_node *of = &x->plan.node[node];
    return x->group.gradients[of->member] + of->node * x->group.stride;
}

static void take_terms(ls_exchange *x, ls_range slice) {
    for (int node = 0; node < x->plan.nodes; node++) x->terms[node] = node_gradient(x, node) + slice.begin;
}

/* The sums stay where their first term was: nobody else reads it. */
static void send_partials(ls_exchange *x, int64_t bucket) {
    for (int t = 0; t < x->plan.targets; t++) {
        ls_range slice = ls_shards_slice(&x->shards, bucket, x->plan.target[t]);
        take_terms(x, slice);
        for (int p = 0; p < x->plan.partials; p++) {
            const ls_expression *partial = &x->plan.partial[p];
            float *out = node_gradient(x, partial->tokens[0]) + slice.begin;
            ls_messages_send_partial(&x->messages, bucket, t, add_up(x, partial, 0, slice.end - slice.begin, out));
        }
    }
}

/* What is done with a piece of this rank's slice: `where` in the vector, from `place` in the shard on. */
typedef void (*piece_fn)(ls_exchange *x, int64_t place, ls_range where, float *gradient);

static float *weights_at(const ls_exchange *x, ls_range where) { return x->group.weights + where.begin; }

static void complete_piece(const ls_exchange *x, int64_t place, ls_range where, float *gradient) {
    if (x->mine.complete)
        x->mine.complete(x->mine.context, place, where.end - where.begin, gradient, weights_at(x, where));
}

static void update_piece(ls_exchange *x, int64_t place, ls_range where, float *gradient) {
    x->mine.update(x->mine.context, place, where.end - where.begin, gradient, weights_at(x, where));
}

static void complete_and_update_piece(ls_exchange *x, int64_t place, ls_range where, float *gradient) {
    complete_piece(x, place, where, gradient);
    update_piece(x, place, where, gradient);
}

static void sum_slice(ls_exchange *x, int64_t bucket, piece_fn use) {
    ls_range slice = ls_shards_slice(&x->shards, bucket, x->comm->rank);
    int64_t place = ls_shards_place(&x->shards, bucket), length = slice.end - slice.begin;
    take_terms(x, slice);
    for (int a = 0; a < x->plan.arrivals; a++)
        x->terms[x->plan.nodes + a] = ls_messages_arrival(&x->messages, bucket, a);
    for (int64_t at = 0; at < length; at += PIECE_FLOATS) {
        ls_range where = {slice.begin + at, smaller(slice.begin + at + PIECE_FLOATS, slice.end)};
        /* The sum, or a node's gradient: nobody else reads either any more. */
        float *gradient = (float *)add_up(x, &x->plan.sum, at, where.end - where.begin, x->sum);
        use(x, place + at, where, gradient);
    }
}

/* ---- clipping ---- */

/* What of a piece is clipped. */
static ls_range clipped_part(const ls_exchange *x, ls_range where) {
    return ls_range_common(where, (ls_range){0, x->mine.clipped});
}

/* Of its own gradients in its own slices a rank needs no more, once they are added up: the sum is kept there. */
static float *kept_gradient(const ls_exchange *x, ls_range where) { return x->gradients[0] + where.begin; }

static void measure_piece(ls_exchange *x, int64_t place, ls_range where, float *gradient) {
    float *kept = kept_gradient(x, where);
    complete_piece(x, place, where, gradient);
    ls_norm_add(&x->norm, x->pool, clipped_part(x, where), gradient);
    if (kept != gradient) memcpy(kept, gradient, (size_t)(where.end - where.begin) * sizeof *kept);
}

typedef struct scaling {
    float *data;
    int64_t count;
    float factor;
} scaling;

static void scale_task(void *context, int64_t task, int thread) {
    (void)thread;
    const scaling *s = context;
    int64_t end = smaller((task + 1) * TASK_FLOATS, s->count);
    for (int64_t i = task * TASK_FLOATS; i < end; i++) s->data[i] *= s->factor;
}

static void update_kept_slice(ls_exchange *x, int64_t bucket, float factor) {
    ls_range slice = ls_shards_slice(&x->shards, bucket, x->comm->rank);
    int64_t place = ls_shards_place(&x->shards, bucket);
    for (int64_t at = slice.begin; at < slice.end; at += PIECE_FLOATS) {
        ls_range where = {at, smaller(at + PIECE_FLOATS, slice.end)}, clipped = clipped_part(x, where);
        scaling s = {kept_gradient(x, where), clipped.end - clipped.begin, factor};
        if (factor != 1) ls_pool_run(x->pool, (s.count + TASK_FLOATS - 1) / TASK_FLOATS, scale_task, &s);
        update_piece(x, place + (at - slice.begin), where, kept_gradient(x, where));
    }
}

/* ---- stages ---- */

static bool group_is_through(const ls_exchange *x, int64_t bucket) {
    return ls_group_reached(&x->group, x->mark + ls_shards_bucket(&x->shards, bucket).end);
}

static void apply(ls_exchange *x, int64_t bucket) {
    if (!x->sound) return;
    if (x->clip_norm > 0) {
        sum_slice(x, bucket, measure_piece); /* the update waits for the norm of all */
        return;
    }
    sum_slice(x, bucket, complete_and_update_piece);
    ls_messages_post_weights(&x->messages, bucket, x->group.weights);
}

static void look_for_records(ls_exchange *x) {
    int complete;
    MPI_Test(&x->records_under_way, &complete, MPI_STATUS_IGNORE);
    if (complete) read_flags(x);
}

/* Takes buckets through the stages as far as they can go now; false where nothing could be done. */
static bool advance(ls_exchange *x) {
    int64_t before = x->opened + x->sent + x->applied + x->done, buckets = x->shards.buckets;
    x->advancing = true;
    if (!x->informed) look_for_records(x);
    while (x->done < x->applied && ls_messages_are_done(&x->messages, x->done)) x->done++;
    while (x->opened < buckets && x->opened < x->done + LS_BUCKETS_UNDER_WAY)
        ls_messages_open(&x->messages, x->opened++);
    while (x->sent < x->opened && group_is_through(x, x->sent)) send_partials(x, x->sent++);
    while (x->informed && x->applied < x->sent && ls_messages_have_arrived(&x->messages, x->applied))
        apply(x, x->applied++);
    x->advancing = false;
    return x->opened + x->sent + x->applied + x->done > before;
}

/* The pool calls this between tasks, so that messages do not wait for the end of a layer. */
static void attend(void *context) {
    ls_exchange *x = context;
    double now_s = ls_clock_s();
    if (x->advancing || now_s - x->looked_s < look_s) return;
    advance(x);
    x->looked_s = ls_clock_s();
}

/* ---- waiting for messages ---- */

/* MPI gets on with its work when it is called, also with what it has only promised to send. */
static void let_mpi_work(const ls_exchange *x) {
    int flag;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, ls_comm_mpi(x->comm), &flag, MPI_STATUS_IGNORE);
}

static void wait_a_little(const ls_exchange *x, double since_s) {
    static const struct timespec nap = {.tv_nsec = nap_ns};
    let_mpi_work(x);
    sched_yield();
    if (ls_clock_s() - since_s < patience_s) return;
    nanosleep(&nap, NULL);
    ls_group_check_launcher(&x->group);
}

static void finish_messages(ls_exchange *x) {
    double since_s = ls_clock_s();
    while (!x->informed || x->done < x->shards.buckets) {
        if (advance(x))
            since_s = ls_clock_s();
        else
            wait_a_little(x, since_s);
    }
}

static void wait_for_messages(ls_exchange *x, int64_t bucket) {
    double since_s = ls_clock_s();
    while (!ls_messages_are_done(&x->messages, bucket)) wait_a_little(x, since_s);
}

/* All buckets once more, after their gradients are known. */
static void apply_clipped(ls_exchange *x) {
    double norm = ls_norm_total(&x->norm, x->comm);
    float factor = norm > x->clip_norm || isnan(norm) ? (float)(x->clip_norm / norm) : 1;
    for (int64_t bucket = 0; bucket < x->shards.buckets + LS_BUCKETS_UNDER_WAY; bucket++) {
        if (bucket >= LS_BUCKETS_UNDER_WAY) wait_for_messages(x, bucket - LS_BUCKETS_UNDER_WAY);
        if (bucket >= x->shards.buckets) continue;
        update_kept_slice(x, bucket, factor);
        ls_messages_post_weights(&x->messages, bucket, x->group.weights);
    }
}

static void finish_group(ls_exchange *x) {
    int64_t end = x->mark + x->shards.count + 1;
    ls_group_raise(&x->group, end);
    if (x->plan.groups == 1) ls_group_await(&x->group, end);
    for (double since_s = ls_clock_s(); !ls_group_reached(&x->group, end);) wait_a_little(x, since_s);
}

/* ---- a step ---- */

void ls_exchange_begin(ls_exchange *x, const ls_contribution *mine) {
    assert(mine->values <= LS_LANE_VALUES_MAX);
    x->mine = *mine;
    x->informed = false;
    x->opened = x->sent = x->applied = x->done = 0;
    if (x->clip_norm > 0) ls_norm_clear(&x->norm);
    send_record(x);
    if (x->plan.groups > 1) ls_pool_attend(x->pool, attend, x);
}

void ls_exchange_progress(ls_exchange *x, int64_t finished) {
    if (x->plan.groups == 1 && finished < x->shards.count) return; /* others wait for all of it */
    ls_group_raise(&x->group, x->mark + finished);
    if (x->plan.groups > 1) advance(x);
}

static void apply_in_group(ls_exchange *x) {
    ls_group_await(&x->group, x->mark + x->shards.count);
    read_flags(x);
    for (int64_t bucket = 0; bucket < x->shards.buckets; bucket++) apply(x, bucket);
}

void ls_exchange_end(ls_exchange *x, ls_signals *signals, double *all_values) {
    ls_exchange_progress(x, x->shards.count);
    if (x->plan.groups > 1) ls_pool_attend(x->pool, NULL, NULL);
    if (x->plan.groups > 1)
        finish_messages(x);
    else
        apply_in_group(x);
    if (x->clip_norm > 0 && x->sound) apply_clipped(x);
    read_values(x, all_values);
    *signals = x->mine.signals;
    finish_group(x);
    x->mark += x->shards.count + 2;
}

/* ---- prediction ---- */

ls_exchange_memory ls_exchange_predict(const ls_lanes *lanes, const ls_exchange_settings *settings, int64_t count) {
    bool sharing = settings->mode != LS_EXCHANGE_MESSAGES;
    ls_exchange_memory memory = {.rank_bytes = ls_group_member_bytes(lanes->nodes, count)};
    if (settings->clip_norm > 0) memory.rank_bytes += ls_norm_memory_bytes(count);
    *(sharing ? &memory.host_bytes : &memory.rank_bytes) += ls_group_common_bytes(count);
    if (sharing || lanes->size == 1) return memory;
    int nodes = 0;
    for (int rank = 0; rank < lanes->size; rank++) nodes += rank == lanes->rank ? 0 : rank_nodes(lanes, rank);
    ls_shards shards = divide(lanes, settings, count, lanes->size);
    memory.rank_bytes += ls_messages_memory_bytes(nodes, &shards);
    return memory;
}
