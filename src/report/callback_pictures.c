/* callback_pictures.c - RUN/images/: a picture an epoch, of the first samples that it is judged by. Rank 0 draws it. */
#include <inttypes.h>
#include <stdio.h>

#include "base/path.h"
#include "report/callbacks.h"
#include "report/pictures.h"

ls_status ls_picture_path(const ls_report *report, const ls_trainer *t, char *path) {
    char name[64];
    (void)snprintf(name, sizeof name, "images/epoch-%04" PRId64 ".png", t->position.epoch + 1);
    return ls_path_join(report->run, name, path);
}

static ls_status draw(ls_callback *self, ls_trainer *t) {
    const ls_report *report = self->settings;
    const ls_validation_samples *samples = &t->validation;
    char path[LS_PATH_MAX];
    int last = ls_model_layers(t->task->model) - 1;
    if (report->images == 0 || t->task->comm->rank != 0) return LS_OK;
    LS_TRY(ls_picture_path(report, t, path));
    return ls_pictures_write(t->task, samples->dataset, LS_USE_VALIDATION, samples->spans, samples->count,
                             ls_trainer_weights(t), last, report->images, path);
}

const ls_callback_type ls_callback_pictures = {.on = {[LS_ON_TEST_END] = draw}};
