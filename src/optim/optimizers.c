/* optimizers.c - the table of optimizers, and an update shared out over the pool; see optimizer.h. */
#include "optim/optimizer.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "tensor/vector.h"

/* The table of optimizers: one line each. */
#define OPTIMIZERS(X)                                                                                                  \
    X(adadelta)                                                                                                        \
    X(adam)                                                                                                            \
    X(rmsprop)                                                                                                         \
    X(sgd)

#define DECLARE(name) extern const ls_optimizer_type ls_optimizer_##name;
#define ENTRY(name)   &ls_optimizer_##name,
OPTIMIZERS(DECLARE)

const ls_optimizer_type *const ls_optimizer_types[] = {OPTIMIZERS(ENTRY) NULL};

double ls_optimizer_learning_rate(const ls_optimizer_type *type, const void *options) {
    const ls_option *option = ls_options_find(type->options, "learning_rate");
    assert(option != NULL && option->type == LS_OPTION_DOUBLE);
    double learning_rate;
    memcpy(&learning_rate, (const char *)options + option->offset, sizeof learning_rate);
    return learning_rate;
}

enum { BLOCK = 16384 }; /* numbers a task: small enough to share out, large enough to be worth it */

typedef struct application {
    const ls_optimizer_type *type;
    const void *options;
    int64_t step;
    double learning_rate;
    const ls_update *whole;
    atomic_bool bad; /* a weight is not finite */
} application;

static void apply_range(void *context, int64_t begin, int64_t end) {
    application *a = context;
    ls_update block = {
        .count = end - begin, .gradient = a->whole->gradient + begin, .weight = a->whole->weight + begin};
    for (int s = 0; s < a->type->slots; s++) block.slot[s] = a->whole->slot[s] + begin;
    a->type->update(a->options, a->step, a->learning_rate, &block);
    if (!ls_vector_finite(block.count, block.weight)) atomic_store(&a->bad, true);
}

bool ls_optimizer_apply(const ls_optimizer_type *type, ls_pool *pool, const void *options, int64_t step,
                        double learning_rate, const ls_update *update) {
    application a = {.type = type, .options = options, .step = step, .learning_rate = learning_rate, .whole = update};
    ls_pool_run_blocks(pool, update->count, BLOCK, apply_range, &a);
    return !atomic_load(&a.bad);
}
