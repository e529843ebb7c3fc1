#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lockstep/exchange.h"
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
    int64_t next; /* pieces of the shard come once and in order */
    bool in_order;
} shard_check;

static void update(void *context, int64_t begin, int64_t end, const float *gradient, float *weight) {
    shard_check *check = context;
    if (begin != check->next) check->in_order = false;
    check->next = end;
    for (int64_t i = 0; i < end - begin; i++) weight[i] = updated(weight[i], gradient[i]);
}

static void fill(ls_exchange *exchange, const ls_lanes *lanes, int64_t count, int step) {
    float *const *gradients = ls_exchange_gradients(exchange);
    for (int node = 0; node < lanes->nodes; node++) {
        int first = lanes->node_begin[node], length = lanes->node_begin[node + 1] - first;
        for (int64_t i = 0; i < count; i++) gradients[node][i] = tree(first, length, step, i);
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

static void check_exchange(int lane_count, int64_t count, int threads) {
    ls_lanes lanes;
    ls_pool *pool;
    ls_exchange *exchange;
    int64_t begin, end;
    ls_status status = ls_lanes_init(&lanes, lane_count, ranks.rank, ranks.size);
    if (status == LS_OK) status = ls_pool_create(threads, &pool);
    assert_on_all_ranks(status == LS_OK);
    assert_on_all_ranks(ls_exchange_create(&ranks, &lanes, pool, count, &exchange) == LS_OK);
    ls_exchange_shard(exchange, &begin, &end);
    assert_on_all_ranks(begin == ls_comm_sum_before(&ranks, end - begin));
    assert_on_all_ranks(ls_comm_sum(&ranks, end - begin) == count && begin % 16 == 0);
    for (int step = 0; step < STEPS; step++) {
        shard_check check = {.next = begin, .in_order = true};
        fill(exchange, &lanes, count, step);
        ls_exchange_apply(exchange, update, &check);
        assert_on_all_ranks(check.in_order && check.next == (begin < end ? end : begin));
    }
    assert_on_all_ranks(equals_one_process(ls_exchange_weights(exchange), count, lane_count));
    ls_exchange_destroy(exchange);
    ls_pool_destroy(pool);
}

static void test_weights_equal_those_of_one_process(void **state) {
    (void)state;
    static const int64_t counts[] = {16, 48, 16 * 1001};
    for (int lanes = 4; lanes <= 64; lanes *= 2)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) check_exchange(lanes, counts[c], 1 + (int)c % 2);
}

/* Several pieces a shard, and one shard has a piece more than the others. */
static void test_long_vectors(void **state) {
    (void)state;
    check_exchange(8, 16 * (32768 * ranks.size + 1), 2);
}

static void test_signals_reach_all_ranks(void **state) {
    (void)state;
    enum { LANES = 8, VALUES = 3 };
    ls_lanes lanes;
    ls_pool *pool;
    ls_exchange *exchange;
    ls_status status = ls_lanes_init(&lanes, LANES, ranks.rank, ranks.size);
    if (status == LS_OK) status = ls_pool_create(1, &pool);
    assert_on_all_ranks(status == LS_OK);
    assert_on_all_ranks(ls_exchange_create(&ranks, &lanes, pool, 16, &exchange) == LS_OK);
    for (int values = 1; values <= VALUES; values++)
        for (int flags = 0; flags < 8; flags++) {
            double mine[LANES * VALUES], all[LANES * VALUES];
            int own = (lanes.end - lanes.first) * values;
            for (int i = 0; i < own; i++) mine[i] = lanes.first * values + i + 0.1;
            bool speaks = ranks.rank == flags % ranks.size; /* one rank raises them */
            ls_signals signals = {speaks && (flags & 1), speaks && (flags & 2), speaks && (flags & 4)};
            ls_exchange_signals(exchange, &signals, values, mine, all);
            bool ok = signals.failed == ((flags & 1) != 0) && signals.stop == ((flags & 2) != 0) &&
                      signals.not_finite == ((flags & 4) != 0);
            for (int i = 0; i < LANES * values; i++) ok = ok && all[i] == i + 0.1;
            assert_on_all_ranks(ok);
        }
    ls_exchange_destroy(exchange);
    ls_pool_destroy(pool);
}

static void test_too_much_memory_is_an_agreed_status(void **state) {
    (void)state;
    ls_lanes lanes;
    ls_exchange *exchange;
    assert_on_all_ranks(ls_lanes_init(&lanes, 4, ranks.rank, ranks.size) == LS_OK);
    int64_t count = INT64_C(1) << 50;
    assert_on_all_ranks(ls_exchange_memory_bytes(&lanes, count) > count * 4);
    assert_on_all_ranks(ls_exchange_create(&ranks, &lanes, NULL, count, &exchange) == LS_ERROR && !exchange);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights_equal_those_of_one_process),
        cmocka_unit_test(test_long_vectors),
        cmocka_unit_test(test_signals_reach_all_ranks),
        cmocka_unit_test(test_too_much_memory_is_an_agreed_status),
    };
    return run_on_ranks(argc, argv, "exchange", tests, sizeof tests / sizeof *tests);
}
