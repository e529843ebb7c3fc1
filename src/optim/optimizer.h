/* optimizer.h - optimizers: one file src/optim/<name>.c each, one line in optimizers.c; Keras' arguments and defaults.
 *
 * An optimizer sees ranges of one flat vector and updates each number from its gradient and its slots alone, so a
 * vector may be cut anywhere (sharded over ranks, split over threads) without changing a bit. Local, no allocation. */
#ifndef LS_OPTIM_OPTIMIZER_H
#define LS_OPTIM_OPTIMIZER_H

#include "base/options.h"
#include "base/threads.h"

enum { LS_SLOTS_MAX = 3 };

/* A range [0, count) of the flat vectors, already offset. */
typedef struct ls_update {
    int64_t count;
    const float *gradient;
    float *weight;
    float *slot[LS_SLOTS_MAX];
} ls_update;

typedef struct ls_optimizer_type {
    const char *name;
    const char *help; /* with the source of the formula in its file */
    const ls_option *options;
    size_t options_bytes;
    int slots;
    const char *slot_names[LS_SLOTS_MAX]; /* in checkpoints */
    /* step: 1 for the first update. learning_rate: as scheduled. */
    void (*update)(const void *options, int64_t step, double learning_rate, const ls_update *update);
} ls_optimizer_type;

extern const ls_optimizer_type *const ls_optimizer_types[]; /* ended by NULL */

/* The optimizer's learning_rate option. */
double ls_optimizer_learning_rate(const ls_optimizer_type *type, const void *options);

/* Runs the update over the pool in blocks of a fixed length. Whether all weights are finite after it. */
bool ls_optimizer_apply(const ls_optimizer_type *type, ls_pool *pool, const void *options, int64_t step,
                        double learning_rate, const ls_update *update);

#endif
