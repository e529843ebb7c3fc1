/* apply.c - what a trained model makes of samples: codes and reconstructions, as files and as pictures. */
#include "run/apply.h"

#include <stdio.h>

#include "base/integers.h"
#include "base/path.h"
#include "report/pictures.h"
#include "run/output_file.h"
#include "train/predict.h"

/* Only the first samples of all: so many, or where that is 0, what a picture has room for. */
static void keep_first(ls_trained *t, int64_t count, const char *output) {
    enum { PICTURES = 10 };
    if (count == 0) count = ls_path_ends(output, ".png") ? PICTURES : INT64_MAX;
    int64_t kept = 0;
    for (; kept < t->span_count && count > 0; kept++) {
        t->spans[kept].count = ls_min(t->spans[kept].count, count);
        count -= t->spans[kept].count;
    }
    t->span_count = kept;
}

/* Writes the outputs of a layer; the file is rank 0's. */
static ls_status write_outputs(const ls_trained *t, int layer, ls_use use, const char *output) {
    const ls_session *session = &t->session;
    ls_output_file file = {.origin = session->task.train};
    ls_status status = LS_OK;
    ls_output_describe(t, layer, ls_spans_samples(t->spans, t->span_count), &file.spec);
    (void)snprintf(file.settings, sizeof file.settings, "outputs of layer %s",
                   ls_model_layer(session->task.model, layer)->name);
    if (session->task.comm->rank == 0) status = ls_output_open(output, &file);
    status = ls_agree(session->task.comm, status);
    if (status == LS_OK)
        status = ls_predict_samples(&session->task, session->task.train, use, t->spans, t->span_count, t->weights,
                                    layer, ls_output_append, &file);
    ls_status closed = ls_output_close(&file, status == LS_OK);
    return ls_agree(session->task.comm, status == LS_OK ? closed : status);
}

static ls_status write_grid(const ls_trained *t, int layer, ls_use use, const char *output) {
    int64_t pictures = ls_spans_samples(t->spans, t->span_count);
    ls_status status = LS_OK;
    if (t->session.task.comm->rank == 0)
        status = ls_pictures_write(&t->session.task, t->session.task.train, use, t->spans, t->span_count, t->weights,
                                   layer, pictures, output);
    return ls_agree(t->session.task.comm, status);
}

static void report_layer(const ls_trained *t, int layer, const ls_application *a) {
    char source[LS_PATH_MAX + 8];
    bool last = layer == ls_model_layers(t->session.task.model) - 1, picture = ls_path_ends(a->output.path, ".png");
    (void)snprintf(source, sizeof source, " (%s)", a->data ? a->data : "the validation data; --data FILE for others");
    ls_output_report(t, a->output.path,
                     last      ? picture ? "a picture of outputs of" : "outputs of"
                     : picture ? "a picture of codes of"
                               : "codes of",
                     ls_spans_samples(t->spans, t->span_count), source,
                     &ls_model_layer(t->session.task.model, layer)->out);
}

/* With noise it is that of validation: the same at all times. */
static ls_status write_layer(ls_trained *t, int layer, const ls_application *a) {
    ls_use use = a->noise ? LS_USE_VALIDATION : LS_USE_APPLICATION;
    const char *path = a->output.path;
    keep_first(t, a->count, path);
    LS_TRY(ls_output_agree(t, NULL, &a->output));
    LS_TRY(ls_path_ends(path, ".png") ? write_grid(t, layer, use, path) : write_outputs(t, layer, use, path));
    report_layer(t, layer, a);
    return LS_OK;
}

ls_status ls_encode_run(const ls_comm *comm, const char *run, const char *layer, const ls_application *application) {
    ls_trained t = {0};
    int index = 0;
    ls_status status = ls_trained_open(&t, comm, run, application->data, false);
    if (status == LS_OK) status = ls_agree(comm, ls_output_find_layer(&t, layer, &index));
    if (status == LS_OK) status = write_layer(&t, index, application);
    ls_trained_close(&t);
    return status;
}

ls_status ls_reconstruct_run(const ls_comm *comm, const char *run, const ls_application *application) {
    ls_trained t = {0};
    ls_status status = ls_trained_open(&t, comm, run, application->data, false);
    if (status == LS_OK) status = write_layer(&t, ls_model_layers(t.session.task.model) - 1, application);
    ls_trained_close(&t);
    return status;
}
