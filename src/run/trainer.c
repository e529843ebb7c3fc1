#include "lockstep/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "lockstep/checkpoint.h"
#include "lockstep/clock.h"
#include "lockstep/early_stopping.h"
#include "lockstep/log.h"
#include "lockstep/memory.h"
#include "lockstep/metrics.h"
#include "lockstep/plateau.h"
#include "run/best.h"
#include "run/budget.h"
#include "run/evaluation.h"
#include "run/feed.h"
#include "run/run_directory.h"
#include "run/step.h"
#include "run/stop.h"
#include "run/watchdog.h"

typedef struct trainer {
    const ls_comm *comm;
    const ls_config *config;
    const char *run;
    int lock; /* of the run directory; rank 0 */
    ls_session session;
    ls_pulse pulse;
    double told_s[LS_BUDGET_ITEMS]; /* of the budget, in earlier epochs */
    ls_watchdog *watchdog;
    ls_stepper stepper;
    ls_training_feed *feed; /* of the open epoch */
    ls_metrics metrics;
    ls_best best;
    ls_position position;
} trainer;

static bool is_over(const trainer *t) {
    const ls_training_settings *training = &t->config->training;
    return t->position.epoch >= training->epochs || ls_early_stopping_is_over(&training->early_stopping, &t->position);
}

/* --- saving and going on --- */

static ls_snapshot snapshot(trainer *t) {
    ls_snapshot s = {.model = t->session.model,
                     .optimizer = t->config->optimizer,
                     .weights = ls_exchange_weights(t->stepper.exchange),
                     .shards = *ls_exchange_shards(t->stepper.exchange),
                     .position = t->position,
                     .config = t->config->text,
                     .fingerprint = ls_dataset_get_info(t->session.train)->fingerprint,
                     .history = ls_metrics_history(&t->metrics),
                     .lanes = t->session.lanes.count,
                     .isa = ls_isa_name(t->session.isa)};
    memcpy(s.slot, t->stepper.slot, sizeof s.slot);
    return s;
}

static ls_status fail_not_finite(const trainer *t, const char *what, int64_t step) {
    return LS_RAISE(LS_ERROR,
                    "%s not finite at step %" PRId64 " of epoch %" PRId64
                    "; the checkpoints before it are whole; a smaller learning_rate may help",
                    what, step, t->position.epoch + 1);
}

/* Collective. Of what the last update made of its weights a rank hears in the next step, which is too late for a
 * checkpoint. */
static ls_status check_weights(const trainer *t) {
    if (ls_comm_min(t->comm, t->stepper.weights_finite)) return LS_OK;
    return fail_not_finite(t, "the weights are", t->position.epoch_step);
}

/* To read into: of ranks that share the weights one reads them. */
static ls_snapshot snapshot_to_fill(trainer *t) {
    ls_snapshot s = snapshot(t);
    s.weights = ls_exchange_weights_to_fill(t->stepper.exchange);
    return s;
}

static ls_status save(trainer *t) {
    ls_pulse_enter(&t->pulse, LS_PHASE_SAVE);
    LS_TRY(check_weights(t));
    ls_snapshot s = snapshot(t);
    LS_TRY(ls_best_flush(&t->best, &s));
    return ls_checkpoint_save(t->comm, t->run, &s, t->config->training.checkpoint.keep);
}

static ls_status check_same_run(const trainer *t, const ls_checkpoint_info *info) {
    const ls_dataset_info *data = ls_dataset_get_info(t->session.train);
    if (strcmp(info->fingerprint, data->fingerprint) != 0)
        return LS_RAISE(
            LS_INVALID,
            "%s was trained on other data: its training data has the fingerprint %s, %s has %s; give the run "
            "the same data, or start another run",
            info->path, info->fingerprint, ls_dataset_path(t->session.train, 0), data->fingerprint);
    ls_config *then = NULL;
    LS_TRY(ls_config_parse(info->path, info->config, NULL, 0, &then));
    ls_status status = ls_config_compare(then, t->config);
    ls_config_destroy(then);
    if (status == LS_OK && strcmp(info->isa, ls_isa_name(t->session.isa)) != 0)
        ls_log_warn(
            "the run was on %s so far and goes on on %s: its last digits may differ from an uninterrupted run's",
            info->isa, ls_isa_name(t->session.isa));
    return status;
}

static void set_learning_rate(trainer *t) {
    double rate = ls_optimizer_learning_rate(t->config->optimizer, t->config->optimizer_options);
    t->stepper.learning_rate =
        ls_plateau_rate(&t->config->training.reduce_lr_on_plateau, rate, t->position.lr_reductions);
}

static ls_status take_up(trainer *t, const ls_checkpoint_info *info) {
    LS_TRY(check_same_run(t, info));
    ls_snapshot s = snapshot_to_fill(t);
    LS_TRY(ls_checkpoint_read(info->path, &s));
    t->position = info->position;
    t->stepper.step = info->position.step;
    set_learning_rate(t);
    LS_TRY(ls_metrics_restore(&t->metrics, info->history));
    ls_log_info("going on from %s: epoch %" PRId64 ", step %" PRId64, info->path, info->position.epoch + 1,
                info->position.epoch_step);
    return LS_OK;
}

static ls_status resume(trainer *t) {
    ls_checkpoint_info info = {0};
    ls_status status = ls_checkpoint_newest(t->comm, t->run, &info);
    if (status == LS_OK && info.path[0]) {
        status = ls_agree(t->comm, take_up(t, &info));
        if (status == LS_OK) status = ls_checkpoint_set_last(t->comm, t->run, info.position.step);
    }
    ls_checkpoint_info_release(&info);
    return status;
}

static ls_status take_weights(trainer *t, const char *run) {
    ls_checkpoint_info info = {0};
    ls_status status = ls_checkpoint_find(t->comm, run, &info);
    ls_snapshot s = snapshot_to_fill(t);
    if (status == LS_OK) status = ls_agree(t->comm, ls_checkpoint_read_common(info.path, &s));
    if (status == LS_OK) ls_log_info("layers of the same names start with the weights of %s", info.path);
    ls_checkpoint_info_release(&info);
    return status;
}

/* Of a new run. */
static ls_status take_initial_weights(trainer *t) {
    const ls_paths *runs = &t->config->initial_weights;
    for (int i = 0; i < runs->count; i++)
        if (take_weights(t, runs->path[i]) != LS_OK) return ls_config_prefix(t->config, &runs->place);
    return LS_OK;
}

/* --- one epoch --- */

static ls_status train_step(trainer *t, bool *stop) {
    const ls_batch *batch = NULL;
    t->pulse.step = t->position.step + 1;
    ls_pulse_enter(&t->pulse, LS_PHASE_READ);
    ls_status status = ls_loader_next(ls_training_feed_loader(t->feed), &batch);
    ls_signals signals = {.failed = status != LS_OK, .stop = ls_stop_requested()};
    double sums[LS_SCORES_MAX];
    ls_pulse_enter(&t->pulse, LS_PHASE_COMPUTE);
    ls_stepper_run(&t->stepper, batch, &signals, sums);
    if (signals.failed) return ls_agree(t->comm, status);
    if (signals.not_finite) return fail_not_finite(t, "the loss is", t->position.epoch_step + 1);
    t->position.loss_sum += sums[LS_SCORE_LOSS];
    for (int m = 0; m < t->config->metrics; m++) t->position.metric_sum[m] += sums[LS_SCORE_METRICS + m];
    t->position.loss_count += ls_training_feed_rows(t->feed, t->position.epoch_step);
    t->position.epoch_step++;
    t->position.step++;
    *stop = signals.stop;
    return LS_OK;
}

static ls_status stop_here(trainer *t) {
    LS_TRY(save(t));
    return LS_RAISE(LS_STOPPED,
                    "stopped by a signal after saving epoch %" PRId64 ", step %" PRId64 " in %s; go on with --resume",
                    t->position.epoch + 1, t->position.epoch_step, t->run);
}

static bool save_is_due(const trainer *t, int64_t steps) {
    int64_t every = t->config->training.checkpoint.every_steps;
    return every > 0 && t->position.step % every == 0 && t->position.epoch_step < steps;
}

static double mean_loss(const trainer *t) { return t->position.loss_sum / (double)t->position.loss_count; }

static void show_progress(const trainer *t, ls_progress *progress) {
    char text[64];
    snprintf(text, sizeof text, "loss %.4f", mean_loss(t));
    ls_progress_update(progress, t->position.epoch_step, text);
}

static ls_status train_epoch(trainer *t) {
    int64_t steps = ls_training_feed_steps(t->feed);
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
        if (status == LS_OK && save_is_due(t, steps)) status = save(t);
        if (status == LS_OK) show_progress(t, &progress);
    }
    return status;
}

/* --- between epochs --- */

/* The samples that an epoch is judged by: the validation files, or what the split holds out; none: count is 0. */
typedef struct judge_samples {
    ls_dataset *dataset;
    ls_span *spans; /* owned */
    int64_t count;
} judge_samples;

static ls_status find_judges(const trainer *t, judge_samples *out) {
    *out = (judge_samples){.dataset = t->session.validation ? t->session.validation : t->session.train};
    if (t->session.validation) return ls_dataset_blocks(out->dataset, &out->spans, &out->count);
    return ls_division_held_out(&t->session, t->position.epoch, 1, &out->spans, &out->count);
}

static ls_status draw(trainer *t, const judge_samples *judges) {
    char name[64], path[LS_PATH_MAX];
    int64_t pictures = t->config->training.images;
    if (pictures == 0) return LS_OK;
    snprintf(name, sizeof name, "images/epoch-%04" PRId64 ".png", t->position.epoch + 1);
    ls_status status = ls_run_directory_path(t->run, name, path);
    if (status == LS_OK && t->comm->rank == 0)
        status = ls_evaluation_pictures(&t->session, judges->dataset, judges->spans, judges->count,
                                        ls_exchange_weights(t->stepper.exchange), pictures, path);
    return ls_agree(t->comm, status);
}

/* scores: NaN where there is nothing to judge by. */
static ls_status judge(trainer *t, double *scores) {
    judge_samples judges;
    for (int s = 0; s < LS_SCORES_MAX; s++) scores[s] = NAN;
    ls_pulse_enter(&t->pulse, LS_PHASE_VALIDATE);
    ls_status status = ls_agree(t->comm, find_judges(t, &judges));
    if (status == LS_OK && judges.count > 0) {
        status = ls_evaluation_scores(&t->session, judges.dataset, judges.spans, judges.count,
                                      ls_exchange_weights(t->stepper.exchange), scores);
        if (status == LS_OK && !isfinite(scores[LS_SCORE_LOSS]))
            status = fail_not_finite(t, "the validation loss is", t->position.epoch_step);
        if (status == LS_OK) status = draw(t, &judges);
    }
    ls_free(judges.spans);
    return status;
}

static void log_epoch(const trainer *t, const ls_epoch_metrics *row) {
    char training[256] = "", validation[256] = "";
    for (int m = 0, at = 0; m < row->metrics; m++)
        at += snprintf(training + at, sizeof training - (size_t)at, ", %s %.6g", row->metric[m].name,
                       row->metric[m].value);
    int at = isnan(row->val_loss) ? 0 : snprintf(validation, sizeof validation, ", val_loss %.6g", row->val_loss);
    for (int m = 0; at > 0 && m < row->metrics; m++)
        at += snprintf(validation + at, sizeof validation - (size_t)at, ", val_%s %.6g", row->metric[m].name,
                       row->metric[m].val_value);
    ls_log_info("epoch %" PRId64 "/%" PRId64 ": loss %.6g%s%s, %.1f s, %.0f images/s", row->epoch,
                t->config->training.epochs, row->loss, training, validation, row->seconds, row->images_per_s);
}

/* What the time of this rank was spent on since the last epoch's line. */
static void take_budget(trainer *t, double *seconds) {
    ls_pulse_enter(&t->pulse, LS_PHASE_SAVE);
    const double *spent_s = t->pulse.spent_s;
    const double now_s[LS_BUDGET_ITEMS] = {[LS_BUDGET_READ] = spent_s[LS_PHASE_READ],
                                           [LS_BUDGET_COMPUTE] = spent_s[LS_PHASE_COMPUTE],
                                           [LS_BUDGET_EXCHANGE] = spent_s[LS_PHASE_EXCHANGE] - t->stepper.waited_s,
                                           [LS_BUDGET_WAITING] = t->stepper.waited_s,
                                           [LS_BUDGET_VALIDATION] = spent_s[LS_PHASE_VALIDATE],
                                           [LS_BUDGET_CHECKPOINT] = spent_s[LS_PHASE_SAVE]};
    for (int item = 0; item < LS_BUDGET_ITEMS; item++) {
        seconds[item] = now_s[item] - t->told_s[item];
        t->told_s[item] = now_s[item];
    }
    /* What was waited in a step is known in the next one, which may be another epoch's. */
    seconds[LS_BUDGET_EXCHANGE] = fmax(seconds[LS_BUDGET_EXCHANGE], 0);
}

static ls_status record(trainer *t, const double *scores, const ls_epoch_time *times) {
    double images_per_s = (double)t->position.loss_count / t->position.seconds;
    ls_epoch_metrics row = {.epoch = t->position.epoch + 1,
                            .step = t->position.step,
                            .loss = mean_loss(t),
                            .val_loss = scores[LS_SCORE_LOSS],
                            .metrics = t->config->metrics,
                            .seconds = t->position.seconds,
                            .images_per_s = images_per_s,
                            .lr = ls_stepper_learning_rate(&t->stepper, t->position.step - 1),
                            .times = LS_BUDGET_ITEMS};
    memcpy(row.time, times, sizeof row.time);
    for (int m = 0; m < row.metrics; m++)
        row.metric[m] = (ls_epoch_metric){.name = t->config->metric[m]->name,
                                          .value = t->position.metric_sum[m] / (double)t->position.loss_count,
                                          .val_value = scores[LS_SCORE_METRICS + m]};
    log_epoch(t, &row);
    return ls_metrics_append(&t->metrics, &row);
}

static ls_status keep_best(trainer *t) {
    ls_pulse_enter(&t->pulse, LS_PHASE_SAVE);
    ls_snapshot s = snapshot(t);
    return ls_best_improved(&t->best, &s);
}

static ls_status restore_best(trainer *t) {
    char path[LS_PATH_MAX];
    ls_snapshot s = snapshot(t);
    LS_TRY(ls_best_flush(&t->best, &s));
    LS_TRY(ls_run_directory_path(t->run, "checkpoints/best.h5", path));
    s = snapshot_to_fill(t);
    s.optimizer = NULL;
    LS_TRY(ls_agree(t->comm, ls_checkpoint_read(path, &s)));
    ls_log_info("stopped early; the weights of epoch %" PRId64 " are restored", t->position.best_epoch + 1);
    return LS_OK;
}

static void close_epoch(ls_position *position) {
    position->epoch++;
    position->epoch_step = 0;
    position->loss_sum = 0;
    memset(position->metric_sum, 0, sizeof position->metric_sum);
    position->loss_count = 0;
    position->seconds = 0;
}

static ls_status open_feed(trainer *t) {
    ls_pulse_enter(&t->pulse, LS_PHASE_READ);
    ls_training_feed_close(t->feed);
    t->feed = NULL;
    return ls_agree(t->comm, ls_training_feed_open(&t->session, t->position.epoch, t->position.epoch_step, &t->feed));
}

static double watched(const trainer *t, int monitor, double val_loss) {
    return monitor == LS_MONITOR_LOSS || isnan(val_loss) ? mean_loss(t) : val_loss;
}

static void adapt_learning_rate(trainer *t, double val_loss) {
    const ls_plateau *plateau = &t->config->training.reduce_lr_on_plateau;
    double value = watched(t, plateau->monitor, val_loss);
    if (!ls_plateau_update(plateau, t->config->data.parts, value, &t->position)) return;
    set_learning_rate(t);
    ls_log_info("no progress: the learning rate is %g from now on", t->stepper.learning_rate);
}

static ls_status end_epoch(trainer *t) {
    const ls_training_settings *training = &t->config->training;
    double scores[LS_SCORES_MAX], val_loss, seconds[LS_BUDGET_ITEMS];
    ls_epoch_time times[LS_BUDGET_ITEMS];
    LS_TRY(check_weights(t));
    LS_TRY(judge(t, scores));
    take_budget(t, seconds);
    LS_TRY(ls_budget_report(t->comm, t->position.epoch + 1, seconds, times));
    LS_TRY(ls_agree(t->comm, record(t, scores, times)));
    val_loss = scores[LS_SCORE_LOSS];
    adapt_learning_rate(t, val_loss);
    ls_verdict verdict = ls_early_stopping_update(&training->early_stopping, t->config->data.parts,
                                                  watched(t, training->early_stopping.monitor, val_loss), &t->position);
    close_epoch(&t->position);
    int64_t every = training->checkpoint.every_epochs;
    if (verdict.improved) LS_TRY(keep_best(t));
    if (verdict.stop && training->early_stopping.restore_best) LS_TRY(restore_best(t));
    if (is_over(t) || (every > 0 && t->position.epoch % every == 0)) LS_TRY(save(t));
    return is_over(t) ? LS_OK : open_feed(t);
}

/* --- the run --- */

/* Every part must leave something to train on. */
static ls_status check_divisions(const trainer *t) {
    ls_span *spans;
    int64_t count;
    LS_TRY(ls_division_held_out(&t->session, 0, t->config->data.parts, &spans, &count));
    ls_free(spans);
    return LS_OK;
}

static ls_status prepare_directory(trainer *t, const ls_train_options *options) {
    ls_status status = LS_OK;
    if (t->comm->rank == 0) status = ls_run_directory_prepare(t->run, options->resume, options->overwrite, &t->lock);
    return ls_agree(t->comm, status);
}

static ls_status open_records(trainer *t) {
    char path[LS_PATH_MAX];
    if (t->comm->rank != 0) return LS_OK;
    LS_TRY(ls_run_directory_write(t->run, "config.yaml", t->config->text));
    LS_TRY(ls_run_directory_path(t->run, "log.txt", path));
    LS_TRY(ls_log_open(path));
    LS_TRY(ls_run_directory_path(t->run, "metrics.jsonl", path));
    return ls_metrics_open(&t->metrics, path);
}

static void describe(const trainer *t) {
    const ls_session *session = &t->session;
    const ls_dataset_info *data = ls_dataset_get_info(session->train);
    ls_log_info("training %s: %" PRId64 " parameters, %" PRId64 " samples, batch %" PRId64
                " in %d lanes, on %d ranks x %d "
                "threads (%s)",
                t->config->path, ls_model_param_count(session->model), data->count, t->config->training.batch_size,
                session->lanes.count, t->comm->size, session->threads, ls_isa_name(session->isa));
    ls_step_memory memory = ls_stepper_memory(session);
    ls_log_info("memory: %.0f MB a rank for activations, gradients and optimizer, and %.0f MB a host for weights",
                (double)(memory.model_bytes + memory.exchange_bytes + memory.slot_bytes) / 1e6,
                (double)memory.host_bytes / 1e6);
    double balance = ls_lanes_balance(session->lanes.count, t->comm->size);
    if (balance < 1)
        ls_log_info(
            "%d lanes on %d ranks: %.0f %% of the cores' time can be used; a number of ranks that divides the lanes "
            "uses all",
            session->lanes.count, t->comm->size, 100 * balance);
}

/* At once: the stack shows the layer to a debugger that stops here. */
static void end_debugging(void *context) {
    const ls_comm *comm = context;
    ls_log_rank("%s", ls_failure_get()->message);
    ls_comm_abort(comm, LS_ERROR);
}

static ls_status start(trainer *t, const ls_train_options *options) {
    LS_TRY(ls_session_start(&t->session, t->comm, t->config));
    t->session.pulse = &t->pulse;
    LS_TRY(ls_session_divide(&t->session));
    LS_TRY(ls_session_open_data(&t->session));
    if (options->debug) ls_model_debug(t->session.model, end_debugging, (void *)t->comm);
    LS_TRY(ls_agree(t->comm, check_divisions(t)));
    LS_TRY(prepare_directory(t, options));
    LS_TRY(ls_stepper_init(&t->stepper, &t->session));
    LS_TRY(ls_best_init(&t->best, t->comm, t->run, t->config->training.checkpoint.best_interval_s,
                        ls_model_flat_count(t->session.model)));
    if (options->resume) LS_TRY(resume(t));
    if (t->position.step == 0) LS_TRY(take_initial_weights(t));
    return ls_agree(t->comm, open_records(t));
}

static ls_status train(trainer *t) {
    if (is_over(t)) {
        ls_log_info("%s is finished: %" PRId64 " epochs", t->run, t->position.epoch);
        return LS_OK;
    }
    LS_TRY(ls_session_cache_data(&t->session));
    describe(t);
    LS_TRY(ls_watchdog_start(t->comm, &t->pulse, t->config->training.stall_timeout_s, &t->watchdog));
    LS_TRY(open_feed(t));
    while (!is_over(t)) {
        LS_TRY(train_epoch(t));
        LS_TRY(end_epoch(t));
    }
    return LS_OK;
}

ls_status ls_trainer_run(const ls_comm *comm, const ls_config *config, const ls_train_options *options) {
    trainer t = {.comm = comm, .config = config, .run = options->run, .lock = -1};
    t.position = ls_position_start();
    ls_stop_watch();
    ls_status status = start(&t, options);
    if (status == LS_OK) status = train(&t);
    ls_watchdog_stop(t.watchdog);
    ls_training_feed_close(t.feed);
    ls_stepper_release(&t.stepper);
    ls_best_release(&t.best);
    ls_metrics_close(&t.metrics);
    ls_run_directory_unlock(t.lock);
    ls_session_release(&t.session);
    return status;
}
