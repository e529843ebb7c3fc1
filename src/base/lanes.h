/* lanes.h - the split of a batch into lanes, and the one tree in which lanes are added. Plain arithmetic. Local.
 *
 * The global batch of B samples is split into V lanes (a power of two). Lane v takes floor((v+1)B/V) - floor(vB/V) of
 * them. Rank r of R owns the lanes [floor(rV/R), floor((r+1)V/R)). V is part of the run, and R is not: so the ranks
 * decide who works on a lane, and never what is in it.
 *
 * A gradient is one sum a lane, and lanes are added in a fixed binary tree: ((0+1)+(2+3))+((4+5)+(6+7)). A subtree is a
 * complete part of it, the lanes [a 2^k, (a+1) 2^k). Whoever adds subtrees first, the sum of all has the same bits. */
#ifndef LS_BASE_LANES_H
#define LS_BASE_LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* LS_TREE_DEPTH_MAX: log2 of the most lanes. A range of lanes has at most two subtrees of each size. */
enum { LS_LANES_MAX = 1024, LS_TREE_DEPTH_MAX = 10, LS_SUBTREES_MAX = 2 * LS_TREE_DEPTH_MAX };

/* ---- the split ---- */

/* Samples before lane `lane` in a batch of `batch`. */
int64_t ls_lane_offset(int64_t batch, int lane, int lanes);
/* First lane of a rank; of rank `size`: lanes. */
int ls_lane_first(int lanes, int rank, int size);
/* The lanes of the rank that has most. */
int ls_lanes_most(int lanes, int size);
/* What share of the cores the run can use: mean over max of the ranks' lanes (1: balanced). */
double ls_lanes_balance(int lanes, int size);

/* The lanes of a rank. */
typedef struct ls_lanes {
    int count;      /* V */
    int rank, size; /* r, R */
    int first, end; /* the lanes of this rank */
    int subtrees;   /* the fewest that make up [first, end), in order */
    int subtree_begin[LS_SUBTREES_MAX + 1];
} ls_lanes;

/* Errors: LS_INVALID: lanes not a power of two in 1..LS_LANES_MAX, or more ranks than lanes (the message has the --set
 * training.lanes=N that mends it). */
ls_status ls_lanes_init(ls_lanes *lanes, int count, int rank, int size);

/* The rows (samples) of a rank's batch: they lie lane after lane. A rank's gradients are one sum a subtree. A lane
 * without rows gives a sum of zeros and is added like any other. */
typedef struct ls_rows {
    int64_t count;                          /* rows in all: lane_begin[lanes] */
    int64_t global_count;                   /* rows of the whole batch, over all ranks: what a mean divides by */
    int lanes;                              /* of this rank */
    int first_lane;                         /* its number among the lanes of the run */
    int64_t lane_begin[LS_LANES_MAX + 1];   /* lane l has the rows [lane_begin[l], lane_begin[l+1]) */
    int subtrees;                           /* of this rank */
    int subtree_begin[LS_SUBTREES_MAX + 1]; /* subtree i has the lanes [subtree_begin[i], subtree_begin[i+1]) */
} ls_rows;

/* How the rank's part of a batch of `batch` samples divides. */
void ls_lanes_rows(const ls_lanes *lanes, int64_t batch, ls_rows *rows);

/* All rows in one lane and one subtree: for inference and single-process tests. */
static inline ls_rows ls_rows_single(int64_t count) {
    ls_rows rows = {.count = count, .global_count = count, .lanes = 1, .subtrees = 1};
    rows.lane_begin[1] = count;
    rows.subtree_begin[1] = 1;
    return rows;
}

/* lane_sum[lane * stride] = the sum of the lane's row_value[rows], added in row order. */
void ls_rows_lane_sums(const ls_rows *rows, const double *row_value, int64_t stride, double *lane_sum);

/* ---- the tree ---- */

/* How many lanes the largest subtree has that begins at lane `begin` and does not pass `end`. */
int ls_subtree_lanes(int begin, int end);

/* The additions that make the sum of the terms x[0], ..., x[count - 1]. At the end the sum is in x[0]. count is a power
 * of two. (With any other count the last terms are added at the end.)
 *
 *   for (ls_tree t = ls_tree_of(count); ls_tree_next(&t);) x[t.to] += x[t.from]; */
typedef struct ls_tree {
    int count, distance;
    int to, from;
} ls_tree;

static inline ls_tree ls_tree_of(int count) { return (ls_tree){.count = count, .distance = 1, .to = -2}; }

static inline bool ls_tree_next(ls_tree *t) {
    t->to += 2 * t->distance;
    if (t->to + t->distance >= t->count) {
        t->distance *= 2;
        t->to = 0;
    }
    t->from = t->to + t->distance;
    return t->from < t->count;
}

/* Returns the sum of values[count] in that tree, in double, for losses and metrics. The values are overwritten. */
double ls_lanes_sum(double *values, int count);

/* The same tree where terms come one by one. Sums wait in places, and are added as a binary counter carries: to term
 * number `index` (from 0) the sums in the places 0, 1, ..., carries - 1 are added, in that order, and the result waits
 * in place `carries`. The sum of 2^k terms ends in place k. */
static inline int ls_tree_carries(int64_t index) { return __builtin_ctzll(~(unsigned long long)index); }

/* The place of the largest sum that so many terms (1 or more) make. */
static inline int ls_tree_depth(int64_t count) { return 63 - __builtin_clzll((unsigned long long)count); }

#endif
