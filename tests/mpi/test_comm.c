/* What ranks do together: reductions, gathering, agreement, and memory that a host's ranks share. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/ranks.h"

static void test_reductions(void **state) {
    (void)state;
    int64_t large = INT64_C(1) << 40, n = ranks.size, sum = n * (n - 1) / 2;
    assert_on_all_ranks(ls_comm_sum(&ranks, large + ranks.rank) == large * n + sum);
    assert_on_all_ranks(ls_comm_min(&ranks, large + ranks.rank) == large);
    assert_on_all_ranks(ls_comm_max(&ranks, large + ranks.rank) == large + n - 1);
    assert_on_all_ranks(ls_comm_max_double(&ranks, -1.5 * (ranks.rank + 1)) >= -1.5);
}

static void test_places(void **state) {
    (void)state;
    assert_on_all_ranks(ranks.rank >= 0 && ranks.rank < ranks.size);
    assert_on_all_ranks(ranks.host_rank >= 0 && ranks.host_rank < ranks.host_size && ranks.host_size <= ranks.size);
    assert_on_all_ranks(ranks.host[0] != '\0');
    ls_comm_barrier(&ranks);
}

static bool bind_to_cpu(const cpu_set_t *allowed, int number) {
    cpu_set_t one;
    size_t cpu = 0;
    while (!CPU_ISSET(cpu, allowed) || number-- > 0) cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
}

static int cpus_of_host(void) {
    ls_cpus cpus = ls_comm_host_cpus(&ranks);
    return ls_cpus_count(&cpus);
}

/* A processor that ranks share is one. */
static void test_processors_of_a_host(void **state) {
    (void)state;
    cpu_set_t allowed;
    assert_on_all_ranks(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
    int cpus = CPU_COUNT(&allowed);
    assert_on_all_ranks(ls_comm_min(&ranks, cpus) == cpus && ls_comm_max(&ranks, cpus) == cpus);
    assert_on_all_ranks(cpus_of_host() == cpus);
    assert_on_all_ranks(bind_to_cpu(&allowed, 0));
    assert_on_all_ranks(cpus_of_host() == 1);
    assert_on_all_ranks(bind_to_cpu(&allowed, ranks.host_rank % cpus));
    assert_on_all_ranks(cpus_of_host() == (ranks.host_size < cpus ? ranks.host_size : cpus));
    assert_on_all_ranks(sched_setaffinity(0, sizeof allowed, &allowed) == 0);
}

static unsigned char byte_of(int rank, int64_t i) { return (unsigned char)(i * 31 + (i >> 16) * 7 + rank * 101); }

static bool holds(const unsigned char *data, int64_t bytes, int rank) {
    int64_t i = 0;
    while (i < bytes && data[i] == byte_of(rank, i)) i++;
    return i == bytes;
}

/* Sizes around the length of the pieces in which comm.c sends. */
static void test_broadcast_and_gather_of_any_length(void **state) {
    (void)state;
    static const int64_t lengths[] = {0, 1, 1000, (16 << 20) - 1, 16 << 20, (16 << 20) + 5};
    int64_t most = (16 << 20) + 5;
    unsigned char *mine, *all;
    ls_status status = ls_alloc(&mine, most, 1, "test");
    if (status == LS_OK) status = ls_alloc(&all, most * ranks.size, 1, "test");
    assert_on_all_ranks(status == LS_OK);
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        int64_t bytes = lengths[l];
        bool ok = true;
        for (int64_t i = 0; i < bytes; i++) mine[i] = byte_of(ranks.rank, i);
        ls_comm_gather_all(&ranks, mine, bytes, all);
        for (int rank = 0; rank < ranks.size; rank++) ok = ok && holds(all + rank * bytes, bytes, rank);
        assert_on_all_ranks(ok);
        ls_comm_broadcast(&ranks, mine, bytes, ranks.size - 1);
        assert_on_all_ranks(holds(mine, bytes, ranks.size - 1));
    }
    ls_free(mine);
    ls_free(all);
}

/* Parts of different length; the last rank's is empty. */
static void test_rank_0_collects_parts_in_order(void **state) {
    (void)state;
    enum { EACH = 100000 };
    static unsigned char mine[EACH * 8], all[EACH * 64];
    assert_on_all_ranks(ranks.size <= 8);
    int64_t bytes = (int64_t)EACH * (ranks.size - 1 - ranks.rank), at = 0;
    bool ok = true;
    for (int64_t i = 0; i < bytes; i++) mine[i] = byte_of(ranks.rank, i);
    ls_comm_collect(&ranks, mine, bytes, all);
    for (int rank = 0; rank < ranks.size && ranks.rank == 0; rank++) {
        bytes = (int64_t)EACH * (ranks.size - 1 - rank);
        ok = ok && holds(all + at, bytes, rank);
        at += bytes;
    }
    assert_on_all_ranks(ok);
}

/* More than goes in one message, from the last rank; the others have a byte each. */
static void test_rank_0_collects_long_parts(void **state) {
    (void)state;
    const int64_t length = (33 << 20) + 5, bytes = ranks.rank == ranks.size - 1 ? length : 1;
    unsigned char *mine = malloc((size_t)bytes), *all = malloc((size_t)(length + ranks.size));
    for (int64_t i = 0; i < bytes; i++) mine[i] = byte_of(ranks.rank, i);
    ls_comm_collect(&ranks, mine, bytes, all);
    bool ok = true;
    for (int rank = 0; rank < ranks.size && ranks.rank == 0; rank++)
        ok = ok && holds(all + rank, rank == ranks.size - 1 ? length : 1, rank);
    assert_on_all_ranks(ok);
    free(mine);
    free(all);
}

static void test_agreement_that_all_is_well(void **state) {
    (void)state;
    assert_on_all_ranks(ls_agree(&ranks, LS_OK) == LS_OK);
}

static void test_agreement_on_the_lowest_failure(void **state) {
    (void)state;
    for (int first = 0; first < ranks.size; first++) {
        static const ls_status codes[] = {LS_ERROR, LS_INVALID, LS_STOPPED};
        ls_status mine = LS_OK, expected = codes[first % 3];
        if (ranks.rank >= first) mine = LS_RAISE(codes[ranks.rank % 3], "disk %d is full", ranks.rank);
        ls_status common = ls_agree(&ranks, mine);
        assert_on_all_ranks(common == expected && ls_failure_get()->status == expected);

        char message[64], place[64];
        snprintf(message, sizeof message, "disk %d is full", first);
        snprintf(place, sizeof place, "rank %d on ", first);
        assert_on_all_ranks(strstr(ls_failure_get()->message, message));
        assert_on_all_ranks((strstr(ls_failure_get()->message, place) != NULL) == (first > 0));
        assert_on_all_ranks(strstr(ls_failure_get()->trace, __func__));

        /* Agreed once more, on the way out, it is still the same. */
        ls_failure before = *ls_failure_get();
        assert_on_all_ranks(ls_agree(&ranks, common) == expected);
        assert_on_all_ranks(strcmp(before.message, ls_failure_get()->message) == 0);
    }
}

static void test_memory_that_a_host_shares(void **state) {
    (void)state;
    const int64_t each = 300000, bytes = each * ranks.host_size;
    for (int round = 0; round < 2; round++) { /* new memory is zero though the old was not */
        ls_shared shared;
        assert_on_all_ranks(ls_shared_create(&ranks, bytes, &shared) == LS_OK && shared.bytes == bytes);
        unsigned char *data = shared.data;
        bool ok = true;
        for (int64_t i = 0; i < bytes; i++) ok = ok && data[i] == 0;
        assert_on_all_ranks(ok);
        for (int64_t i = 0; i < each; i++) data[each * ranks.host_rank + i] = byte_of(ranks.host_rank, i);
        ls_comm_barrier(&ranks);
        for (int rank = 0; rank < ranks.host_size; rank++) ok = ok && holds(data + rank * each, each, rank);
        assert_on_all_ranks(ok);
        ls_shared_release(&shared);
        assert_on_all_ranks(shared.data == NULL);
        ls_shared_release(&shared);
    }
}

static void test_too_much_shared_memory_is_a_status(void **state) {
    (void)state;
    ls_shared shared;
    assert_on_all_ranks(ls_shared_create(&ranks, INT64_MAX / 2, &shared) == LS_ERROR && shared.data == NULL);
    assert_on_all_ranks(strstr(ls_failure_get()->message, "shared memory"));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reductions),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_processors_of_a_host),
        cmocka_unit_test(test_broadcast_and_gather_of_any_length),
        cmocka_unit_test(test_rank_0_collects_parts_in_order),
        cmocka_unit_test(test_rank_0_collects_long_parts),
        cmocka_unit_test(test_agreement_that_all_is_well),
        cmocka_unit_test(test_agreement_on_the_lowest_failure),
        cmocka_unit_test(test_memory_that_a_host_shares),
        cmocka_unit_test(test_too_much_shared_memory_is_a_status),
    };
    return run_on_ranks(argc, argv, "comm", tests, sizeof tests / sizeof *tests);
}
