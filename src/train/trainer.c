/* trainer.c - the training loop. What an epoch comes to in the end is in trainer_epoch.c. */
#include "train/trainer.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/memory.h"
#include "train/data_cache.h"
#include "train/stop.h"
#include "train/trainer_internal.h"

bool ls_trainer_is_over(const ls_trainer *t) {
    return t->position.epoch >= t->task->epochs || ls_early_stopping_is_over(&t->task->early_stopping, &t->position);
}

double ls_trainer_mean_loss(const ls_trainer *t) { return t->position.loss_sum / (double)t->position.loss_count; }

const float *ls_trainer_weights(const ls_trainer *t) { return ls_exchange_weights(t->stepper.exchange); }

ls_status ls_trainer_fail_not_finite(const ls_trainer *t, const char *what, int64_t step) {
    return LS_RAISE(LS_ERROR,
                    "%s not finite at step %" PRId64 " of epoch %" PRId64
                    "; checkpoints from before it are whole; a smaller learning_rate may help",
                    what, step, t->position.epoch + 1);
}

ls_status ls_trainer_check_weights(const ls_trainer *t) {
    if (ls_comm_min(t->task->comm, t->stepper.weights_finite)) return LS_OK;
    return ls_trainer_fail_not_finite(t, "the weights are", t->position.epoch_step);
}

void ls_trainer_set_learning_rate(ls_trainer *t) {
    double rate = ls_optimizer_learning_rate(t->task->optimizer, t->task->optimizer_options);
    t->stepper.learning_rate = ls_plateau_rate(&t->task->reduce_lr_on_plateau, rate, t->position.lr_reductions);
}

void ls_trainer_go_on(ls_trainer *t, const ls_position *position) {
    t->position = *position;
    t->stepper.step = position->step;
    ls_trainer_set_learning_rate(t);
}

/* --- callbacks --- */

static ls_status tell_one(ls_trainer *t, ls_callback *callback, ls_event event) {
    ls_event_fn on = callback->type->on[event];
    return on != NULL ? on(callback, t) : LS_OK;
}

/* One after the other: a callback may rely on those before it, on all ranks. */
ls_status ls_trainer_tell(ls_trainer *t, ls_event event) {
    for (int i = 0; i < t->callbacks; i++)
        if (t->callback[i].type->on[event] != NULL)
            LS_TRY(ls_agree(t->task->comm, tell_one(t, &t->callback[i], event)));
    return LS_OK;
}

static ls_status tell_step(ls_trainer *t) {
    for (int i = 0; i < t->callbacks; i++) LS_TRY(tell_one(t, &t->callback[i], LS_ON_TRAIN_BATCH_END));
    return LS_OK;
}

static ls_status make_states(ls_trainer *t) {
    for (int i = 0; i < t->callbacks; i++) t->callback[i].state = NULL;
    for (int i = 0; i < t->callbacks; i++)
        LS_TRY(ls_alloc(&t->callback[i].state, 1, t->callback[i].type->state_bytes, "a callback"));
    return LS_OK;
}

static void release_states(ls_trainer *t) {
    for (int i = 0; i < t->callbacks; i++) {
        ls_callback *callback = &t->callback[i];
        if (callback->type->release != NULL && callback->state != NULL) callback->type->release(callback);
        ls_free(callback->state);
        callback->state = NULL;
    }
}

/* --- one epoch --- */

static void count_step(ls_trainer *t, const double *sums) {
    ls_position *position = &t->position;
    position->loss_sum += sums[LS_SCORE_LOSS];
    for (int m = 0; m < t->task->metrics; m++) position->metric_sum[m] += sums[LS_SCORE_METRICS + m];
    position->loss_count += ls_batch_source_rows(t->source, position->epoch_step);
    position->epoch_step++;
    position->step++;
}

static ls_status train_step(ls_trainer *t) {
    ls_pulse *pulse = t->task->pulse;
    const ls_batch *batch = NULL;
    if (pulse != NULL) pulse->step = t->position.step + 1;
    ls_pulse_enter(pulse, LS_ACTIVITY_READ);
    ls_status status = ls_loader_next(ls_batch_source_loader(t->source), &batch);
    ls_signals signals = {.failed = status != LS_OK, .stop = ls_stop_requested()};
    double sums[LS_SCORES_MAX];
    ls_pulse_enter(pulse, LS_ACTIVITY_COMPUTE);
    ls_stepper_run(&t->stepper, batch, &signals, sums);
    if (signals.failed) return ls_agree(t->task->comm, status);
    if (signals.not_finite) return ls_trainer_fail_not_finite(t, "the loss is", t->position.epoch_step + 1);
    count_step(t, sums);
    t->stop = signals.stop;
    return LS_OK;
}

static ls_status train_epoch(ls_trainer *t) {
    double start_s = ls_clock_s(), before_s = t->position.seconds;
    while (t->position.epoch_step < ls_batch_source_steps(t->source)) {
        LS_TRY(train_step(t));
        t->position.seconds = before_s + ls_clock_s() - start_s;
        LS_TRY(tell_step(t));
        if (t->stop)
            return LS_RAISE(LS_STOPPED, "stopped by a signal after epoch %" PRId64 ", step %" PRId64,
                            t->position.epoch + 1, t->position.epoch_step);
    }
    return LS_OK;
}

/* The next epoch's batches are made ready while the one before is told of. */
static ls_status begin_epoch(ls_trainer *t) {
    ls_pulse_enter(t->task->pulse, LS_ACTIVITY_READ);
    return ls_agree(t->task->comm, ls_batch_source_begin(t->source, t->position.epoch, t->position.epoch_step));
}

/* --- the run --- */

static ls_status train(ls_trainer *t) {
    ls_task_cache_data(t->task);
    LS_TRY(ls_agree(t->task->comm, make_states(t)));
    LS_TRY(ls_trainer_tell(t, LS_ON_TRAIN_BEGIN));
    LS_TRY(ls_agree(t->task->comm, ls_batch_source_open(t->task, &t->source)));
    while (!ls_trainer_is_over(t)) {
        LS_TRY(begin_epoch(t));
        LS_TRY(ls_trainer_tell(t, LS_ON_EPOCH_BEGIN));
        LS_TRY(train_epoch(t));
        LS_TRY(ls_trainer_end_epoch(t));
    }
    return ls_trainer_tell(t, LS_ON_TRAIN_END);
}

ls_status ls_trainer_run(ls_trainer *t, ls_callback *callback, int callbacks) {
    t->callback = callback;
    t->callbacks = callbacks;
    ls_status status = train(t);
    ls_batch_source_close(t->source);
    t->source = NULL;
    release_states(t);
    return status;
}

ls_status ls_trainer_open(ls_trainer *t, ls_task *task) {
    *t = (ls_trainer){.task = task, .position = ls_position_start()};
    return ls_stepper_init(&t->stepper, task);
}

void ls_trainer_close(ls_trainer *t) {
    ls_stepper_release(&t->stepper);
    ls_history_release(&t->history);
    ls_free(t->validation.spans);
    *t = (ls_trainer){0};
}
