/* trainer_save.c - what the trainer saves, and what it goes on from. */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "run/run_directory.h"
#include "run/trainer_parts.h"
#include "train/plateau.h"

static const char *validation_fingerprint(const ls_trainer *t) {
    return t->session.task.validation ? ls_dataset_get_info(t->session.task.validation)->fingerprint : "";
}

static ls_snapshot snapshot(ls_trainer *t) {
    ls_snapshot s = {.model = t->session.task.model,
                     .optimizer = t->config->optimizer,
                     .weights = ls_exchange_weights(t->stepper.exchange),
                     .shards = *ls_exchange_shards(t->stepper.exchange),
                     .position = t->position,
                     .config = t->config->text,
                     .data = ls_dataset_get_info(t->session.task.train),
                     .class_names = t->session.class_names,
                     .validation = validation_fingerprint(t),
                     .history = ls_metrics_history(&t->metrics),
                     .lanes = t->session.task.lanes.count,
                     .isa = ls_isa_name(t->session.isa)};
    memcpy(s.slot, t->stepper.slot, sizeof s.slot);
    return s;
}

ls_status ls_trainer_fail_not_finite(const ls_trainer *t, const char *what, int64_t step) {
    return LS_RAISE(LS_ERROR,
                    "%s not finite at step %" PRId64 " of epoch %" PRId64
                    "; the checkpoints before it are whole; a smaller learning_rate may help",
                    what, step, t->position.epoch + 1);
}

ls_status ls_trainer_check_weights(const ls_trainer *t) {
    if (ls_comm_min(t->comm, t->stepper.weights_finite)) return LS_OK;
    return ls_trainer_fail_not_finite(t, "the weights are", t->position.epoch_step);
}

/* To read into: of ranks that share the weights one reads them. */
static ls_snapshot snapshot_to_fill(ls_trainer *t) {
    ls_snapshot s = snapshot(t);
    s.weights = ls_exchange_weights_to_fill(t->stepper.exchange);
    return s;
}

ls_status ls_trainer_save(ls_trainer *t) {
    ls_pulse_enter(&t->pulse, LS_ACTIVITY_SAVE);
    LS_TRY(ls_trainer_check_weights(t));
    ls_snapshot s = snapshot(t);
    LS_TRY(ls_best_flush(&t->best, &s));
    return ls_checkpoint_save(t->comm, t->run, &s, t->config->training.checkpoint.keep);
}

/* then, now: fingerprints; "": no files of that kind. */
static ls_status check_same_data(const ls_checkpoint_info *info, const char *what, const char *then, const char *now) {
    if (strcmp(then, now) == 0) return LS_OK;
    return LS_RAISE(LS_INVALID,
                    "%s was trained on other data: the fingerprint of its %s data is %s, and here it is %s; give the "
                    "run the same data, or start another run",
                    info->path, what, then[0] ? then : "none", now[0] ? now : "none");
}

/* Where it does not, nothing is written, and so nothing has changed. */
static bool goes_on(const ls_trainer *t, const ls_checkpoint_info *info) {
    return info->position.epoch < t->config->training.epochs;
}

static ls_status check_same_run(const ls_trainer *t, const ls_checkpoint_info *info) {
    ls_config *then = NULL;
    const char *training = ls_dataset_get_info(t->session.task.train)->fingerprint;
    LS_TRY(check_same_data(info, "training", info->data.fingerprint, training));
    LS_TRY(check_same_data(info, "validation", info->validation, validation_fingerprint(t)));
    LS_TRY(ls_config_parse(info->path, info->config, NULL, 0, &then));
    ls_status status = ls_config_compare(then, t->config, goes_on(t, info));
    ls_config_destroy(then);
    if (status == LS_OK && strcmp(info->isa, ls_isa_name(t->session.isa)) != 0)
        ls_log_warn(
            "the run was on %s so far and goes on on %s: its last digits may differ from an uninterrupted run's",
            info->isa, ls_isa_name(t->session.isa));
    return status;
}

void ls_trainer_set_learning_rate(ls_trainer *t) {
    double rate = ls_optimizer_learning_rate(t->config->optimizer, t->config->optimizer_options);
    t->stepper.learning_rate =
        ls_plateau_rate(&t->config->training.reduce_lr_on_plateau, rate, t->position.lr_reductions);
}

static ls_status take_up(ls_trainer *t, const ls_checkpoint_info *info) {
    LS_TRY(check_same_run(t, info));
    ls_snapshot s = snapshot_to_fill(t);
    LS_TRY(ls_checkpoint_read(info->path, &s));
    t->position = info->position;
    t->stepper.step = info->position.step;
    ls_trainer_set_learning_rate(t);
    LS_TRY(ls_metrics_restore(&t->metrics, info->history));
    if (!goes_on(t, info)) return LS_OK;
    ls_log_info("going on from %s: %" PRId64 " %s and %" PRId64 " %s done", info->path, info->position.epoch,
                ls_plural(info->position.epoch, "epoch", "epochs"), info->position.epoch_step,
                ls_plural(info->position.epoch_step, "step", "steps"));
    return LS_OK;
}

/* It was stopped before its first checkpoint, as a job in a queue may be, again and again: it must be able to start. */
static ls_status start_again(const ls_trainer *t) {
    int64_t epochs = 0;
    LS_TRY(ls_agree(t->comm, t->comm->rank == 0 ? ls_run_directory_count_epochs(t->run, &epochs) : LS_OK));
    if (epochs > 0)
        ls_log_warn("%s holds no checkpoint to go on from: the run starts again, in place of the %" PRId64
                    " epochs recorded there; training.checkpoint says how often to save",
                    t->run, epochs);
    else
        ls_log_info("%s holds no checkpoint to go on from: the run starts", t->run);
    return LS_OK;
}

ls_status ls_trainer_resume(ls_trainer *t) {
    ls_checkpoint_info info = {0};
    ls_status status = ls_checkpoint_newest(t->comm, t->run, &info);
    if (status == LS_OK && info.path[0]) {
        status = ls_agree(t->comm, take_up(t, &info));
        if (status == LS_OK) status = ls_checkpoint_set_last(t->comm, t->run, info.position.step);
    } else if (status == LS_OK) {
        status = start_again(t);
    }
    ls_checkpoint_info_release(&info);
    return status;
}

static ls_status take_weights(ls_trainer *t, const char *run) {
    ls_checkpoint_info info = {0};
    ls_status status = ls_checkpoint_find(t->comm, run, &info);
    ls_snapshot s = snapshot_to_fill(t);
    if (status == LS_OK) status = ls_agree(t->comm, ls_checkpoint_read_common(info.path, &s));
    ls_checkpoint_info_release(&info);
    return status;
}

ls_status ls_trainer_take_initial_weights(ls_trainer *t) {
    const ls_paths *runs = &t->config->initial_weights;
    for (int i = 0; i < runs->count; i++)
        if (take_weights(t, runs->path[i]) != LS_OK) return ls_config_prefix(t->config, &runs->place);
    return LS_OK;
}

ls_status ls_trainer_keep_best(ls_trainer *t) {
    ls_pulse_enter(&t->pulse, LS_ACTIVITY_SAVE);
    ls_snapshot s = snapshot(t);
    return ls_best_improved(&t->best, &s);
}

ls_status ls_trainer_restore_best(ls_trainer *t) {
    char path[LS_PATH_MAX];
    ls_checkpoint_info info;
    ls_snapshot s = snapshot(t);
    if (t->position.best_epoch < 0) return LS_OK;
    LS_TRY(ls_best_flush(&t->best, &s));
    LS_TRY(ls_path_join(t->run, "checkpoints/best.h5", path));
    LS_TRY(ls_checkpoint_find(t->comm, path, &info));
    s = snapshot_to_fill(t);
    s.optimizer = NULL;
    ls_status status = ls_agree(t->comm, ls_checkpoint_read(info.path, &s));
    ls_checkpoint_info_release(&info);
    if (status == LS_OK) ls_log_info("the weights of epoch %" PRId64 " are restored", t->position.best_epoch + 1);
    return status;
}
