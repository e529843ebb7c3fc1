/* callback_console.c - what a run tells people: lines on the console and in the log, and a bar while an epoch is
 * trained. The log prints on rank 0 alone. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "report/callbacks.h"

typedef struct console {
    ls_progress progress;
    char title[64];
} console;

/* --- the beginning --- */

static void describe_memory(const ls_task *task) {
    ls_step_memory memory = ls_stepper_memory(task, ls_dataset_get_info(task->train));
    ls_log_info(
        "memory: %.0f MB a rank for activations, gradients, optimizer and batches, and %.0f MB a host for weights",
        (double)ls_step_memory_rank_bytes(&memory) / 1e6, (double)memory.host_bytes / 1e6);
}

static ls_status describe(ls_callback *self, ls_trainer *t) {
    const ls_report *report = self->settings;
    const ls_task *task = t->task;
    int64_t samples = ls_dataset_get_info(task->train)->count;
    int ranks = task->comm->size, lanes = task->lanes.count;
    ls_log_info("training %s: %" PRId64 " parameters, %" PRId64 " %s, batch %" PRId64
                " in %d lanes, on %d %s x %d %s (%s)",
                report->config, ls_model_param_count(task->model), samples, ls_plural(samples, "sample", "samples"),
                task->batch_size, lanes, ranks, ls_plural(ranks, "rank", "ranks"), task->threads,
                ls_plural(task->threads, "thread", "threads"), ls_isa_name(task->isa));
    describe_memory(task);
    double balance = ls_lanes_balance(lanes, ranks);
    if (balance < 1)
        ls_log_info(
            "%d lanes on %d ranks: %.0f %% of the cores' time can be used; a number of ranks that divides the lanes "
            "uses all",
            lanes, ranks, 100 * balance);
    return LS_OK;
}

/* --- an epoch --- */

static ls_status begin_progress(ls_callback *self, ls_trainer *t) {
    console *c = self->state;
    (void)snprintf(c->title, sizeof c->title, "epoch %" PRId64 "/%" PRId64, t->position.epoch + 1, t->task->epochs);
    ls_progress_begin(&c->progress, c->title, ls_batch_source_steps(t->source));
    return LS_OK;
}

static ls_status show_progress(ls_callback *self, ls_trainer *t) {
    console *c = self->state;
    char text[64];
    (void)snprintf(text, sizeof text, "loss %.4f", ls_trainer_mean_loss(t));
    ls_progress_update(&c->progress, t->position.epoch_step, text);
    return LS_OK;
}

static void log_epoch(const ls_trainer *t) {
    const ls_epoch_logs *row = &t->logs;
    char training[256] = "", validation[256] = "";
    for (int m = 0, at = 0; m < row->metrics; m++)
        at += snprintf(training + at, sizeof training - (size_t)at, ", %s %.6g", row->metric[m].name,
                       row->metric[m].value);
    int at = isnan(row->val_loss) ? 0 : snprintf(validation, sizeof validation, ", val_loss %.6g", row->val_loss);
    for (int m = 0; at > 0 && m < row->metrics; m++)
        at += snprintf(validation + at, sizeof validation - (size_t)at, ", val_%s %.6g", row->metric[m].name,
                       row->metric[m].val_value);
    char seconds[LS_SECONDS_TEXT_MAX];
    ls_log_info("epoch %" PRId64 "/%" PRId64 ": loss %.6g%s%s, %s, %.0f images/s", row->epoch, t->task->epochs,
                row->loss, training, validation, ls_seconds_text(row->seconds, seconds), row->images_per_s);
}

static ls_status tell_epoch(ls_callback *self, ls_trainer *t) {
    (void)self;
    log_epoch(t);
    if (!isnan(t->logs.next_lr)) ls_log_info("no improvement: the learning rate is %g from now on", t->logs.next_lr);
    if (t->logs.stops) ls_log_info("no improvement: the run ends early (training.early_stopping)");
    return LS_OK;
}

/* --- the end --- */

static bool has_validation(const ls_task *task) { return task->split > 0 || task->validation != NULL; }

static void tell_best(const ls_report *report, const ls_trainer *t) {
    bool judged = has_validation(t->task) && t->task->early_stopping.monitor == LS_MONITOR_VAL_LOSS;
    if (t->position.best_epoch >= 0)
        ls_log_info("best epoch: %" PRId64 " of %" PRId64 ", with %s %.6g; its weights are in %s/checkpoints/best.h5",
                    t->position.best_epoch + 1, t->position.epoch, judged ? "val_loss" : "loss", t->position.best,
                    report->run);
}

/* A picture says most where there are pictures to see, else losses do. A model that was trained without validation data
 * needs to be told what to use. */
static void print_next(const ls_report *report, const ls_task *task, FILE *out) {
    ls_shape target = ls_pipeline_shape(task->target);
    bool pictures = target.dims == 3 && (target.dim[2] == 1 || target.dim[2] == 3);
    ls_program_print(out);
    fprintf(out, " %s ", pictures ? "reconstruct" : "evaluate");
    ls_word_print(report->run, out);
    if (!has_validation(task)) {
        fputs(" --data ", out);
        ls_word_print(ls_dataset_path(task->train, 0), out);
    }
    if (pictures) fputs(" -o pictures.png", out);
}

void ls_console_tell_end(const ls_report *report, const ls_trainer *t) {
    char *next = NULL;
    size_t bytes = 0;
    tell_best(report, t);
    FILE *out = open_memstream(&next, &bytes);
    if (out == NULL) return;
    print_next(report, t->task, out);
    /* jobs/common.sh knows by this line that a run is finished. */
    if (fclose(out) == 0) ls_log_info("%s holds the metrics and checkpoints; next: %s", report->run, next);
    free(next);
}

static ls_status tell_end(ls_callback *self, ls_trainer *t) {
    ls_console_tell_end(self->settings, t);
    return LS_OK;
}

const ls_callback_type ls_callback_console = {
    .state_bytes = sizeof(console),
    .on = {[LS_ON_TRAIN_BEGIN] = describe,
           [LS_ON_EPOCH_BEGIN] = begin_progress,
           [LS_ON_TRAIN_BATCH_END] = show_progress,
           [LS_ON_EPOCH_END] = tell_epoch,
           [LS_ON_TRAIN_END] = tell_end},
};
