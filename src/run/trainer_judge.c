/* trainer_judge.c - what an epoch has come to: its scores, its picture, its line. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/text.h"
#include "report/pictures.h"
#include "run/run_directory.h"
#include "run/trainer_parts.h"
#include "train/evaluation.h"

/* The samples that an epoch is judged by: the validation files, or what the split holds out; none: count is 0. */
typedef struct judge_samples {
    ls_dataset *dataset;
    ls_span *spans; /* owned */
    int64_t count;
} judge_samples;

static ls_status find_judges(const ls_trainer *t, judge_samples *out) {
    *out = (judge_samples){.dataset = t->session.task.validation ? t->session.task.validation : t->session.task.train};
    if (t->session.task.validation) return ls_dataset_blocks(out->dataset, &out->spans, &out->count);
    return ls_division_held_out(&t->session.task, t->position.epoch, 1, &out->spans, &out->count);
}

static ls_status draw(ls_trainer *t, const judge_samples *judges) {
    char name[64], path[LS_PATH_MAX];
    int64_t pictures = t->config->training.images;
    if (pictures == 0) return LS_OK;
    snprintf(name, sizeof name, "images/epoch-%04" PRId64 ".png", t->position.epoch + 1);
    ls_status status = ls_path_join(t->run, name, path);
    if (status == LS_OK && t->comm->rank == 0)
        status = ls_pictures_write(&t->session.task, judges->dataset, LS_USE_VALIDATION, judges->spans, judges->count,
                                   ls_exchange_weights(t->stepper.exchange), ls_model_layers(t->session.task.model) - 1,
                                   pictures, path);
    if (status == LS_OK) status = ls_trainer_show_picture(t, path);
    return ls_agree(t->comm, status);
}

ls_status ls_trainer_judge(ls_trainer *t, double *scores) {
    judge_samples judges;
    for (int s = 0; s < LS_SCORES_MAX; s++) scores[s] = NAN;
    ls_pulse_enter(&t->pulse, LS_ACTIVITY_VALIDATE);
    ls_status status = ls_agree(t->comm, find_judges(t, &judges));
    if (status == LS_OK && judges.count > 0) {
        status = ls_evaluation_scores(&t->session.task, judges.dataset, judges.spans, judges.count,
                                      ls_exchange_weights(t->stepper.exchange), scores);
        if (status == LS_OK && !isfinite(scores[LS_SCORE_LOSS]))
            status = ls_trainer_fail_not_finite(t, "the validation loss is", t->position.epoch_step);
        if (status == LS_OK) status = draw(t, &judges);
        if (status == LS_OK) status = ls_trainer_show_codes(t, judges.dataset, judges.spans, judges.count);
    }
    ls_free(judges.spans);
    return status;
}

ls_status ls_trainer_show_best(ls_trainer *t) {
    judge_samples judges;
    ls_pulse_enter(&t->pulse, LS_ACTIVITY_VALIDATE);
    ls_status status = ls_agree(t->comm, find_judges(t, &judges));
    if (status == LS_OK) status = ls_trainer_show_points(t, judges.dataset, judges.spans, judges.count);
    ls_free(judges.spans);
    return status;
}

double ls_trainer_mean_loss(const ls_trainer *t) { return t->position.loss_sum / (double)t->position.loss_count; }

static void log_epoch(const ls_trainer *t, const ls_epoch_metrics *row) {
    char training[256] = "", validation[256] = "";
    for (int m = 0, at = 0; m < row->metrics; m++)
        at += snprintf(training + at, sizeof training - (size_t)at, ", %s %.6g", row->metric[m].name,
                       row->metric[m].value);
    int at = isnan(row->val_loss) ? 0 : snprintf(validation, sizeof validation, ", val_loss %.6g", row->val_loss);
    for (int m = 0; at > 0 && m < row->metrics; m++)
        at += snprintf(validation + at, sizeof validation - (size_t)at, ", val_%s %.6g", row->metric[m].name,
                       row->metric[m].val_value);
    char seconds[LS_SECONDS_TEXT_MAX];
    ls_log_info("epoch %" PRId64 "/%" PRId64 ": loss %.6g%s%s, %s, %.0f images/s", row->epoch,
                t->config->training.epochs, row->loss, training, validation, ls_seconds_text(row->seconds, seconds),
                row->images_per_s);
}

void ls_trainer_take_times(ls_trainer *t, double *seconds) {
    ls_pulse_enter(&t->pulse, LS_ACTIVITY_SAVE);
    const double *spent_s = t->pulse.spent_s;
    const double now_s[LS_TIMES] = {[LS_TIME_READ] = spent_s[LS_ACTIVITY_READ],
                                    [LS_TIME_COMPUTE] = spent_s[LS_ACTIVITY_COMPUTE],
                                    [LS_TIME_EXCHANGE] = spent_s[LS_ACTIVITY_EXCHANGE] - t->stepper.waited_s,
                                    [LS_TIME_WAITING] = t->stepper.waited_s,
                                    [LS_TIME_VALIDATION] = spent_s[LS_ACTIVITY_VALIDATE],
                                    [LS_TIME_CHECKPOINT] = spent_s[LS_ACTIVITY_SAVE]};
    for (int item = 0; item < LS_TIMES; item++) {
        seconds[item] = now_s[item] - t->told_s[item];
        t->told_s[item] = now_s[item];
    }
    /* What was waited in a step is known in the next one, which may be another epoch's. */
    seconds[LS_TIME_EXCHANGE] = fmax(seconds[LS_TIME_EXCHANGE], 0);
}

ls_status ls_trainer_record(ls_trainer *t, const double *scores, const ls_epoch_time *times) {
    double images_per_s = (double)t->position.loss_count / t->position.seconds;
    ls_epoch_metrics row = {.epoch = t->position.epoch + 1,
                            .step = t->position.step,
                            .loss = ls_trainer_mean_loss(t),
                            .val_loss = scores[LS_SCORE_LOSS],
                            .metrics = t->config->metrics,
                            .seconds = t->position.seconds,
                            .images_per_s = images_per_s,
                            .lr = ls_stepper_learning_rate(&t->stepper, t->position.step - 1),
                            .times = LS_TIMES};
    memcpy(row.time, times, sizeof row.time);
    for (int m = 0; m < row.metrics; m++)
        row.metric[m] = (ls_epoch_metric){.name = t->config->metric[m]->name,
                                          .value = t->position.metric_sum[m] / (double)t->position.loss_count,
                                          .val_value = scores[LS_SCORE_METRICS + m]};
    log_epoch(t, &row);
    LS_TRY(ls_metrics_append(&t->metrics, &row));
    return ls_trainer_show_epoch(t, &row);
}
