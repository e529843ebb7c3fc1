/* exchange_step.c - the order of things in a step of the gradient exchange; see exchange.h.
 *
 * Within a group (exchange_group_internal.h) all is read and written in place. A member may add up a slice of a bucket,
 * and change its weights, as soon as all members' marks say that they are through with the bucket. Between groups
 * (exchange_plan_internal.h) a bucket goes through stages: opened (its messages may come in), sent (this group's
 * partial sums are on their way), applied (this rank's slice is updated and on its way back), done. Buckets reach each
 * stage in order, so a stage is a count of buckets. One group has one bucket and no messages. */
#include <assert.h>
#include <math.h>
#include <sched.h>
#include <time.h>

#include "base/clock.h"
#include "par/exchange_state_internal.h"

static const double look_s = 200e-6;   /* how often a running pool's caller looks after messages */
static const double patience_s = 1e-3; /* how long a rank that waits for messages keeps its core */
static const long nap_ns = 50000;      /* how long it then lets go of its core at a time */

/* ---- signals ---- */

enum { FAILED = 1, STOP = 2, NOT_FINITE = 4 };

int64_t ls_exchange_record_doubles(const ls_lanes *lanes, int values) {
    return 1 + (int64_t)ls_lanes_most(lanes->count, lanes->size) * values;
}

/* A group that is alone writes its records where all members see them. */
static void send_record(ls_exchange *x) {
    const ls_signals *signals = &x->mine.signals;
    int64_t doubles = ls_exchange_record_doubles(&x->lanes, x->mine.values);
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
    return x->all_records + rank * ls_exchange_record_doubles(&x->lanes, x->mine.values);
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

/* ---- stages ---- */

static bool group_is_through(const ls_exchange *x, int64_t bucket) {
    return ls_group_reached(&x->group, x->mark + ls_shards_bucket(&x->shards, bucket).end);
}

static void apply(ls_exchange *x, int64_t bucket) {
    if (!x->sound) return;
    if (x->clip_norm > 0) {
        ls_exchange_measure_slice(x, bucket); /* the update waits for the norm of all */
        return;
    }
    ls_exchange_update_slice(x, bucket);
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
    while (x->sent < x->opened && group_is_through(x, x->sent)) ls_exchange_send_partials(x, x->sent++);
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

static void wait_a_little(const ls_exchange *x, double since_s) {
    static const struct timespec nap = {.tv_nsec = nap_ns};
    ls_group_look_around(&x->group);
    sched_yield();
    if (ls_clock_s() - since_s >= patience_s) nanosleep(&nap, NULL);
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
        ls_exchange_update_measured_slice(x, bucket, factor);
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
