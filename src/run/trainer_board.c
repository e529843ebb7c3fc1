/* trainer_board.c - what TensorBoard is shown of a run, where the config asks for it: event files, and those of its
 * projector, in RUN/tensorboard/.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/integers.h"
#include "base/memory.h"
#include "base/path.h"
#include "report/projector.h"
#include "run/run_directory.h"
#include "run/trainer_parts.h"
#include "train/predict.h"

ls_status ls_trainer_open_board(ls_trainer *t) {
    char path[LS_PATH_MAX];
    if (t->comm->rank != 0 || !t->config->training.tensorboard.enabled) return LS_OK;
    LS_TRY(ls_path_join(t->run, "tensorboard", path));
    return ls_event_file_open(path, t->position.step, &t->board);
}

ls_status ls_trainer_show_picture(ls_trainer *t, const char *path) {
    if (!t->board || !t->config->training.tensorboard.images) return LS_OK;
    return ls_event_file_add_png(t->board, t->position.step, "images", path);
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

ls_status ls_trainer_show_codes(ls_trainer *t, ls_dataset *dataset, const ls_span *spans, int64_t count) {
    const ls_tensorboard_settings *settings = &t->config->training.tensorboard;
    int layer = ls_model_find(t->session.task.model, t->config->code);
    if (!settings->enabled || !settings->histograms || layer < 0) return LS_OK;
    code_count codes = {.width = ls_shape_count(&ls_model_layer(t->session.task.model, layer)->out)};
    LS_TRY(ls_agree(t->comm, ls_alloc(&codes.histogram, 1, sizeof *codes.histogram, "a histogram")));
    ls_histogram_clear(codes.histogram);
    ls_status status = ls_predict_samples(&t->session.task, dataset, LS_USE_APPLICATION, spans, count,
                                          ls_exchange_weights(t->stepper.exchange), layer, count_codes, &codes);
    if (status == LS_OK && t->board)
        status = ls_event_file_add_histogram(t->board, t->position.step, "code", codes.histogram);
    ls_free(codes.histogram);
    return ls_agree(t->comm, status);
}

static ls_status show_array(ls_trainer *t, const ls_layer *layer, const ls_param *param, ls_histogram *histogram) {
    char tag[3 * LS_NAME_MAX];
    snprintf(tag, sizeof tag, "weights/%s/%s", layer->name, param->name);
    ls_histogram_clear(histogram);
    ls_histogram_add(histogram, ls_exchange_weights(t->stepper.exchange) + param->offset,
                     ls_shape_count(&param->shape));
    return ls_event_file_add_histogram(t->board, t->position.step, tag, histogram);
}

static ls_status show_weights(ls_trainer *t) {
    const ls_model *model = t->session.task.model;
    ls_histogram *histogram;
    LS_TRY(ls_alloc(&histogram, 1, sizeof *histogram, "a histogram"));
    ls_status status = LS_OK;
    for (int l = 0; l < ls_model_layers(model); l++) {
        const ls_layer *layer = ls_model_layer(model, l);
        for (int p = 0; status == LS_OK && p < layer->params; p++)
            status = show_array(t, layer, &layer->param[p], histogram);
    }
    ls_free(histogram);
    return status;
}

/* --- points --- */

enum { PROJECTOR_NUMBERS_MAX = 2000000 /* that TensorBoard, which reads them as text, still shows at once */ };

/* Cuts spans down to their first samples; returns how many spans are left. */
static int64_t keep_first(ls_span *spans, int64_t count, int64_t samples) {
    int64_t kept = 0;
    for (; kept < count && samples > 0; kept++) {
        spans[kept].count = ls_min(spans[kept].count, samples);
        samples -= spans[kept].count;
    }
    return kept;
}

typedef struct code_list {
    float *codes;
    int64_t numbers, width; /* so far; of a code */
} code_list;

static ls_status list_codes(void *context, const ls_span *spans, int64_t count, const float *codes) {
    code_list *list = context;
    int64_t numbers = ls_spans_samples(spans, count) * list->width;
    memcpy(list->codes + list->numbers, codes, (size_t)numbers * sizeof *codes);
    list->numbers += numbers;
    return LS_OK;
}

static ls_status write_points(const ls_trainer *t, ls_projection *points, const code_list *list) {
    char folder[LS_PATH_MAX];
    LS_TRY(ls_path_join(t->run, "tensorboard", folder));
    points->folder = folder;
    points->width = list->width;
    points->codes = list->codes;
    return ls_projector_write(points);
}

ls_status ls_trainer_show_points(ls_trainer *t, ls_dataset *dataset, ls_span *spans, int64_t count) {
    const ls_tensorboard_settings *settings = &t->config->training.tensorboard;
    int layer = ls_model_find(t->session.task.model, t->config->code);
    if (!settings->enabled || layer < 0) return LS_OK;
    code_list list = {.width = ls_shape_count(&ls_model_layer(t->session.task.model, layer)->out)};
    count = keep_first(spans, count, ls_min(settings->projector, PROJECTOR_NUMBERS_MAX / list.width));
    ls_projection points = {
        .dataset = dataset, .spans = spans, .count = count, .samples = ls_spans_samples(spans, count)};
    if (points.samples == 0) return LS_OK;
    int64_t numbers = t->comm->rank == 0 ? points.samples * list.width : 0; /* who is given the codes of all */
    LS_TRY(ls_agree(t->comm, ls_alloc(&list.codes, numbers, sizeof(float), "codes")));
    ls_status status = ls_predict_samples(&t->session.task, dataset, LS_USE_APPLICATION, spans, count,
                                          ls_exchange_weights(t->stepper.exchange), layer, list_codes, &list);
    if (status == LS_OK && t->board) status = write_points(t, &points, &list);
    ls_free(list.codes);
    return ls_agree(t->comm, status);
}

/* --- numbers --- */

static ls_status show_scalar(ls_trainer *t, const char *tag, double value) {
    return isnan(value) ? LS_OK : ls_event_file_add_scalar(t->board, t->position.step, tag, value);
}

static ls_status show_time(ls_trainer *t, const ls_epoch_time *time) {
    const struct {
        const char *rank;
        double value_s;
    } of[] = {{"least", time->least_s}, {"mean", time->mean_s}, {"most", time->most_s}};
    for (int i = 0; i < 3; i++) {
        char tag[2 * LS_NAME_MAX];
        snprintf(tag, sizeof tag, "time/%s_s/%s", time->name, of[i].rank);
        LS_TRY(show_scalar(t, tag, of[i].value_s));
    }
    return LS_OK;
}

ls_status ls_trainer_show_epoch(ls_trainer *t, const ls_epoch_metrics *row) {
    ls_scalar scalar[LS_SCALARS_MAX];
    if (!t->board) return LS_OK;
    int count = ls_epoch_scalars(row, scalar);
    for (int i = 0; i < count; i++) LS_TRY(show_scalar(t, scalar[i].name, scalar[i].value));
    for (int i = 0; i < row->times; i++) LS_TRY(show_time(t, &row->time[i]));
    if (t->config->training.tensorboard.histograms) LS_TRY(show_weights(t));
    return ls_event_file_flush(t->board);
}
