/* The split of a batch, and the law of the tree over lanes: any cut gives the same bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/lanes.h"

enum { LANES = 64 };

static ls_lanes lanes_of(int count, int rank, int size) {
    ls_lanes lanes;
    assert_int_equal(ls_lanes_init(&lanes, count, rank, size), LS_OK);
    return lanes;
}

static void test_lanes_divide_a_batch(void **state) {
    (void)state;
    static const int64_t batches[] = {0, 1, 2, 3, 7, 8, 63, 64, 100, 128, 1000, INT64_C(1) << 50};
    for (int count = 1; count <= LANES; count *= 2)
        for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
            int64_t batch = batches[b];
            assert_int_equal(ls_lane_offset(batch, 0, count), 0);
            assert_int_equal(ls_lane_offset(batch, count, count), batch);
            for (int lane = 0; lane < count; lane++) {
                int64_t rows = ls_lane_offset(batch, lane + 1, count) - ls_lane_offset(batch, lane, count);
                assert_true(rows == batch / count || rows == batch / count + (batch % count != 0));
            }
        }
}

static void test_ranks_divide_the_lanes(void **state) {
    (void)state;
    for (int count = 1; count <= LANES; count *= 2)
        for (int size = 1; size <= count; size++) {
            int next = 0, most = 0;
            for (int rank = 0; rank < size; rank++) {
                ls_lanes lanes = lanes_of(count, rank, size);
                assert_int_equal(lanes.first, next);
                assert_true(lanes.end > lanes.first);
                if (lanes.end - lanes.first > most) most = lanes.end - lanes.first;
                next = lanes.end;
            }
            assert_int_equal(next, count);
            double balance = (double)count / size / most;
            assert_true(ls_lanes_balance(count, size) > balance - 1e-12 &&
                        ls_lanes_balance(count, size) < balance + 1e-12);
        }
}

static void test_subtrees_are_the_fewest(void **state) {
    (void)state;
    for (int count = 1; count <= LS_LANES_MAX; count *= 2)
        for (int size = 1; size <= count; size += count > LANES ? 7 : 1)
            for (int rank = 0; rank < size; rank++) {
                ls_lanes lanes = lanes_of(count, rank, size);
                assert_true(lanes.subtrees >= 1 && lanes.subtrees <= LS_SUBTREES_MAX);
                assert_int_equal(lanes.subtree_begin[0], lanes.first);
                assert_int_equal(lanes.subtree_begin[lanes.subtrees], lanes.end);
                for (int subtree = 0; subtree < lanes.subtrees; subtree++) {
                    int begin = lanes.subtree_begin[subtree], length = lanes.subtree_begin[subtree + 1] - begin;
                    assert_true(length > 0 && (length & (length - 1)) == 0 && begin % length == 0);
                    /* Fewest: no subtree is the left half of a pair whose right half is the next one. */
                    if (subtree + 1 < lanes.subtrees && begin % (2 * length) == 0)
                        assert_int_not_equal(lanes.subtree_begin[subtree + 2] - lanes.subtree_begin[subtree + 1],
                                             length);
                }
            }
}

static void test_rows_of_all_ranks_make_up_the_batch(void **state) {
    (void)state;
    static ls_rows rows;
    for (int count = 1; count <= LANES; count *= 2)
        for (int size = 1; size <= count; size++)
            for (int64_t batch = 0; batch <= 3 * count + 1; batch++) {
                int64_t total = 0;
                for (int rank = 0; rank < size; rank++) {
                    ls_lanes lanes = lanes_of(count, rank, size);
                    ls_lanes_rows(&lanes, batch, &rows);
                    assert_int_equal(rows.lanes, lanes.end - lanes.first);
                    assert_int_equal(rows.first_lane, lanes.first);
                    assert_int_equal(rows.global_count, batch);
                    assert_int_equal(rows.lane_begin[0], 0);
                    for (int lane = 0; lane <= rows.lanes; lane++)
                        assert_int_equal(rows.lane_begin[lane] + total,
                                         ls_lane_offset(batch, lanes.first + lane, count));
                    assert_int_equal(rows.lane_begin[rows.lanes], rows.count);
                    assert_int_equal(rows.subtrees, lanes.subtrees);
                    assert_int_equal(rows.subtree_begin[0], 0);
                    assert_int_equal(rows.subtree_begin[rows.subtrees], rows.lanes);
                    total += rows.count;
                }
                assert_int_equal(total, batch);
            }
}

/* Lane sums of very different size, so that another order of addition gives other bits. */
static float lane_value(uint32_t lane, uint32_t sample) {
    uint32_t hash = (lane * 2654435761u) ^ (sample * 2246822519u);
    hash ^= hash >> 15;
    hash *= 2654435769u;
    hash ^= hash >> 13;
    float scale[] = {1e-3f, 1, 1e3f, 1e6f};
    return ((float)(hash >> 8) / 8388608.0f - 1) * scale[hash & 3];
}

/* What the tree is: a sum is its left half's plus its right half's. */
static float tree(const float *lanes, int count) {
    return count == 1 ? lanes[0] : tree(lanes, count / 2) + tree(lanes + count / 2, count / 2);
}

static double tree_in_double(const double *lanes, int count) {
    return count == 1 ? lanes[0] : tree_in_double(lanes, count / 2) + tree_in_double(lanes + count / 2, count / 2);
}

static void test_lane_sums_in_double(void **state) {
    (void)state;
    double values[LANES];
    for (int count = 1; count <= LANES; count *= 2) {
        for (int lane = 0; lane < count; lane++) values[lane] = (double)lane_value((uint32_t)lane, 7) / 3;
        double expected = tree_in_double(values, count), sum = ls_lanes_sum(values, count);
        assert_memory_equal(&sum, &expected, sizeof sum);
    }
}

/* A subtree's sum by the list of additions, and with terms that come one by one. */
static float sum_in_place(const float *lanes, int count) {
    float x[LS_LANES_MAX];
    memcpy(x, lanes, (size_t)count * sizeof *x);
    int additions = 0;
    for (ls_tree t = ls_tree_of(count); ls_tree_next(&t); additions++) x[t.to] += x[t.from];
    assert_int_equal(additions, count - 1);
    return x[0];
}

static float sum_as_they_come(const float *lanes, int count) {
    float waiting[LS_TREE_DEPTH_MAX + 1] = {0};
    for (int lane = 0; lane < count; lane++) {
        int carries = ls_tree_carries(lane);
        float sum = lanes[lane];
        for (int i = 0; i < carries; i++) sum += waiting[i];
        waiting[carries] = sum;
    }
    return waiting[ls_tree_depth(count)];
}

/* Cuts the lanes where a set bit of `cuts` says so, adds each range's largest subtrees first, and then these. */
static float sum_of_ranges(const float *lanes, int count, uint64_t cuts) {
    float waiting[LS_TREE_DEPTH_MAX + 1] = {0};
    for (int begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && !(cuts >> (end % 64) & 1);) end++;
        for (int first = begin, length; first < end; first += length) {
            length = ls_subtree_lanes(first, end);
            float sum = sum_in_place(lanes + first, length);
            int place = ls_tree_depth(length), carries = ls_tree_carries(first / length);
            for (int i = 0; i < carries; i++) sum += waiting[place + i];
            waiting[place + carries] = sum;
        }
    }
    return waiting[ls_tree_depth(count)];
}

/* The law of the tree: whoever adds which lanes first, in whatever way, the sum has the bits of the definition. */
static void test_any_cut_gives_the_same_sum(void **state) {
    (void)state;
    enum { CUTS = 300 };
    float lanes[LS_LANES_MAX];
    uint64_t cuts = 1;
    int different = 0;
    for (int count = 1; count <= LS_LANES_MAX; count *= 2)
        for (uint32_t sample = 0; sample < CUTS; sample++) {
            float in_order = 0;
            for (int lane = 0; lane < count; lane++) lanes[lane] = lane_value((uint32_t)lane, sample);
            for (int lane = 0; lane < count; lane++) in_order += lanes[lane];
            cuts = cuts * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            float expected = tree(lanes, count), place = sum_in_place(lanes, count),
                  come = sum_as_they_come(lanes, count), ranges = sum_of_ranges(lanes, count, cuts ^ cuts >> 29);
            assert_memory_equal(&place, &expected, sizeof expected);
            assert_memory_equal(&come, &expected, sizeof expected);
            assert_memory_equal(&ranges, &expected, sizeof expected);
            different += memcmp(&in_order, &expected, sizeof expected) != 0;
        }
    assert_true(different > CUTS); /* or these numbers could not tell one order from another */
}

static void test_lane_sums_of_rows(void **state) {
    (void)state;
    ls_lanes lanes = lanes_of(4, 0, 1);
    static ls_rows rows;
    const double values[] = {1, 2, 4, 8, 16, 32};
    double sums[8] = {0};
    ls_lanes_rows(&lanes, 6, &rows); /* 1, 2, 1, 2 rows */
    ls_rows_lane_sums(&rows, values, 2, sums + 1);
    const double expected[] = {0, 1, 0, 6, 0, 8, 0, 48};
    assert_memory_equal(sums, expected, sizeof sums);
}

static void test_a_wrong_number_of_lanes_says_what_to_set(void **state) {
    (void)state;
    static const struct {
        int count, size;
        const char *mend;
    } cases[] = {{0, 1, "from 1 to 1024"},          {6, 1, "--set training.lanes=8"},   {2048, 1, "from 1 to 1024"},
                 {8, 9, "--set training.lanes=16"}, {8, 16, "--set training.lanes=16"}, {1, 1025, "fewer ranks"}};
    ls_lanes lanes;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(ls_lanes_init(&lanes, cases[i].count, 0, cases[i].size), LS_INVALID);
        assert_non_null(strstr(ls_failure_get()->message, cases[i].mend));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lanes_divide_a_batch),    cmocka_unit_test(test_ranks_divide_the_lanes),
        cmocka_unit_test(test_subtrees_are_the_fewest), cmocka_unit_test(test_rows_of_all_ranks_make_up_the_batch),
        cmocka_unit_test(test_lane_sums_in_double),     cmocka_unit_test(test_any_cut_gives_the_same_sum),
        cmocka_unit_test(test_lane_sums_of_rows),       cmocka_unit_test(test_a_wrong_number_of_lanes_says_what_to_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
