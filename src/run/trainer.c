#include "run/trainer.h"
#include "base/path.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "run/run_directory.h"
#include "run/trainer_parts.h"
#include "train/early_stopping.h"
#include "train/plateau.h"
#include "train/stop.h"

static bool is_over(const ls_trainer *t) {
    const ls_training_settings *training = &t->config->training;
    return t->position.epoch >= training->epochs || ls_early_stopping_is_over(&training->early_stopping, &t->position);
}

/* --- one epoch --- */

static ls_status train_step(ls_trainer *t, bool *stop) {
    const ls_batch *batch = NULL;
    t->pulse.step = t->position.step + 1;
    ls_pulse_enter(&t->pulse, LS_ACTIVITY_READ);
    ls_status status = ls_loader_next(ls_batch_source_loader(t->feed), &batch);
    ls_signals signals = {.failed = status != LS_OK, .stop = ls_stop_requested()};
    double sums[LS_SCORES_MAX];
    ls_pulse_enter(&t->pulse, LS_ACTIVITY_COMPUTE);
    ls_stepper_run(&t->stepper, batch, &signals, sums);
    if (signals.failed) return ls_agree(t->comm, status);
    if (signals.not_finite) return ls_trainer_fail_not_finite(t, "the loss is", t->position.epoch_step + 1);
    t->position.loss_sum += sums[LS_SCORE_LOSS];
    for (int m = 0; m < t->config->metrics; m++) t->position.metric_sum[m] += sums[LS_SCORE_METRICS + m];
    t->position.loss_count += ls_batch_source_rows(t->feed, t->position.epoch_step);
    t->position.epoch_step++;
    t->position.step++;
    *stop = signals.stop;
    return LS_OK;
}

static ls_status stop_here(ls_trainer *t) {
    LS_TRY(ls_trainer_save(t));
    return LS_RAISE(LS_STOPPED,
                    "stopped by a signal after saving epoch %" PRId64 ", step %" PRId64 " in %s; go on with --resume",
                    t->position.epoch + 1, t->position.epoch_step, t->run);
}

static bool save_is_due(const ls_trainer *t, int64_t steps) {
    int64_t every = t->config->training.checkpoint.every_steps;
    return every > 0 && t->position.step % every == 0 && t->position.epoch_step < steps;
}

static void show_progress(const ls_trainer *t, ls_progress *progress) {
    char text[64];
    snprintf(text, sizeof text, "loss %.4f", ls_trainer_mean_loss(t));
    ls_progress_update(progress, t->position.epoch_step, text);
}

static ls_status train_epoch(ls_trainer *t) {
    int64_t steps = ls_batch_source_steps(t->feed);
    double start_s = ls_clock_s(), before_s = t->position.seconds;
    char title[64];
    ls_progress progress;
    snprintf(title, sizeof title, "epoch %" PRId64 "/%" PRId64, t->position.epoch + 1, t->config->training.epochs);
    ls_progress_begin(&progress, title, steps);
    ls_status status = LS_OK;
    for (bool stop = false; status == LS_OK && t->position.epoch_step < steps;) {
        status = train_step(t, &stop);
        t->position.seconds = before_s + ls_clock_s() - start_s;
        if (status == LS_OK && stop) status = stop_here(t);
        if (status == LS_OK && save_is_due(t, steps)) status = ls_trainer_save(t);
        if (status == LS_OK) show_progress(t, &progress);
    }
    return status;
}

/* --- between epochs --- */

static void close_epoch(ls_position *position) {
    position->epoch++;
    position->epoch_step = 0;
    position->loss_sum = 0;
    memset(position->metric_sum, 0, sizeof position->metric_sum);
    position->loss_count = 0;
    position->seconds = 0;
}

static ls_status begin_epoch(ls_trainer *t) {
    ls_pulse_enter(&t->pulse, LS_ACTIVITY_READ);
    return ls_agree(t->comm, ls_batch_source_begin(t->feed, t->position.epoch, t->position.epoch_step));
}

static double watched(const ls_trainer *t, int monitor, double val_loss) {
    return monitor == LS_MONITOR_LOSS || isnan(val_loss) ? ls_trainer_mean_loss(t) : val_loss;
}

static void adapt_learning_rate(ls_trainer *t, double val_loss) {
    const ls_plateau *plateau = &t->config->training.reduce_lr_on_plateau;
    double value = watched(t, plateau->monitor, val_loss);
    if (!ls_plateau_update(plateau, t->config->data.parts, value, &t->position)) return;
    ls_trainer_set_learning_rate(t);
    ls_log_info("no progress: the learning rate is %g from now on", t->stepper.learning_rate);
}

static ls_status end_epoch(ls_trainer *t) {
    const ls_training_settings *training = &t->config->training;
    double scores[LS_SCORES_MAX], val_loss, seconds[LS_TIMES];
    ls_epoch_time times[LS_TIMES];
    LS_TRY(ls_trainer_check_weights(t));
    LS_TRY(ls_trainer_judge(t, scores));
    ls_trainer_take_times(t, seconds);
    LS_TRY(ls_time_breakdown(t->comm, t->position.epoch + 1, seconds, times));
    LS_TRY(ls_agree(t->comm, ls_trainer_record(t, scores, times)));
    val_loss = scores[LS_SCORE_LOSS];
    adapt_learning_rate(t, val_loss);
    ls_verdict verdict = ls_early_stopping_update(&training->early_stopping, t->config->data.parts,
                                                  watched(t, training->early_stopping.monitor, val_loss), &t->position);
    if (verdict.improved) LS_TRY(ls_trainer_show_best(t));
    close_epoch(&t->position);
    int64_t every = training->checkpoint.every_epochs;
    if (verdict.improved) LS_TRY(ls_trainer_keep_best(t));
    if (verdict.stop) ls_log_info("no progress: the run ends early");
    if (is_over(t) && training->early_stopping.restore_best && !verdict.improved) LS_TRY(ls_trainer_restore_best(t));
    if (is_over(t) || (every > 0 && t->position.epoch % every == 0)) LS_TRY(ls_trainer_save(t));
    return is_over(t) ? LS_OK : begin_epoch(t);
}

/* --- the run --- */

static ls_status open_directory(ls_trainer *t, const ls_train_options *options) {
    ls_status status = LS_OK;
    ls_run_use use = options->resume ? LS_RUN_RESUME : options->overwrite ? LS_RUN_REPLACE : LS_RUN_BEGIN;
    if (t->comm->rank == 0) status = ls_run_directory_open(t->run, use, &t->lock);
    return ls_agree(t->comm, status);
}

/* What an earlier run left there goes only now that this one can begin, and has read its initial weights, which may
 * come from that run. */
static ls_status begin_anew(ls_trainer *t, const ls_train_options *options) {
    LS_TRY(ls_trainer_take_initial_weights(t));
    return ls_agree(t->comm, t->comm->rank == 0 ? ls_run_directory_clear(t->run, options->overwrite) : LS_OK);
}

static ls_status open_records(ls_trainer *t) {
    char path[LS_PATH_MAX];
    if (t->comm->rank != 0) return LS_OK;
    LS_TRY(ls_run_directory_write(t->run, "config.yaml", t->config->text));
    LS_TRY(ls_path_join(t->run, "log.txt", path));
    LS_TRY(ls_log_open(path));
    ls_log_detail("lockstep %s", LS_VERSION); /* by which the run directory is known for one, too */
    LS_TRY(ls_path_join(t->run, "metrics.jsonl", path));
    return ls_metrics_open(&t->metrics, path);
}

static void describe(const ls_trainer *t) {
    const ls_session *session = &t->session;
    const ls_dataset_info *data = ls_dataset_get_info(session->task.train);
    ls_log_info("training %s: %" PRId64 " parameters, %" PRId64 " %s, batch %" PRId64
                " in %d lanes, on %d %s x %d %s (%s)",
                t->config->path, ls_model_param_count(session->task.model), data->count,
                ls_plural(data->count, "sample", "samples"), t->config->training.batch_size, session->task.lanes.count,
                t->comm->size, ls_plural(t->comm->size, "rank", "ranks"), session->task.threads,
                ls_plural(session->task.threads, "thread", "threads"), ls_isa_name(session->isa));
    ls_step_memory memory = ls_stepper_memory(&session->task, data);
    ls_log_info(
        "memory: %.0f MB a rank for activations, gradients, optimizer and batches, and %.0f MB a host for weights",
        (double)ls_step_memory_rank_bytes(&memory) / 1e6, (double)memory.host_bytes / 1e6);
    double balance = ls_lanes_balance(session->task.lanes.count, t->comm->size);
    if (balance < 1)
        ls_log_info(
            "%d lanes on %d ranks: %.0f %% of the cores' time can be used; a number of ranks that divides the lanes "
            "uses all",
            session->task.lanes.count, t->comm->size, 100 * balance);
}

/* At once: the stack shows the layer to a debugger that stops here. */
static void end_debugging(void *context) {
    const ls_comm *comm = context;
    ls_log_rank("%s", ls_failure_get()->message);
    ls_comm_abort(comm, LS_ERROR);
}

static ls_status start(ls_trainer *t, const ls_train_options *options) {
    LS_TRY(ls_session_start(&t->session, t->comm, t->config, &t->pulse));
    LS_TRY(ls_session_divide(&t->session, options->resume));
    LS_TRY(ls_session_open_data(&t->session));
    ls_pulse_beat(&t->pulse);
    if (options->debug) ls_model_debug(t->session.task.model, end_debugging, (void *)t->comm);
    LS_TRY(ls_agree(t->comm, ls_division_check(&t->session.task)));
    LS_TRY(open_directory(t, options));
    LS_TRY(ls_stepper_init(&t->stepper, &t->session.task));
    ls_pulse_beat(&t->pulse);
    ls_best_init(&t->best, t->comm, t->run, t->config->training.checkpoint.best_interval_s);
    if (options->resume) LS_TRY(ls_trainer_resume(t));
    return LS_OK;
}

/* From here on the run directory is written to: one that is finished may lie on a disk that cannot be. */
static ls_status prepare(ls_trainer *t, const ls_train_options *options) {
    LS_TRY(ls_agree(t->comm, t->comm->rank == 0 ? ls_run_directory_prepare(t->run) : LS_OK));
    if (t->position.step == 0) LS_TRY(begin_anew(t, options));
    return ls_agree(t->comm, open_records(t));
}

static ls_status train(ls_trainer *t, const ls_train_options *options) {
    if (t->position.epoch > t->config->training.epochs) {
        ls_log_info("%s has done %" PRId64 " %s already, more than training.epochs=%" PRId64 ": nothing to do", t->run,
                    t->position.epoch, ls_plural(t->position.epoch, "epoch", "epochs"), t->config->training.epochs);
        return LS_OK;
    }
    if (is_over(t)) {
        ls_log_info("%s is finished: %" PRId64 " %s", t->run, t->position.epoch,
                    ls_plural(t->position.epoch, "epoch", "epochs"));
        ls_trainer_tell_end(t);
        return LS_OK;
    }
    LS_TRY(prepare(t, options));
    ls_task_cache_data(&t->session.task);
    describe(t);
    LS_TRY(ls_agree(t->comm, ls_trainer_open_board(t)));
    LS_TRY(ls_agree(t->comm, ls_batch_source_open(&t->session.task, &t->feed)));
    LS_TRY(begin_epoch(t));
    ls_stop_watch();
    while (!is_over(t)) {
        LS_TRY(train_epoch(t));
        LS_TRY(end_epoch(t));
    }
    ls_trainer_tell_end(t);
    return LS_OK;
}

ls_status ls_trainer_run(const ls_comm *comm, const ls_config *config, const ls_train_options *options) {
    ls_trainer t = {.comm = comm, .config = config, .run = options->run, .lock = -1};
    t.position = ls_position_start();
    ls_status status = start(&t, options);
    if (status == LS_OK) status = train(&t, options);
    ls_batch_source_close(t.feed);
    ls_stepper_release(&t.stepper);
    ls_best_release(&t.best);
    ls_metrics_close(&t.metrics);
    ls_event_file_close(t.board);
    ls_run_directory_unlock(t.lock);
    ls_session_release(&t.session);
    return status;
}
