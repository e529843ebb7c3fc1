/* trainer_epoch.c - the end of an epoch: what it is judged by, what it has come to, and whether another one follows. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/division.h"
#include "train/evaluation.h"
#include "train/trainer_internal.h"

/* --- validation --- */

static ls_status find_validation(ls_trainer *t) {
    const ls_task *task = t->task;
    ls_validation_samples *samples = &t->validation;
    ls_free(samples->spans);
    *samples = (ls_validation_samples){.dataset = task->validation != NULL ? task->validation : task->train};
    if (task->validation != NULL) return ls_dataset_blocks(samples->dataset, &samples->spans, &samples->count);
    return ls_division_held_out(task, t->position.epoch, 1, &samples->spans, &samples->count);
}

/* scores[LS_SCORES_MAX]: NaN where there is nothing to judge by. */
static ls_status validate(ls_trainer *t, double *scores) {
    const ls_validation_samples *samples = &t->validation;
    for (int s = 0; s < LS_SCORES_MAX; s++) scores[s] = (double)NAN;
    ls_pulse_enter(t->task->pulse, LS_ACTIVITY_VALIDATE);
    LS_TRY(ls_agree(t->task->comm, find_validation(t)));
    if (samples->count == 0) return LS_OK;
    LS_TRY(
        ls_evaluation_scores(t->task, samples->dataset, samples->spans, samples->count, ls_trainer_weights(t), scores));
    if (!isfinite(scores[LS_SCORE_LOSS]))
        return ls_trainer_fail_not_finite(t, "the validation loss is", t->position.epoch_step);
    return ls_trainer_tell(t, LS_ON_TEST_END);
}

/* --- what the epoch has come to --- */

/* What the time of this rank was spent on since the last epoch's line. */
static void take_times(ls_trainer *t, double seconds[LS_TIMES]) {
    ls_pulse_enter(t->task->pulse, LS_ACTIVITY_SAVE);
    if (t->task->pulse == NULL) return;
    const double *spent_s = t->task->pulse->spent_s;
    double now_s[LS_TIMES] = {[LS_TIME_READ] = spent_s[LS_ACTIVITY_READ],
                              [LS_TIME_COMPUTE] = spent_s[LS_ACTIVITY_COMPUTE],
                              [LS_TIME_EXCHANGE] = spent_s[LS_ACTIVITY_EXCHANGE] - t->stepper.waited_s,
                              [LS_TIME_WAITING] = t->stepper.waited_s,
                              [LS_TIME_VALIDATION] = spent_s[LS_ACTIVITY_VALIDATE],
                              [LS_TIME_CHECKPOINT] = spent_s[LS_ACTIVITY_SAVE]};
    for (int item = 0; item < LS_TIMES; item++) {
        seconds[item] = now_s[item] - t->reported_s[item];
        t->reported_s[item] = now_s[item];
    }
    /* What was waited in a step is known in the next one, which may be another epoch's. */
    seconds[LS_TIME_EXCHANGE] = fmax(seconds[LS_TIME_EXCHANGE], 0);
}

/* Of the open epoch, which is over. */
static ls_epoch_logs describe(const ls_trainer *t, const double *scores) {
    const ls_position *position = &t->position;
    double samples = (double)position->loss_count;
    ls_epoch_logs logs = {.epoch = position->epoch + 1,
                          .step = position->step,
                          .loss = ls_trainer_mean_loss(t),
                          .val_loss = scores[LS_SCORE_LOSS],
                          .metrics = t->task->metrics,
                          .seconds = position->seconds,
                          .images_per_s = samples / position->seconds,
                          .lr = ls_stepper_learning_rate(&t->stepper, position->step - 1),
                          .next_lr = (double)NAN,
                          .times = LS_TIMES};
    for (int m = 0; m < logs.metrics; m++)
        logs.metric[m] = (ls_epoch_metric){.name = t->task->metric[m]->name,
                                           .value = position->metric_sum[m] / samples,
                                           .val_value = scores[LS_SCORE_METRICS + m]};
    return logs;
}

/* --- what follows from it --- */

static double watched(int monitor, const ls_epoch_logs *logs) {
    return monitor == LS_MONITOR_LOSS || isnan(logs->val_loss) ? logs->loss : logs->val_loss;
}

static void adapt_learning_rate(ls_trainer *t) {
    const ls_plateau *plateau = &t->task->reduce_lr_on_plateau;
    double value = watched(plateau->monitor, &t->logs);
    if (!ls_plateau_update(plateau, t->task->parts, value, &t->position)) return;
    ls_trainer_set_learning_rate(t);
    t->logs.next_lr = t->stepper.learning_rate;
}

static void judge(ls_trainer *t) {
    const ls_early_stopping *stopping = &t->task->early_stopping;
    double value = watched(stopping->monitor, &t->logs);
    ls_verdict verdict = ls_early_stopping_update(stopping, t->task->parts, value, &t->position);
    t->logs.improved = verdict.improved;
    t->logs.stops = verdict.stop;
}

static void close_epoch(ls_position *position) {
    position->epoch++;
    position->epoch_step = 0;
    position->loss_sum = 0;
    memset(position->metric_sum, 0, sizeof position->metric_sum);
    position->loss_count = 0;
    position->seconds = 0;
}

ls_status ls_trainer_end_epoch(ls_trainer *t) {
    double scores[LS_SCORES_MAX], seconds[LS_TIMES] = {0};
    LS_TRY(ls_trainer_check_weights(t));
    LS_TRY(validate(t, scores));
    take_times(t, seconds);
    t->logs = describe(t, scores);
    LS_TRY(ls_time_breakdown(t->task->comm, t->logs.epoch, seconds, t->logs.time));
    LS_TRY(ls_agree(t->task->comm, ls_history_append(&t->history, &t->logs)));
    adapt_learning_rate(t);
    judge(t);
    close_epoch(&t->position);
    return ls_trainer_tell(t, LS_ON_EPOCH_END);
}
