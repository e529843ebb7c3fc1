/* lanes.h - the arithmetic of lanes: pure functions of integers, no MPI.
 *
 * The global batch of B samples is split into V lanes (a power of two): lane v takes floor((v+1)B/V) - floor(vB/V) of
 * them. Rank r of R owns the lanes [floor(rV/R), floor((r+1)V/R)). A gradient is one sum a lane, added in the fixed
 * binary tree over the lanes: ((0+1)+(2+3))+((4+5)+(6+7)). A subtree is complete: lanes [a 2^k, (a+1) 2^k).
 * Local. */
#ifndef LS_BASE_LANES_H
#define LS_BASE_LANES_H

#include "base/rows.h"
#include "base/status.h"

/* Samples before lane `lane` in a batch of `batch`. */
int64_t ls_lane_offset(int64_t batch, int lane, int lanes);
/* First lane of a rank; of rank `size`: lanes. */
int ls_lane_first(int lanes, int rank, int size);

typedef struct ls_lanes {
    int count;      /* V */
    int rank, size; /* r, R */
    int first, end; /* the lanes of this rank */
    int subtrees;   /* the fewest complete subtrees that make up [first, end), in order */
    int subtree_begin[LS_SUBTREES_MAX + 1];
} ls_lanes;

/* Errors: LS_INVALID: lanes not a power of two in 1..LS_LANES_MAX, or more ranks than lanes (the message has the --set
 * training.lanes=N that mends it). */
ls_status ls_lanes_init(ls_lanes *lanes, int count, int rank, int size);

/* How this rank's part of a batch of `batch` samples divides: rows->lane_begin, subtrees. */
void ls_lanes_rows(const ls_lanes *lanes, int64_t batch, ls_rows *rows);

/* What share of the cores the run can use: mean over max of the ranks' lanes (1: balanced). */
double ls_lanes_balance(int lanes, int size);

/* A sum over all lanes in the same tree, in double (losses, metrics): values[count] is used as scratch. count is a
 * power of two. */
double ls_lanes_sum(double *values, int count);

#endif
