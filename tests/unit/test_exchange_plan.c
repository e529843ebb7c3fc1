/* The exchange's plan for all ranks and groupings, without MPI: every sum has the bits of the tree over all lanes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "par/exchange_plan_internal.h"

enum { LANES = 64, FLOATS = 1500 }; /* more floats than an expression adds up at a time */

/* Lane sums of very different size, so that another order of addition gives other bits. */
static float lane_value(int lane, int i) {
    uint32_t hash = ((uint32_t)lane * 2654435761u) ^ ((uint32_t)i * 2246822519u);
    hash ^= hash >> 15;
    hash *= 2654435769u;
    hash ^= hash >> 13;
    float scale[] = {1e-3f, 1, 1e3f, 1e6f};
    return ((float)(hash >> 8) / 8388608.0f - 1) * scale[hash & 3];
}

static float tree(int first, int lanes, int i) {
    if (lanes == 1) return lane_value(first, i);
    return tree(first, lanes / 2, i) + tree(first + lanes / 2, lanes / 2, i);
}

/* Who shares memory with whom. */
typedef int (*group_fn)(int rank, int size);
static int all(int rank, int size) { return (void)rank, (void)size, 0; }
static int each(int rank, int size) { return (void)size, rank; }
static int by_two(int rank, int size) { return (void)size, rank / 2; }
static int by_three(int rank, int size) { return (void)size, rank / 3; }
static int in_turn(int rank, int size) { return (void)size, rank % 3; }
static int halves(int rank, int size) { return rank < size / 2; }
static const group_fn groupings[] = {all, each, by_two, by_three, in_turn, halves};
enum { GROUPINGS = sizeof groupings / sizeof *groupings };

static int group[LANES];

static ls_exchange_plan plan_of(int lanes, int rank, int size) {
    ls_lanes mine;
    ls_exchange_plan plan;
    assert_int_equal(ls_lanes_init(&mine, lanes, rank, size), LS_OK);
    assert_int_equal(ls_exchange_plan_init(&plan, &mine, group), LS_OK);
    return plan;
}

/* The rank that is a member of the same group as `rank`. */
static int member_rank(int rank, int member, int size) {
    for (int other = 0; other < size; other++)
        if (group[other] == group[rank] && member-- == 0) return other;
    return -1;
}

/* The subtrees' sums of a rank's group, over `count` numbers from `first` on. */
static void fill_subtrees(const ls_exchange_plan *plan, int lanes, int rank, int size, int count, float *out) {
    for (int subtree = 0; subtree < plan->subtrees; subtree++) {
        ls_lanes other;
        assert_int_equal(ls_lanes_init(&other, lanes, member_rank(rank, plan->subtree[subtree].member, size), size),
                         LS_OK);
        int first = other.subtree_begin[plan->subtree[subtree].subtree];
        for (int i = 0; i < count; i++)
            out[subtree * FLOATS + i] = tree(first, other.subtree_begin[plan->subtree[subtree].subtree + 1] - first, i);
    }
}

static float storage[2 * LANES * FLOATS], sent[LANES * FLOATS];
static const float *terms[2 * LANES];

/* What `from` sends to `to`: its partial sums, made in place. */
static int send(int lanes, int from, int to, int size, int count, float *out) {
    ls_exchange_plan plan = plan_of(lanes, from, size);
    int partials = plan.partials, serves = 0;
    for (int t = 0; t < plan.targets; t++) serves += plan.target[t] == to;
    assert_int_equal(serves, 1);
    fill_subtrees(&plan, lanes, from, size, count, sent);
    for (int subtree = 0; subtree < plan.subtrees; subtree++) terms[subtree] = sent + subtree * FLOATS;
    for (int p = 0; p < plan.partials; p++) {
        float *place = sent + plan.partial[p].tokens[0] * FLOATS;
        const float *sum = ls_expression_sum(&plan.partial[p], terms, 0, count, place);
        for (int i = 0; i < count; i++) out[p * FLOATS + i] = sum[i];
    }
    ls_exchange_plan_release(&plan);
    return partials;
}

static void check_rank(int lanes, int rank, int size, int count) {
    static float out[FLOATS];
    ls_exchange_plan plan = plan_of(lanes, rank, size);
    assert_int_equal(plan.servers, plan.groups - 1);
    float *arrivals = storage + plan.subtrees * FLOATS;
    for (int s = 0; s < plan.servers; s++) {
        int next = 0;
        static float from_server[LANES * FLOATS];
        int partials = send(lanes, plan.server[s], rank, size, count, from_server);
        for (int a = 0; a < plan.arrivals; a++) {
            if (plan.arrival[a] != plan.server[s]) continue;
            for (int i = 0; i < count; i++) arrivals[a * FLOATS + i] = from_server[next * FLOATS + i];
            next++;
        }
        assert_int_equal(next, partials);
    }
    fill_subtrees(&plan, lanes, rank, size, count, storage);
    for (int t = 0; t < plan.subtrees + plan.arrivals; t++) terms[t] = storage + t * FLOATS;
    const float *sum = ls_expression_sum(&plan.sum, terms, 0, count, out);
    for (int i = 0; i < count; i++) assert_true(sum[i] == tree(0, lanes, i));
    ls_exchange_plan_release(&plan);
}

/* The key law: neither who adds, nor who shares memory with whom, changes the bits. */
static void test_sums_are_equal_for_all_ranks_and_groups(void **state) {
    (void)state;
    for (int g = 0; g < GROUPINGS; g++)
        for (int lanes = 1; lanes <= 16; lanes *= 2)
            for (int size = 1; size <= lanes; size++) {
                for (int rank = 0; rank < size; rank++) group[rank] = groupings[g](rank, size);
                for (int rank = 0; rank < size; rank++) check_rank(lanes, rank, size, 5);
            }
}

static void test_sums_in_stretches(void **state) {
    (void)state;
    for (int rank = 0; rank < 5; rank++) group[rank] = rank / 2;
    check_rank(LANES, 2, 5, FLOATS);
}

/* One partial sum is enough for a host whose ranks have a complete subtree. */
static void test_hosts_add_first(void **state) {
    (void)state;
    for (int rank = 0; rank < 8; rank++) group[rank] = rank / 4;
    ls_exchange_plan plan = plan_of(8, 5, 8);
    assert_int_equal(plan.subtrees, 4);
    assert_int_equal(plan.partials, 1);
    assert_int_equal(plan.arrivals, 1);
    assert_int_equal(plan.targets, 1);
    assert_int_equal(plan.target[0], 1);
    assert_int_equal(plan.arrival[0], 1);
    ls_exchange_plan_release(&plan);
}

/* The most lanes and ranks that there can be: the deepest expressions. */
static void test_the_largest_job(void **state) {
    (void)state;
    static int many[LS_LANES_MAX];
    ls_lanes lanes;
    ls_exchange_plan plan;
    for (int rank = 0; rank < LS_LANES_MAX; rank++) many[rank] = rank / 48;
    assert_int_equal(ls_lanes_init(&lanes, LS_LANES_MAX, 100, LS_LANES_MAX), LS_OK);
    assert_int_equal(ls_exchange_plan_init(&plan, &lanes, many), LS_OK);
    int depth = 0, deepest = 0;
    for (int t = 0; t < plan.sum.length; t++) {
        depth += plan.sum.tokens[t] == LS_PLUS ? -1 : 1;
        deepest = depth > deepest ? depth : deepest;
    }
    assert_int_equal(depth, 1);
    assert_true(deepest <= LS_EXPRESSION_DEPTH_MAX);
    assert_int_equal(plan.servers, plan.groups - 1);
    ls_exchange_plan_release(&plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_are_equal_for_all_ranks_and_groups),
        cmocka_unit_test(test_sums_in_stretches),
        cmocka_unit_test(test_hosts_add_first),
        cmocka_unit_test(test_the_largest_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
