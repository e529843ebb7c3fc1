/* callback.h - what happens while a model is trained, told to whoever wants to know: Keras' idea, and Keras' names.
 *
 * A callback is a file with a table of functions; the trainer calls all callbacks in the order of its list. Console
 * lines, metrics.jsonl, pictures, TensorBoard and checkpoints are callbacks (src/report/callback_*.c,
 * src/state/callback_checkpoint.c).
 *
 * Every rank calls every function, so each is Collective: it may use what is Collective, and then must agree on its own
 * failures (ls_agree) before it goes on. After each callback a failure on one rank becomes a failure on
 * all, and the run ends. Only LS_ON_TRAIN_BATCH_END is not followed by that, since agreeing would cost every step a
 * message: what it returns must be the same on all ranks. */
#ifndef LS_TRAIN_CALLBACK_H
#define LS_TRAIN_CALLBACK_H

#include <stddef.h>

#include "base/status.h"

typedef struct ls_trainer ls_trainer;
typedef struct ls_callback ls_callback;
typedef ls_status (*ls_event_fn)(ls_callback *self, ls_trainer *trainer);

typedef enum ls_event {
    LS_ON_TRAIN_BEGIN,     /* the model is ready; the position is not 0 where a run goes on */
    LS_ON_EPOCH_BEGIN,     /* also where a run goes on in the midst of an epoch */
    LS_ON_TRAIN_BATCH_END, /* a step is done: no allocation and no system call where nothing is due */
    LS_ON_TEST_END,        /* the open epoch has been validated, if there are samples to do it on */
    LS_ON_EPOCH_END,       /* its numbers are in trainer->logs and in the history; the position is the next epoch's */
    LS_ON_TRAIN_END,       /* the last epoch is over; not where the run fails or is stopped */
    LS_EVENTS,
} ls_event;

typedef struct ls_callback_type {
    size_t state_bytes;                 /* of self->state; 0: it keeps none */
    ls_event_fn on[LS_EVENTS];          /* NULL: nothing to do then */
    void (*release)(ls_callback *self); /* of a run that has begun, in every case; NULL: nothing to do. Local */
} ls_callback_type;

struct ls_callback {
    const ls_callback_type *type;
    const void *settings; /* of a type that the callback's own header names; must stay until the run is over */
    void *state;          /* the trainer's to allocate and free; zero before LS_ON_TRAIN_BEGIN */
};

#endif
