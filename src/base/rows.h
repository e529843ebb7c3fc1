/* rows.h - how the rows (samples) of one rank's batch divide into lanes, and its lanes into gradient sums.
 *
 * Rows lie lane after lane. A subtree is a run of lanes that is a whole part of the fixed binary tree over all
 * lanes of the run (lanes [a 2^k, (a+1) 2^k)); a rank's gradients are one sum a subtree, added up in that tree. Whoever
 * adds the subtrees, the result is the same. A lane without rows gives a sum of zeros and is added like any other. */
#ifndef LS_BASE_ROWS_H
#define LS_BASE_ROWS_H

#include <stdint.h>

enum { LS_LANES_MAX = 1024, LS_SUBTREES_MAX = 20 };

typedef struct ls_rows {
    int64_t count;                        /* rows in all; lane_begin[lanes] */
    int64_t global_count;                 /* rows of the whole batch, over all ranks: what a mean divides by */
    int lanes;                            /* lanes of this rank, */
    int first_lane;                       /* of the run's the first */
    int64_t lane_begin[LS_LANES_MAX + 1]; /* lane l has rows [lane_begin[l], lane_begin[l+1]) */
    int subtrees;
    int subtree_begin[LS_SUBTREES_MAX +
                      1]; /* subtree i has the lanes [subtree_begin[i], subtree_begin[i+1]), a power of two of them */
} ls_rows;

/* All rows in one lane and one subtree: for inference and single-process tests. */
static inline ls_rows ls_rows_single(int64_t count) {
    ls_rows rows = {.count = count, .global_count = count, .lanes = 1, .subtrees = 1};
    rows.lane_begin[1] = count;
    rows.subtree_begin[1] = 1;
    return rows;
}

#endif
