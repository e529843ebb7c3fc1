/* exchange_plan.c - the sums of a step of the exchange as lists of terms; see exchange_plan_internal.h. */
#include "par/exchange_plan_internal.h"

#include <assert.h>
#include <stdbool.h>

#include "base/memory.h"

/* All ranks' subtrees end to end, and the walk over the tree that they make up. */
typedef struct walk {
    ls_exchange_plan *plan;
    const int *group; /* of each rank */
    int own;          /* this rank's */
    int rank, size;
    int subtrees;
    int begin[LS_LANES_MAX + 1]; /* first lane of each subtree, and the end */
    int owner[LS_LANES_MAX];
    int term[LS_LANES_MAX]; /* a subtree's number among its group's */
    int *next;              /* free token */
} walk;

/* ---- groups ---- */

static int count_before(const walk *w, int rank) {
    int count = 0;
    for (int other = 0; other < rank; other++) count += w->group[other] == w->group[rank];
    return count;
}

/* The member of group[any] that serves `rank`: its rank. */
static int server_of(const walk *w, int any, int rank) {
    int members = 1; /* `any` itself */
    for (int other = 0; other < w->size; other++) members += other != any && w->group[other] == w->group[any];
    int member = count_before(w, rank) % members, other = 0;
    for (int seen = -1; seen < member; other++) seen += w->group[other] == w->group[any];
    return other - 1;
}

static bool is_first_of_group(const walk *w, int rank) { return count_before(w, rank) == 0; }

static void plan_groups(walk *w) {
    ls_exchange_plan *plan = w->plan;
    plan->member = count_before(w, w->rank);
    plan->target = plan->ranks;
    plan->server = plan->ranks + w->size;
    plan->arrival = plan->server + w->size;
    for (int rank = 0; rank < w->size; rank++) {
        plan->members += w->group[rank] == w->own;
        plan->groups += is_first_of_group(w, rank);
        if (w->group[rank] == w->own) continue;
        if (server_of(w, w->rank, rank) == w->rank) plan->target[plan->targets++] = rank;
        if (is_first_of_group(w, rank)) plan->server[plan->servers++] = server_of(w, rank, w->rank);
    }
}

/* ---- the tree ---- */

static void list_subtrees(walk *w, int lane_count) {
    ls_exchange_plan *plan = w->plan;
    for (int rank = 0; rank < w->size; rank++) {
        ls_lanes lanes;
        ls_status status = ls_lanes_init(&lanes, lane_count, rank, w->size);
        assert(status == LS_OK);
        (void)status;
        for (int i = 0; i < lanes.subtrees; i++) {
            w->begin[w->subtrees] = lanes.subtree_begin[i];
            w->owner[w->subtrees] = rank;
            if (w->group[rank] == w->own) {
                w->term[w->subtrees] = plan->subtrees;
                plan->subtree[plan->subtrees++] = (ls_group_subtree){count_before(w, rank), i};
            }
            w->subtrees++;
        }
    }
    w->begin[w->subtrees] = lane_count;
}

/* A term of the sum over the lanes from `first` on, the lanes [begin, begin + lanes), and the additions that it
 * completes. */
static void append_pluses(walk *w, int first, int begin, int lanes) {
    for (int carries = ls_tree_carries((begin - first) / lanes); carries > 0; carries--) *w->next++ = LS_PLUS;
}

/* Where the ranks of one group end that have the lanes from this subtree on. */
static int end_of_group(const walk *w, int subtree) {
    int group = w->group[w->owner[subtree]];
    while (subtree < w->subtrees && w->group[w->owner[subtree]] == group) subtree++;
    return w->begin[subtree];
}

/* Appends a partial sum of this rank's group: the lanes [first, end), from this subtree on. */
static void append_own(walk *w, int subtree, int end) {
    ls_exchange_plan *plan = w->plan;
    ls_expression *partial = &plan->partial[plan->partials++];
    partial->tokens = w->next;
    for (int first = w->begin[subtree]; w->begin[subtree] < end; subtree++) {
        *w->next++ = w->term[subtree];
        append_pluses(w, first, w->begin[subtree], w->begin[subtree + 1] - w->begin[subtree]);
    }
    partial->length = (int)(w->next - partial->tokens);
}

/* The sum of the whole batch, out of the largest subtrees of one group each: a partial sum of this rank's group, or one
 * that arrives. */
static void plan_sum(walk *w) {
    ls_exchange_plan *plan = w->plan;
    w->next = plan->tokens;
    for (int subtree = 0; subtree < w->subtrees;) {
        int begin = w->begin[subtree], lanes = ls_subtree_lanes(begin, end_of_group(w, subtree));
        if (w->group[w->owner[subtree]] == w->own) {
            append_own(w, subtree, begin + lanes);
        } else {
            *w->next++ = plan->subtrees + plan->arrivals;
            plan->arrival[plan->arrivals++] = server_of(w, w->owner[subtree], w->rank);
        }
        append_pluses(w, 0, begin, lanes);
        while (w->begin[subtree] < begin + lanes) subtree++;
    }
    plan->sum = (ls_expression){(int)(w->next - plan->tokens), plan->tokens};
}

/* A tree has at most as many subtrees as lanes, and an expression fewer than two tokens a subtree. */
static ls_status alloc_plan(ls_exchange_plan *plan, int lanes, int size) {
    LS_TRY(ls_alloc(&plan->subtree, lanes, sizeof *plan->subtree, "the exchange's plan"));
    LS_TRY(ls_alloc(&plan->partial, lanes, sizeof *plan->partial, "the exchange's plan"));
    LS_TRY(ls_alloc(&plan->tokens, 2 * lanes, sizeof(int), "the exchange's plan"));
    return ls_alloc(&plan->ranks, 2 * size + lanes, sizeof(int), "the exchange's plan");
}

ls_status ls_exchange_plan_init(ls_exchange_plan *plan, const ls_lanes *lanes, const int *group) {
    walk *w;
    *plan = (ls_exchange_plan){0};
    LS_TRY(alloc_plan(plan, lanes->count, lanes->size));
    LS_TRY(ls_alloc(&w, 1, sizeof *w, "the exchange's plan"));
    *w = (walk){.plan = plan, .group = group, .own = group[lanes->rank], .rank = lanes->rank, .size = lanes->size};
    plan_groups(w);
    list_subtrees(w, lanes->count);
    plan_sum(w);
    ls_free(w);
    return LS_OK;
}

void ls_exchange_plan_release(ls_exchange_plan *plan) {
    ls_free(plan->subtree);
    ls_free(plan->partial);
    ls_free(plan->tokens);
    ls_free(plan->ranks);
    *plan = (ls_exchange_plan){0};
}

/* ---- sums ---- */

enum { STRETCH_FLOATS = 1024 }; /* so that what is between the terms and the sum stays in the first cache */

static void add_to(float *restrict sum, const float *restrict addend, int64_t count) {
    for (int64_t i = 0; i < count; i++) sum[i] += addend[i];
}

static void add_two(float *restrict sum, const float *restrict a, const float *restrict b, int64_t count) {
    for (int64_t i = 0; i < count; i++) sum[i] = a[i] + b[i];
}

/* The bottom of the stack is kept in `out`, what is above it in `above`. */
static void sum_stretch(const ls_expression *e, const float *const *terms, int64_t begin, int64_t count, float *out) {
    _Alignas(LS_ALIGN_BYTES) float above[LS_EXPRESSION_DEPTH_MAX][STRETCH_FLOATS];
    const float *stack[LS_EXPRESSION_DEPTH_MAX];
    int depth = 0;
    for (int t = 0; t < e->length; t++) {
        if (e->tokens[t] != LS_PLUS) {
            stack[depth++] = terms[e->tokens[t]] + begin;
            continue;
        }
        depth--; /* the upper one of the two is taken off, the lower one becomes their sum */
        float *sum = depth == 1 ? out : above[depth - 1];
        if (sum == stack[depth - 1])
            add_to(sum, stack[depth], count);
        else
            add_two(sum, stack[depth - 1], stack[depth], count);
        stack[depth - 1] = sum;
    }
}

const float *ls_expression_sum(const ls_expression *e, const float *const *terms, int64_t begin, int64_t count,
                               float *out) {
    if (e->length == 1) return terms[e->tokens[0]] + begin;
    for (int64_t done = 0; done < count; done += STRETCH_FLOATS)
        sum_stretch(e, terms, begin + done, count - done < STRETCH_FLOATS ? count - done : STRETCH_FLOATS, out + done);
    return out;
}
