/* callback_projector.c - TensorBoard's projector: the codes of the first samples that the best epoch was judged by, as
 * points, in place of those of an earlier one. */
#include <string.h>

#include "base/integers.h"
#include "base/memory.h"
#include "base/path.h"
#include "report/callbacks.h"
#include "report/projector.h"
#include "train/predict.h"

enum { PROJECTOR_NUMBERS_MAX = 2000000 /* that TensorBoard, which reads them as text, still shows at once */ };

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

static ls_status write_points(const ls_report *report, const ls_validation_samples *samples, int64_t count,
                              const code_list *list) {
    char folder[LS_PATH_MAX];
    LS_TRY(ls_path_join(report->run, "tensorboard", folder));
    return ls_projector_write(&(ls_projection){.folder = folder,
                                               .dataset = samples->dataset,
                                               .spans = samples->spans,
                                               .count = count,
                                               .samples = ls_spans_samples(samples->spans, count),
                                               .width = list->width,
                                               .codes = list->codes});
}

/* Collective. Of the first `count` spans. */
static ls_status show_points(const ls_report *report, const ls_trainer *t, int layer, int64_t count) {
    const ls_validation_samples *samples = &t->validation;
    const ls_comm *comm = t->task->comm;
    code_list list = {.width = ls_shape_count(&ls_model_layer(t->task->model, layer)->out)};
    int64_t numbers = comm->rank == 0 ? ls_spans_samples(samples->spans, count) * list.width : 0; /* given all codes */
    LS_TRY(ls_agree(comm, ls_alloc(&list.codes, numbers, sizeof(float), "codes")));
    ls_status status = ls_predict_samples(t->task, samples->dataset, LS_USE_APPLICATION, samples->spans, count,
                                          ls_trainer_weights(t), layer, list_codes, &list);
    if (status == LS_OK && comm->rank == 0) status = write_points(report, samples, count, &list);
    ls_free(list.codes);
    return status;
}

/* The last span that is shown may be shown in part: it is cut for that long. */
static ls_status show_best(ls_callback *self, ls_trainer *t) {
    const ls_report *report = self->settings;
    const ls_validation_samples *samples = &t->validation;
    int layer = ls_model_find(t->task->model, report->code);
    if (!t->logs.improved || !report->tensorboard.enabled || layer < 0) return LS_OK;
    int64_t width = ls_shape_count(&ls_model_layer(t->task->model, layer)->out), count = 0;
    int64_t left = ls_min(report->tensorboard.projector, PROJECTOR_NUMBERS_MAX / width);
    for (; count < samples->count && left > 0; count++) left -= samples->spans[count].count;
    if (count == 0) return LS_OK;
    int64_t beyond = ls_max(-left, 0);
    ls_pulse_enter(t->task->pulse, LS_ACTIVITY_VALIDATE);
    samples->spans[count - 1].count -= beyond;
    ls_status status = show_points(report, t, layer, count);
    samples->spans[count - 1].count += beyond;
    return status;
}

const ls_callback_type ls_callback_projector = {.on = {[LS_ON_EPOCH_END] = show_best}};
