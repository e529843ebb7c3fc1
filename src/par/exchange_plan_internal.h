/* exchange_plan_internal.h - who adds what, and who sends what to whom, in the gradient exchange; pure. Private to par.
 *
 * Ranks that share memory are a group. The whole batch's gradient is the sum over the tree of all lanes (lanes.h). The
 * largest subtrees whose lanes all belong to one group are that group's partial sums. For a slice of the flat vector
 * (shards.h), one member of each group is its server for the rank that owns the slice. A server makes its group's
 * partial sums of the slice and sends them to the owner. The owner adds them and its own group's subtrees in the one
 * tree, updates the slice of the weights and sends it back to the servers. Nothing but complete subtrees is ever added
 * before it is sent, so the sum has the same bits for all groups.
 *
 * An expression is a sum in postfix form: a number >= 0 is a term, LS_PLUS adds the two before it. The terms are first
 * the subtrees of this rank's group, in the order of their lanes (subtrees), then the other groups' partial sums
 * (arrivals). */
#ifndef LS_PAR_EXCHANGE_PLAN_INTERNAL_H
#define LS_PAR_EXCHANGE_PLAN_INTERNAL_H

#include "base/lanes.h"

enum { LS_PLUS = -1, LS_EXPRESSION_DEPTH_MAX = LS_TREE_DEPTH_MAX + 1 }; /* terms that wait, and the one that comes */

typedef struct ls_expression {
    int length;
    const int *tokens;
} ls_expression;

typedef struct ls_group_subtree {
    int member;  /* of the group, by its number */
    int subtree; /* of that member, by its number */
} ls_group_subtree;

typedef struct ls_exchange_plan {
    int groups;
    int members, member; /* of this rank's group; this rank's number in it */
    int subtrees;        /* of all members */
    ls_group_subtree *subtree;
    ls_expression sum; /* the whole batch's */
    int partials;      /* this group's partial sums; a partial sum's first term is a subtree that nothing else has */
    ls_expression *partial;
    int arrivals; /* other groups' partial sums that go into `sum` */
    int *arrival; /* the ranks that send them, in the order of lanes, so in the sender's order */
    int targets;  /* ranks that this one is its group's server for */
    int *target;
    int servers; /* ranks that are servers for this one: one of each other group */
    int *server;
    int *tokens, *ranks; /* memory of the lists above */
} ls_exchange_plan;

/* group[size]: a number for each rank, equal where memory is shared. Errors: LS_ERROR, no memory. Release in every
 * case. */
ls_status ls_exchange_plan_init(ls_exchange_plan *plan, const ls_lanes *lanes, const int *group);
void ls_exchange_plan_release(ls_exchange_plan *plan);

/* out[count] <- the expression over terms[.][begin, begin + count). out may be the expression's first term, but no
 * other one. Returns where the sum is: out, or the term itself where there is nothing to add. */
const float *ls_expression_sum(const ls_expression *expression, const float *const *terms, int64_t begin, int64_t count,
                               float *out);

#endif
