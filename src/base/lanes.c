/* lanes.c - the split of a batch into lanes, and sums over them; see lanes.h. */
#include "base/lanes.h"

#include <assert.h>

int64_t ls_lane_offset(int64_t batch, int lane, int lanes) { return lane * batch / lanes; }

int ls_lane_first(int lanes, int rank, int size) { return (int)ls_lane_offset(lanes, rank, size); }

int ls_lanes_most(int lanes, int size) { return (lanes + size - 1) / size; }

double ls_lanes_balance(int lanes, int size) { return (double)lanes / ((double)size * ls_lanes_most(lanes, size)); }

static int power_of_two_from(int least) {
    int power = 1;
    while (power < least) power *= 2;
    return power;
}

static ls_status check_count(int count, int size) {
    if (size > LS_LANES_MAX)
        return LS_RAISE(LS_INVALID, "%d ranks: a run has at most %d lanes and every rank needs one; start fewer ranks",
                        size, (int)LS_LANES_MAX);
    if (count < 1 || count > LS_LANES_MAX)
        return LS_RAISE(LS_INVALID, "training.lanes is %d; it must be a power of two from 1 to %d", count,
                        (int)LS_LANES_MAX);
    int power = power_of_two_from(count);
    if (power != count)
        return LS_RAISE(LS_INVALID, "training.lanes is %d, not a power of two; use --set training.lanes=%d", count,
                        power);
    if (size > count)
        return LS_RAISE(LS_INVALID,
                        "%d lanes are too few for %d ranks, as every rank needs one: start at most %d ranks, or add "
                        "--set training.lanes=%d",
                        count, size, count, power_of_two_from(size));
    return LS_OK;
}

int ls_subtree_lanes(int begin, int end) {
    int lanes = 1;
    while (begin % (2 * lanes) == 0 && begin + 2 * lanes <= end) lanes *= 2;
    return lanes;
}

/* The range is cut greedily. Subtrees grow up to the root of the range and shrink after it: at most 2 log2(V) of them.
 */
ls_status ls_lanes_init(ls_lanes *lanes, int count, int rank, int size) {
    assert(rank >= 0 && rank < size);
    LS_TRY(check_count(count, size));
    *lanes = (ls_lanes){.count = count, .rank = rank, .size = size};
    lanes->first = ls_lane_first(count, rank, size);
    lanes->end = ls_lane_first(count, rank + 1, size);
    for (int lane = lanes->first; lane < lanes->end; lane += ls_subtree_lanes(lane, lanes->end))
        lanes->subtree_begin[lanes->subtrees++] = lane;
    lanes->subtree_begin[lanes->subtrees] = lanes->end;
    return LS_OK;
}

void ls_lanes_rows(const ls_lanes *lanes, int64_t batch, ls_rows *rows) {
    int64_t before = ls_lane_offset(batch, lanes->first, lanes->count);
    rows->lanes = lanes->end - lanes->first;
    rows->first_lane = lanes->first;
    for (int lane = 0; lane <= rows->lanes; lane++)
        rows->lane_begin[lane] = ls_lane_offset(batch, lanes->first + lane, lanes->count) - before;
    rows->count = rows->lane_begin[rows->lanes];
    rows->global_count = batch;
    rows->subtrees = lanes->subtrees;
    for (int subtree = 0; subtree <= lanes->subtrees; subtree++)
        rows->subtree_begin[subtree] = lanes->subtree_begin[subtree] - lanes->first;
}

void ls_rows_lane_sums(const ls_rows *rows, const double *row_value, int64_t stride, double *lane_sum) {
    for (int lane = 0; lane < rows->lanes; lane++) {
        double sum = 0;
        for (int64_t row = rows->lane_begin[lane]; row < rows->lane_begin[lane + 1]; row++) sum += row_value[row];
        lane_sum[lane * stride] = sum;
    }
}

double ls_lanes_sum(double *values, int count) {
    for (ls_tree t = ls_tree_of(count); ls_tree_next(&t);) values[t.to] += values[t.from];
    return values[0];
}
