/* callback_checkpoint.c - when a run is saved, and what a snapshot of it is. */
#include "state/callback_checkpoint.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/path.h"
#include "state/best.h"
#include "train/stop.h"

const char *ls_saving_validation(const ls_trainer *t) {
    return t->task->validation != NULL ? ls_dataset_get_info(t->task->validation)->fingerprint : "";
}

static ls_snapshot snapshot_of(const ls_saving *saving, const ls_trainer *t) {
    const ls_task *task = t->task;
    ls_snapshot s = {.model = task->model,
                     .optimizer = task->optimizer,
                     .weights = ls_exchange_weights(t->stepper.exchange),
                     .shards = *ls_exchange_shards(t->stepper.exchange),
                     .position = t->position,
                     .config = saving->config,
                     .data = ls_dataset_get_info(task->train),
                     .class_names = saving->class_names,
                     .validation = ls_saving_validation(t),
                     .history = ls_history_text(&t->history),
                     .lanes = task->lanes.count,
                     .isa = ls_isa_name(task->isa)};
    memcpy(s.slot, t->stepper.slot, sizeof s.slot);
    return s;
}

/* To read into: of ranks that share the weights one reads them. */
static ls_snapshot snapshot_to_fill(const ls_saving *saving, ls_trainer *t) {
    ls_snapshot s = snapshot_of(saving, t);
    s.weights = ls_exchange_weights_to_fill(t->stepper.exchange);
    return s;
}

/* --- taking up --- */

ls_status ls_saving_restore(const ls_saving *saving, ls_trainer *t, const ls_checkpoint_info *info) {
    ls_snapshot s = snapshot_to_fill(saving, t);
    LS_TRY(ls_checkpoint_read(info->path, &s));
    ls_trainer_go_on(t, &info->position);
    return ls_history_restore(&t->history, info->history);
}

ls_status ls_saving_take_weights(const ls_saving *saving, ls_trainer *t, const char *run) {
    ls_checkpoint_info info = {0};
    ls_status status = ls_checkpoint_find(t->task->comm, run, &info);
    ls_snapshot s = snapshot_to_fill(saving, t);
    if (status == LS_OK) status = ls_agree(t->task->comm, ls_checkpoint_read_common(info.path, &s));
    ls_checkpoint_info_release(&info);
    return status;
}

/* --- saving; all Collective, and agreed --- */

/* Before a complete checkpoint the best weights that have not been written yet. */
static ls_status save(ls_callback *self, ls_trainer *t) {
    const ls_saving *saving = self->settings;
    ls_pulse_enter(t->task->pulse, LS_ACTIVITY_SAVE);
    LS_TRY(ls_trainer_check_weights(t));
    ls_snapshot s = snapshot_of(saving, t);
    LS_TRY(ls_best_flush(self->state, &s));
    return ls_checkpoint_save(t->task->comm, saving->run, &s, saving->checkpoint.keep);
}

/* Puts the best weights, if there are any, in the place of the latest. */
static ls_status restore_best(ls_callback *self, ls_trainer *t) {
    const ls_saving *saving = self->settings;
    char path[LS_PATH_MAX];
    ls_checkpoint_info info;
    ls_snapshot s = snapshot_of(saving, t);
    if (t->position.best_epoch < 0) return LS_OK;
    LS_TRY(ls_best_flush(self->state, &s));
    LS_TRY(ls_path_join(saving->run, "checkpoints/best.h5", path));
    LS_TRY(ls_checkpoint_find(t->task->comm, path, &info));
    s = snapshot_to_fill(saving, t);
    s.optimizer = NULL;
    ls_status status = ls_agree(t->task->comm, ls_checkpoint_read(info.path, &s));
    ls_checkpoint_info_release(&info);
    if (status == LS_OK) ls_log_info("the weights of epoch %" PRId64 " are restored", t->position.best_epoch + 1);
    return status;
}

/* --- events --- */

/* From now on there is something to save when a signal comes. */
static ls_status begin(ls_callback *self, ls_trainer *t) {
    const ls_saving *saving = self->settings;
    ls_best_init(self->state, t->task->comm, saving->run, saving->checkpoint.best_interval_s);
    ls_stop_watch();
    return LS_OK;
}

static ls_status end_step(ls_callback *self, ls_trainer *t) {
    const ls_saving *saving = self->settings;
    int64_t every = saving->checkpoint.every_steps;
    bool due = every > 0 && t->position.step % every == 0 && t->position.epoch_step < ls_batch_source_steps(t->source);
    return t->stop || due ? save(self, t) : LS_OK;
}

static ls_status end_epoch(ls_callback *self, ls_trainer *t) {
    const ls_saving *saving = self->settings;
    int64_t every = saving->checkpoint.every_epochs;
    bool over = ls_trainer_is_over(t);
    ls_pulse_enter(t->task->pulse, LS_ACTIVITY_SAVE);
    if (t->logs.improved) {
        ls_snapshot s = snapshot_of(saving, t);
        LS_TRY(ls_best_improved(self->state, &s));
    }
    if (over && t->task->early_stopping.restore_best && !t->logs.improved) LS_TRY(restore_best(self, t));
    return over || (every > 0 && t->position.epoch % every == 0) ? save(self, t) : LS_OK;
}

static void release(ls_callback *self) { ls_best_release(self->state); }

const ls_callback_type ls_callback_checkpoint = {
    .state_bytes = sizeof(ls_best),
    .on = {[LS_ON_TRAIN_BEGIN] = begin, [LS_ON_TRAIN_BATCH_END] = end_step, [LS_ON_EPOCH_END] = end_epoch},
    .release = release,
};
