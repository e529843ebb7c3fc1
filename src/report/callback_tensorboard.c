/* callback_tensorboard.c - RUN/tensorboard/: the numbers of each epoch, its picture, and histograms of codes and
 * weights.
 *
 * Rank 0 has the file. All ranks compute the codes, so whether they do is decided by what all know. */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/path.h"
#include "report/callbacks.h"
#include "report/event_file.h"
#include "train/predict.h"

typedef struct board {
    ls_event_file *file; /* NULL: not wanted, or not rank 0 */
} board;

static ls_status open_board(ls_callback *self, ls_trainer *t) {
    const ls_report *report = self->settings;
    board *b = self->state;
    char path[LS_PATH_MAX];
    if (t->task->comm->rank != 0 || !report->tensorboard.enabled) return LS_OK;
    LS_TRY(ls_path_join(report->run, "tensorboard", path));
    return ls_event_file_open(path, t->position.step, &b->file);
}

static void close_board(ls_callback *self) {
    const board *b = self->state;
    ls_event_file_close(b->file);
}

/* --- pictures --- */

static ls_status show_picture(const ls_callback *self, const ls_trainer *t) {
    const ls_report *report = self->settings;
    const board *b = self->state;
    char path[LS_PATH_MAX];
    if (b->file == NULL || !report->tensorboard.images || report->images == 0) return LS_OK;
    LS_TRY(ls_picture_path(report, t, path));
    return ls_event_file_add_png(b->file, t->position.step, "images", path);
}

/* --- histograms --- */

typedef struct code_count {
    ls_histogram *histogram;
    int64_t width; /* numbers of a code */
} code_count;

static ls_status count_codes(void *context, const ls_span *spans, int64_t count, const float *codes) {
    const code_count *of = context;
    ls_histogram_add(of->histogram, codes, ls_spans_samples(spans, count) * of->width);
    return LS_OK;
}

/* Collective. The codes of all samples that the epoch is judged by. */
static ls_status show_codes(const ls_callback *self, const ls_trainer *t) {
    const ls_report *report = self->settings;
    const board *b = self->state;
    const ls_task *task = t->task;
    int layer = ls_model_find(task->model, report->code);
    if (!report->tensorboard.enabled || !report->tensorboard.histograms || layer < 0) return LS_OK;
    code_count codes = {.width = ls_shape_count(&ls_model_layer(task->model, layer)->out)};
    LS_TRY(ls_agree(task->comm, ls_alloc(&codes.histogram, 1, sizeof *codes.histogram, "a histogram")));
    ls_histogram_clear(codes.histogram);
    ls_status status = ls_predict_samples(task, t->validation.dataset, LS_USE_APPLICATION, t->validation.spans,
                                          t->validation.count, ls_trainer_weights(t), layer, count_codes, &codes);
    if (status == LS_OK && b->file != NULL)
        status = ls_event_file_add_histogram(b->file, t->position.step, "code", codes.histogram);
    ls_free(codes.histogram);
    return status;
}

static ls_status show_array(const board *b, const ls_trainer *t, const ls_layer *layer, const ls_param *param,
                            ls_histogram *histogram) {
    char tag[3 * LS_NAME_MAX];
    (void)snprintf(tag, sizeof tag, "weights/%s/%s", layer->name, param->name);
    ls_histogram_clear(histogram);
    ls_histogram_add(histogram, ls_trainer_weights(t) + param->offset, ls_shape_count(&param->shape));
    return ls_event_file_add_histogram(b->file, t->position.step, tag, histogram);
}

static ls_status show_weights(const board *b, const ls_trainer *t) {
    const ls_model *model = t->task->model;
    ls_histogram *histogram;
    LS_TRY(ls_alloc(&histogram, 1, sizeof *histogram, "a histogram"));
    ls_status status = LS_OK;
    for (int l = 0; l < ls_model_layers(model); l++) {
        const ls_layer *layer = ls_model_layer(model, l);
        for (int p = 0; status == LS_OK && p < layer->params; p++)
            status = show_array(b, t, layer, &layer->param[p], histogram);
    }
    ls_free(histogram);
    return status;
}

/* --- numbers --- */

static ls_status show_scalar(const board *b, const ls_trainer *t, const char *tag, double value) {
    return isnan(value) ? LS_OK : ls_event_file_add_scalar(b->file, t->position.step, tag, value);
}

static ls_status show_time(const board *b, const ls_trainer *t, const ls_epoch_time *time) {
    const struct {
        const char *rank;
        double value_s;
    } of[] = {{"least", time->least_s}, {"mean", time->mean_s}, {"most", time->most_s}};
    for (int i = 0; i < 3; i++) {
        char tag[2 * LS_NAME_MAX];
        (void)snprintf(tag, sizeof tag, "time/%s_s/%s", time->name, of[i].rank);
        LS_TRY(show_scalar(b, t, tag, of[i].value_s));
    }
    return LS_OK;
}

/* The picture must lie there on rank 0 before codes are computed by all. */
static ls_status show_validation(ls_callback *self, ls_trainer *t) {
    LS_TRY(ls_agree(t->task->comm, show_picture(self, t)));
    return show_codes(self, t);
}

/* Writes all that the epoch has shown. */
static ls_status show_epoch(ls_callback *self, ls_trainer *t) {
    const ls_report *report = self->settings;
    const board *b = self->state;
    ls_scalar scalar[LS_SCALARS_MAX];
    if (b->file == NULL) return LS_OK;
    int count = ls_epoch_scalars(&t->logs, scalar);
    for (int i = 0; i < count; i++) LS_TRY(show_scalar(b, t, scalar[i].name, scalar[i].value));
    for (int i = 0; i < t->logs.times; i++) LS_TRY(show_time(b, t, &t->logs.time[i]));
    if (report->tensorboard.histograms) LS_TRY(show_weights(b, t));
    return ls_event_file_flush(b->file);
}

const ls_callback_type ls_callback_tensorboard = {
    .state_bytes = sizeof(board),
    .on = {[LS_ON_TRAIN_BEGIN] = open_board, [LS_ON_TEST_END] = show_validation, [LS_ON_EPOCH_END] = show_epoch},
    .release = close_board,
};
