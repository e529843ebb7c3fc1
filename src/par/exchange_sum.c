/* exchange_sum.c - adding up a slice of a bucket, and what is then done with the sum; see
 * exchange_state_internal.h. */
#include <string.h>

#include "base/integers.h"
#include "par/exchange_state_internal.h"

enum { TASK_FLOATS = 16 << 10 }; /* a thread's share */

typedef struct summing {
    const ls_expression *expression;
    const float *const *terms;
    int64_t begin;
    float *out;
} summing;

static void sum_range(void *context, int64_t begin, int64_t end) {
    const summing *s = context;
    ls_expression_sum(s->expression, s->terms, s->begin + begin, end - begin, s->out + begin);
}

/* Where there is nothing to add, the term itself. */
static const float *add_up(ls_exchange *x, const ls_expression *e, int64_t begin, int64_t count, float *out) {
    if (e->length == 1) return x->terms[e->tokens[0]] + begin;
    summing s = {.expression = e, .terms = x->terms, .begin = begin, .out = out};
    ls_pool_run_blocks(x->pool, count, TASK_FLOATS, sum_range, &s);
    return out;
}

static float *subtree_gradient(const ls_exchange *x, int subtree) {
    const ls_group_subtree *of = &x->plan.subtree[subtree];
    return x->group.gradients[of->member] + of->subtree * x->group.stride;
}

static void take_terms(ls_exchange *x, ls_range slice) {
    for (int subtree = 0; subtree < x->plan.subtrees; subtree++)
        x->terms[subtree] = subtree_gradient(x, subtree) + slice.begin;
}

/* The sums stay where their first term was: nobody else reads it. */
void ls_exchange_send_partials(ls_exchange *x, int64_t bucket) {
    for (int t = 0; t < x->plan.targets; t++) {
        ls_range slice = ls_shards_slice(&x->shards, bucket, x->plan.target[t]);
        take_terms(x, slice);
        for (int p = 0; p < x->plan.partials; p++) {
            const ls_expression *partial = &x->plan.partial[p];
            float *out = subtree_gradient(x, partial->tokens[0]) + slice.begin;
            ls_messages_send_partial(&x->messages, bucket, t, add_up(x, partial, 0, slice.end - slice.begin, out));
        }
    }
}

/* What is done with a strip of this rank's slice: `where` in the vector, from `place` in the shard on. */
typedef void (*strip_fn)(ls_exchange *x, int64_t place, ls_range where, float *gradient);

static float *weights_at(const ls_exchange *x, ls_range where) { return x->group.weights + where.begin; }

static void complete_strip(const ls_exchange *x, int64_t place, ls_range where, float *gradient) {
    if (x->mine.complete != NULL)
        x->mine.complete(x->mine.context, place, where.end - where.begin, gradient, weights_at(x, where));
}

static void update_strip(ls_exchange *x, int64_t place, ls_range where, float *gradient) {
    x->mine.update(x->mine.context, place, where.end - where.begin, gradient, weights_at(x, where));
}

static void complete_and_update_strip(ls_exchange *x, int64_t place, ls_range where, float *gradient) {
    complete_strip(x, place, where, gradient);
    update_strip(x, place, where, gradient);
}

static void sum_slice(ls_exchange *x, int64_t bucket, strip_fn use) {
    ls_range slice = ls_shards_slice(&x->shards, bucket, x->comm->rank);
    int64_t place = ls_shards_place(&x->shards, bucket), length = slice.end - slice.begin;
    take_terms(x, slice);
    for (int a = 0; a < x->plan.arrivals; a++)
        x->terms[x->plan.subtrees + a] = ls_messages_arrival(&x->messages, bucket, a);
    int64_t strip = x->plan.sum.length > 1 ? LS_STRIP_FLOATS : length; /* all at once where nothing is added up */
    for (int64_t at = 0; at < length; at += strip) {
        ls_range where = {slice.begin + at, ls_min(slice.begin + at + strip, slice.end)};
        /* The sum, or a subtree's gradient: nobody else reads either any more. */
        float *gradient = (float *)add_up(x, &x->plan.sum, at, where.end - where.begin, x->sum);
        use(x, place + at, where, gradient);
    }
}

void ls_exchange_update_slice(ls_exchange *x, int64_t bucket) { sum_slice(x, bucket, complete_and_update_strip); }

/* ---- clipping ---- */

/* What of a strip is clipped. */
static ls_range clipped_part(const ls_exchange *x, ls_range where) {
    return ls_range_common(where, (ls_range){0, x->mine.clipped});
}

/* Of its own gradients in its own slices a rank needs no more, once they are added up: the sum is kept there. */
static float *kept_gradient(const ls_exchange *x, ls_range where) { return x->gradients[0] + where.begin; }

static void measure_strip(ls_exchange *x, int64_t place, ls_range where, float *gradient) {
    float *kept = kept_gradient(x, where);
    complete_strip(x, place, where, gradient);
    ls_norm_add(&x->norm, x->pool, clipped_part(x, where), gradient);
    if (kept != gradient) memcpy(kept, gradient, (size_t)(where.end - where.begin) * sizeof *kept);
}

void ls_exchange_measure_slice(ls_exchange *x, int64_t bucket) { sum_slice(x, bucket, measure_strip); }

typedef struct scaling {
    float *data;
    float factor;
} scaling;

static void scale_range(void *context, int64_t begin, int64_t end) {
    const scaling *s = context;
    for (int64_t i = begin; i < end; i++) s->data[i] *= s->factor;
}

void ls_exchange_update_measured_slice(ls_exchange *x, int64_t bucket, float factor) {
    ls_range slice = ls_shards_slice(&x->shards, bucket, x->comm->rank);
    int64_t place = ls_shards_place(&x->shards, bucket);
    for (int64_t at = slice.begin; at < slice.end; at += LS_STRIP_FLOATS) {
        ls_range where = {at, ls_min(at + LS_STRIP_FLOATS, slice.end)}, clipped = clipped_part(x, where);
        scaling s = {kept_gradient(x, where), factor};
        if (factor != 1) ls_pool_run_blocks(x->pool, clipped.end - clipped.begin, TASK_FLOATS, scale_range, &s);
        update_strip(x, place + (at - slice.begin), where, kept_gradient(x, where));
    }
}
