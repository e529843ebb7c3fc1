/* The division of a flat vector into buckets, slices and shards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "par/shards.h"

enum { G = LS_GRAIN_FLOATS };
static const int64_t counts[] = {16, 48, G - 16, G, G + 16, 5 * G + 32, 64 * G, 1001 * G + 16};
static const int64_t buckets[] = {0, 1, G, 3 * G - 1, 8 * G, INT64_MAX / 2};
enum { COUNTS = sizeof counts / sizeof *counts, BUCKETS = sizeof buckets / sizeof *buckets, RANKS = 20 };

static void check_division(const ls_shards *shards) {
    int64_t at = 0;
    for (int64_t b = 0; b < shards->buckets; b++) {
        ls_range bucket = ls_shards_bucket(shards, b);
        assert_true(bucket.begin == at && bucket.end > at && bucket.begin % G == 0);
        for (int rank = 0; rank < shards->size; rank++) {
            ls_range slice = ls_shards_slice(shards, b, rank);
            assert_true(slice.begin == at && slice.end >= at);
            assert_true(slice.end % G == 0 || slice.end == shards->count);
            at = slice.end;
        }
        assert_true(at == bucket.end);
    }
    assert_true(at == shards->count);
}

static void test_slices_make_up_the_vector(void **state) {
    (void)state;
    for (int c = 0; c < COUNTS; c++)
        for (int b = 0; b < BUCKETS; b++)
            for (int size = 1; size <= RANKS; size++) {
                ls_shards shards = ls_shards_make(counts[c], buckets[b], 0, size);
                check_division(&shards);
            }
}

static void test_a_shard_is_its_slices_end_to_end(void **state) {
    (void)state;
    for (int c = 0; c < COUNTS; c++)
        for (int b = 0; b < BUCKETS; b++)
            for (int rank = 0; rank < RANKS; rank++) {
                ls_shards shards = ls_shards_make(counts[c], buckets[b], rank, RANKS);
                int64_t place = 0;
                for (int64_t bucket = 0; bucket < shards.buckets; bucket++) {
                    assert_true(ls_shards_place(&shards, bucket) == place);
                    ls_range slice = ls_shards_slice(&shards, bucket, rank);
                    place += slice.end - slice.begin;
                }
                assert_true(ls_shards_place(&shards, shards.buckets) == place);
            }
}

/* No rank has more than a grain more than another one of a bucket. */
static void test_slices_are_even(void **state) {
    (void)state;
    ls_shards shards = ls_shards_make(1000 * G, INT64_MAX / 2, 0, 7);
    for (int rank = 0; rank < 7; rank++) {
        ls_range slice = ls_shards_slice(&shards, 0, rank);
        assert_in_range(slice.end - slice.begin, 142 * G, 143 * G);
    }
}

static void test_common_range(void **state) {
    (void)state;
    ls_range common = ls_range_common((ls_range){2, 9}, (ls_range){5, 12});
    assert_true(common.begin == 5 && common.end == 9);
    common = ls_range_common((ls_range){2, 4}, (ls_range){5, 12});
    assert_true(common.begin == common.end);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slices_make_up_the_vector),
        cmocka_unit_test(test_a_shard_is_its_slices_end_to_end),
        cmocka_unit_test(test_slices_are_even),
        cmocka_unit_test(test_common_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
