/* callback_checkpoint.h - saves a run while it trains, and takes up what was saved: between the trainer and
 * checkpoints.
 *
 * The callback saves each so many epochs or steps, at the end, and when a signal asks to stop; it keeps the best
 * weights, and brings them back at the end where that is wanted. It is the last of the callbacks, so that a checkpoint
 * knows what the others have done. */
#ifndef LS_STATE_CALLBACK_CHECKPOINT_H
#define LS_STATE_CALLBACK_CHECKPOINT_H

#include "state/checkpoint.h"
#include "train/trainer.h"

typedef struct ls_checkpoint_settings {
    int64_t every_epochs;   /* save after every N epochs; 0: only at the end and when stopped */
    int64_t every_steps;    /* also save after every N steps; 0: never */
    int64_t keep;           /* numbered checkpoints kept */
    double best_interval_s; /* the best weights are written at most once in this time, and at the end */
} ls_checkpoint_settings;

/* The callback's settings, and what is saved of a run besides its trainer. */
typedef struct ls_saving {
    const char *run; /* directory */
    ls_checkpoint_settings checkpoint;
    const char *config;      /* resolved text */
    const char *class_names; /* of the training data, a line each; "": it has none */
} ls_saving;

extern const ls_callback_type ls_callback_checkpoint;

/* Local. The trainer goes on from this checkpoint: weights, slots, history and position. Errors: those of
 * ls_checkpoint_read. */
ls_status ls_saving_restore(const ls_saving *saving, ls_trainer *trainer, const ls_checkpoint_info *info);
/* Collective. The trainer begins with the weights of those layers that the run (or checkpoint) has by the same name.
 * Errors (agreed): those of ls_checkpoint_find and ls_checkpoint_read_common. */
ls_status ls_saving_take_weights(const ls_saving *saving, ls_trainer *trainer, const char *run);

/* Fingerprint of a trainer's validation files; "": there are none. */
const char *ls_saving_validation(const ls_trainer *trainer);

#endif
