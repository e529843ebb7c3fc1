/* task.h - what is trained, on what, and by whom: the plain record that steps, evaluation and the trainer work on.
 *
 * Whoever fills it in keeps what it points to: a program of its own (include/lockstep) as well as a run that a config
 * describes. The record is equal on all ranks but for what is said to be this rank's. */
#ifndef LS_TRAIN_TASK_H
#define LS_TRAIN_TASK_H

#include "base/lanes.h"
#include "data/loader.h"
#include "nn/model.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "par/comm.h"
#include "par/exchange.h"
#include "tensor/cpu.h"
#include "train/early_stopping.h"
#include "train/plateau.h"
#include "train/pulse.h"

typedef struct ls_task {
    /* Who computes. */
    const ls_comm *comm;
    ls_pool *pool;   /* this rank's */
    int threads;     /* of the pool */
    ls_isa isa;      /* of all ranks: see machine.h */
    ls_lanes lanes;  /* first and end are this rank's; equal where nothing is trained */
    ls_pulse *pulse; /* this rank's; NULL: nobody wants to know */

    /* The model, with its loss; prepared by whoever runs it. */
    ls_model *model;
    const ls_loss_type *loss;
    int metrics;
    const ls_metric_type *metric[LS_METRICS_MAX];
    uint64_t seed; /* of initial weights, noise and the order of samples */

    /* How its weights are updated. */
    const ls_optimizer_type *optimizer;
    const void *optimizer_options;
    const ls_schedule_type *schedule; /* of the learning rate; NULL: the optimizer's learning_rate at all times */
    const void *schedule_options;
    ls_exchange_settings exchange; /* with the norm at which gradients are clipped */
    bool keeps_best;               /* rank 0 keeps the best weights in memory, which predictions count */

    /* The data. */
    ls_dataset *train;
    ls_dataset *validation; /* its files; NULL: a split, or none */
    double split;           /* fraction of `train` held out at the end; 0: none */
    int64_t parts;          /* an epoch is one of so many parts of the blocks */
    int64_t shuffle_window; /* samples */
    int64_t cache_mb;       /* memory of a host for decoded blocks; -1: half of what is free */
    int64_t ahead_bytes;    /* room for blocks of `train` that are read ahead of the loader; 0: none */
    ls_pipeline *input, *target;
    ls_bounds input_bounds; /* what the input must be within, where that is known: of a trained model */
    bool input_noise;       /* the input pipeline draws noise, which keeps to no bounds */
    bool untargeted; /* the data set has no targets of the model's kind: of the target pipeline only shapes are used */

    /* How long. */
    int64_t epochs, batch_size;
    ls_early_stopping early_stopping;
    ls_plateau reduce_lr_on_plateau;
} ls_task;

/* All functions are Local. */

/* The rows of the largest lane, which a microbatch of an evaluation has at most. */
int64_t ls_task_lane_rows(const ls_task *task);
/* How many microbatches a rank evaluates at once; the same on all ranks, so that everyone knows who evaluates what. */
int64_t ls_task_microbatches(const ls_task *task);
/* What the model must be prepared for: this rank's part of a full batch, and so many microbatches. */
ls_limits ls_task_limits(const ls_task *task);

/* What every loader of the task's samples is told: data, pipelines, and what their numbers may be. The caller adds
 * whose they are (max_rows, depth, next, context). */
ls_loader_spec ls_task_loader(const ls_task *task, ls_dataset *dataset, ls_use use);

#endif
