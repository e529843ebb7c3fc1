/* The exchange on pretended hosts: the weights are those of one process, bit for bit, whatever way they take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "par/exchange.h"
#include "support/ranks.h"

enum { STEPS = 3 };

/* Lane sums of very different size, so that another order of addition gives other bits. */
static float lane_value(int lane, int step, int64_t i) {
    uint32_t hash = (uint32_t)i * 2654435761u ^ (uint32_t)(lane * 64 + step) * 2246822519u;
    hash ^= hash >> 15;
    hash *= 2654435769u;
    hash ^= hash >> 13;
    float scale[] = {1e-3f, 1, 1e3f, 1e6f};
    return ((float)(hash >> 8) / 8388608.0f - 1) * scale[hash & 3];
}

static float tree(int first, int lanes, int step, int64_t i) {
    if (lanes == 1) return lane_value(first, step, i);
    return tree(first, lanes / 2, step, i) + tree(first + lanes / 2, lanes / 2, step, i);
}

/* An update that depends on the weight and on the order of the steps. */
static float updated(float weight, float gradient) { return weight * 0.75f - 0.1f * gradient; }

typedef struct shard_check {
    int64_t next; /* strips of the shard come once and in order */
    bool in_order;
} shard_check;

static void update(void *context, int64_t place, int64_t count, float *gradient, float *weight) {
    shard_check *check = context;
    if (place != check->next) check->in_order = false;
    check->next = place + count;
    for (int64_t i = 0; i < count; i++) weight[i] = updated(weight[i], gradient[i]);
}

static void fill(ls_exchange *exchange, const ls_lanes *lanes, int64_t count, int step) {
    float *const *gradients = ls_exchange_gradients(exchange);
    for (int subtree = 0; subtree < lanes->subtrees; subtree++) {
        int first = lanes->subtree_begin[subtree], length = lanes->subtree_begin[subtree + 1] - first;
        for (int64_t i = 0; i < count; i++) gradients[subtree][i] = tree(first, length, step, i);
    }
}

static bool equals_one_process(const float *weights, int64_t count, int lanes) {
    for (int64_t i = 0; i < count; i++) {
        float weight = 0;
        for (int step = 0; step < STEPS; step++) weight = updated(weight, tree(0, lanes, step, i));
        if (memcmp(&weight, &weights[i], sizeof weight) != 0) return false;
    }
    return true;
}

/* What an exchange needs, and how hosts are pretended. */
typedef struct setting {
    ls_lanes lanes;
    ls_pool *pool;
    ls_exchange *exchange;
} setting;

static setting new_setting(const ls_comm *comm, int lanes, int threads, const ls_exchange_settings *settings,
                           int64_t count) {
    setting s = {0};
    ls_status status = ls_lanes_init(&s.lanes, lanes, comm->rank, comm->size);
    if (status == LS_OK) status = ls_pool_create(threads, &s.pool);
    assert_on_all_ranks(status == LS_OK);
    assert_on_all_ranks(ls_exchange_create(comm, &s.lanes, s.pool, settings, count, &s.exchange) == LS_OK);
    return s;
}

static void free_setting(setting *s) {
    ls_exchange_destroy(s->exchange);
    ls_pool_destroy(s->pool);
}

/* A step whose backward finishes a third of the vector at a time. */
static ls_signals run_step(setting *s, ls_contribution *mine, double *all) {
    ls_signals signals;
    int64_t count = ls_exchange_shards(s->exchange)->count;
    ls_exchange_begin(s->exchange, mine);
    for (int third = 1; third <= 3; third++) ls_exchange_progress(s->exchange, count / 16 * third / 3 * 16);
    ls_exchange_end(s->exchange, &signals, all);
    return signals;
}

static void check_exchange(const ls_comm *comm, const ls_exchange_settings *settings, int lane_count, int64_t count,
                           int threads) {
    setting s = new_setting(comm, lane_count, threads, settings, count);
    const ls_shards *shards = ls_exchange_shards(s.exchange);
    int64_t length = ls_shards_place(shards, shards->buckets);
    assert_on_all_ranks(ls_comm_sum(comm, length) == count);
    for (int step = 0; step < STEPS; step++) {
        shard_check check = {.in_order = true};
        ls_contribution mine = {.update = update, .context = &check};
        fill(s.exchange, &s.lanes, count, step);
        run_step(&s, &mine, NULL);
        assert_on_all_ranks(check.in_order && check.next == length);
    }
    assert_on_all_ranks(equals_one_process(ls_exchange_weights(s.exchange), count, lane_count));
    free_setting(&s);
}

/* Who is on one host with whom: everyone; by two, as mpirun places ranks side by side, and in turn; each alone. */
typedef int (*host_fn)(int rank);
static int one_host(int rank) { return (void)rank, 0; }
static int by_two(int rank) { return rank / 2; }
static int in_turn(int rank) { return rank % 2; }
static int alone(int rank) { return rank; }
static const host_fn hosts[] = {one_host, by_two, in_turn, alone};
enum { HOSTS = sizeof hosts / sizeof *hosts };

static const int64_t lengths[] = {16, 48, 16 * 1001};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static void check_lengths(const ls_comm *comm, const ls_exchange_settings *settings) {
    for (int lanes = 4; lanes <= 64; lanes *= 4)
        for (int l = 0; l < LENGTHS; l++) check_exchange(comm, settings, lanes, lengths[l], 1 + l % 2);
}

static void test_weights_equal_those_of_one_process(void **state) {
    (void)state;
    for (int mode = LS_EXCHANGE_AUTO; mode <= LS_EXCHANGE_MESSAGES; mode++) {
        ls_exchange_settings settings = {.mode = mode, .bucket_mb = 1};
        check_lengths(&ranks, &settings);
    }
}

/* Several buckets, more of them than are under way at a time, and the last one is short. */
static void test_hosts_and_buckets(void **state) {
    (void)state;
    for (int h = 0; h < HOSTS; h++) {
        ls_comm comm = on_hosts(hosts[h](ranks.rank));
        ls_exchange_settings settings = {.mode = LS_EXCHANGE_SHARED, .bucket_mb = 0.001};
        check_lengths(&comm, &settings);
        settings.bucket_mb = 0.1;
        check_exchange(&comm, &settings, 8, 16 * 50001, 2);
        free_hosts(&comm);
    }
}

/* Several strips a slice. */
static void test_long_vectors(void **state) {
    (void)state;
    ls_exchange_settings settings = {.mode = LS_EXCHANGE_AUTO, .bucket_mb = 1};
    check_exchange(&ranks, &settings, 8, 16 * (32768 * ranks.size + 1), 2);
}

enum { LANES = 8, VALUES = 3 };

/* One rank raises flags; where they forbid the update nothing changes. */
static void check_signals(setting *s, int values, int flags) {
    double mine[LANES * VALUES], all[LANES * VALUES];
    for (int i = 0; i < (s->lanes.end - s->lanes.first) * values; i++) mine[i] = s->lanes.first * values + i + 0.1;
    bool speaks = ranks.rank == flags % ranks.size;
    shard_check check = {0};
    ls_contribution contribution = {.signals = {speaks && (flags & 1), speaks && (flags & 2), speaks && (flags & 4)},
                                    .values = values,
                                    .lane_values = mine,
                                    .update = update,
                                    .context = &check};
    ls_signals signals = run_step(s, &contribution, all);
    bool ok = signals.failed == ((flags & 1) != 0) && signals.stop == ((flags & 2) != 0) &&
              signals.not_finite == ((flags & 4) != 0);
    for (int i = 0; i < LANES * values; i++) ok = ok && all[i] == i + 0.1;
    if (signals.failed || signals.not_finite) ok = ok && check.next == 0;
    assert_on_all_ranks(ok);
}

static void test_signals_reach_all_ranks(void **state) {
    (void)state;
    for (int mode = LS_EXCHANGE_SHARED; mode <= LS_EXCHANGE_MESSAGES; mode++) {
        ls_exchange_settings settings = {.mode = mode, .bucket_mb = 0.001};
        setting s = new_setting(&ranks, LANES, 1, &settings, 16 * 1001);
        for (int values = 1; values <= VALUES; values++)
            for (int flags = 0; flags < 8; flags++) check_signals(&s, values, flags);
        free_setting(&s);
    }
}

static void test_ranks_of_a_host_have_one_copy_of_the_weights(void **state) {
    (void)state;
    ls_exchange_settings settings = {.mode = LS_EXCHANGE_SHARED, .bucket_mb = 1};
    setting s = new_setting(&ranks, LANES, 1, &settings, 16);
    float *mine = ls_exchange_weights_to_fill(s.exchange);
    assert_on_all_ranks((mine != NULL) == (ranks.host_rank == 0));
    if (mine) mine[3] = 7;
    ls_comm_barrier(&ranks);
    assert_on_all_ranks(ls_exchange_weights(s.exchange)[3] == 7);
    free_setting(&s);
}

/* The whole gradient is clipped, also where it lies on several hosts: as on one rank, bit for bit. */
static void complete(void *context, int64_t place, int64_t count, float *gradient, float *weight) {
    (void)context, (void)place;
    for (int64_t i = 0; i < count; i++) gradient[i] += 3 * weight[i];
}

static void clip_steps(setting *s, int64_t count, shard_check *check) {
    ls_contribution mine = {.complete = complete, .update = update, .context = check, .clipped = count - 16};
    for (int step = 0; step < STEPS; step++) {
        check->next = 0;
        fill(s->exchange, &s->lanes, count, step);
        run_step(s, &mine, NULL);
    }
}

static void test_clipping(void **state) {
    (void)state;
    const ls_comm one = {.size = 1, .host_size = 1};
    const int64_t count = 16 * 50001;
    ls_exchange_settings settings = {.mode = LS_EXCHANGE_SHARED, .bucket_mb = 0.1, .clip_norm = 1e7};
    shard_check check = {.in_order = true};
    setting reference = new_setting(&one, 8, 1, &settings, count);
    clip_steps(&reference, count, &check);
    for (int h = 0; h < HOSTS; h++) {
        ls_comm comm = on_hosts(hosts[h](ranks.rank));
        setting s = new_setting(&comm, 8, 1 + h % 2, &settings, count);
        clip_steps(&s, count, &check);
        size_t bytes = (size_t)count * sizeof(float);
        assert_on_all_ranks(memcmp(ls_exchange_weights(s.exchange), ls_exchange_weights(reference.exchange), bytes) ==
                            0);
        assert_on_all_ranks(check.in_order);
        free_setting(&s);
        free_hosts(&comm);
    }
    free_setting(&reference);
}

/* A step from weights of zero by the gradient alone: its length is the limit, or its own where that is less. */
static void check_length(double limit, double own, double expected) {
    const int64_t count = 16 * 1001;
    ls_exchange_settings settings = {.mode = LS_EXCHANGE_AUTO, .bucket_mb = 0.01, .clip_norm = limit};
    setting s = new_setting(&ranks, LANES, 1, &settings, count);
    shard_check check = {.in_order = true};
    ls_contribution mine = {.update = update, .context = &check, .clipped = count};
    for (int subtree = 0; subtree < s.lanes.subtrees; subtree++)
        for (int64_t i = 0; i < count; i++)
            ls_exchange_gradients(s.exchange)[subtree][i] =
                (float)(own / sqrt((double)count) *
                        (s.lanes.subtree_begin[subtree + 1] - s.lanes.subtree_begin[subtree]) / LANES);
    run_step(&s, &mine, NULL);
    double square = 0;
    for (int64_t i = 0; i < count; i++) square += pow((double)ls_exchange_weights(s.exchange)[i] / 0.1, 2);
    assert_on_all_ranks(fabs(sqrt(square) - expected) < 1e-5 * expected);
    free_setting(&s);
}

static void test_length_of_a_clipped_gradient(void **state) {
    (void)state;
    check_length(2, 8, 2);
    check_length(2, 1.5, 1.5);
}

static void test_too_much_memory_is_an_agreed_status(void **state) {
    (void)state;
    ls_lanes lanes;
    ls_exchange *exchange;
    assert_on_all_ranks(ls_lanes_init(&lanes, 4, ranks.rank, ranks.size) == LS_OK);
    int64_t count = INT64_C(1) << 50;
    for (int mode = LS_EXCHANGE_SHARED; mode <= LS_EXCHANGE_MESSAGES; mode++) {
        ls_exchange_settings settings = {.mode = mode, .bucket_mb = 1};
        ls_exchange_memory memory = ls_exchange_predict(&lanes, &settings, count);
        assert_on_all_ranks(memory.rank_bytes + memory.host_bytes > count * 4);
        assert_on_all_ranks(ls_exchange_create(&ranks, &lanes, NULL, &settings, count, &exchange) == LS_ERROR &&
                            !exchange);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights_equal_those_of_one_process),
        cmocka_unit_test(test_hosts_and_buckets),
        cmocka_unit_test(test_long_vectors),
        cmocka_unit_test(test_signals_reach_all_ranks),
        cmocka_unit_test(test_ranks_of_a_host_have_one_copy_of_the_weights),
        cmocka_unit_test(test_clipping),
        cmocka_unit_test(test_length_of_a_clipped_gradient),
        cmocka_unit_test(test_too_much_memory_is_an_agreed_status),
    };
    return run_on_ranks(argc, argv, "exchange", tests, sizeof tests / sizeof *tests);
}
