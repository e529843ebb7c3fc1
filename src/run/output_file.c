/* output_file.c - what stands in a file of outputs beside the numbers: labels and names of their origin, and a line
 * that says what was written. */
#include "run/output_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

/* Labels and names mean in the output what they mean in the origin. */
static ls_status describe_origin(ls_output_file *file) {
    if (file->origin == NULL) return LS_OK;
    const ls_dataset_info *info = ls_dataset_get_info(file->origin);
    file->spec.labelled = info->labelled;
    file->spec.named = info->named;
    file->spec.classes = info->classes;
    LS_TRY(ls_alloc(&file->class_name, info->classes, sizeof *file->class_name, "the names of classes"));
    for (int c = 0; c < info->classes; c++) file->class_name[c] = ls_dataset_class_name(file->origin, c);
    if (info->classes > 0 && file->class_name[info->classes - 1]) file->spec.class_names = file->class_name;
    return LS_OK;
}

/* What is read is never written over: the checkpoint, the data set that the samples are of, a file of codes (or NULL).
 * A data set that was imported is only where that is wanted. */
static ls_status check_output(const ls_trained *t, const char *codes, const ls_output *output) {
    const ls_dataset *data = t->session.task.train;
    LS_TRY(ls_sink_check_input(output->path, t->info.path));
    if (codes != NULL) LS_TRY(ls_sink_check_input(output->path, codes));
    for (int i = 0; data && i < ls_dataset_files(data); i++)
        LS_TRY(ls_sink_check_input(output->path, ls_dataset_path(data, i)));
    return output->overwrite ? LS_OK : ls_sink_check_imported(output->path);
}

ls_status ls_output_agree(const ls_trained *t, const char *codes, const ls_output *output) {
    return ls_agree(t->session.task.comm, t->session.task.comm->rank == 0 ? check_output(t, codes, output) : LS_OK);
}

void ls_output_report(const ls_trained *t, const char *output, const char *what, int64_t count, const char *source,
                      const ls_shape *shape) {
    int64_t numbers = ls_shape_count(shape);
    ls_log_info("%s: %s %" PRId64 " %s%s, %" PRId64 " %s each, weights of epoch %" PRId64, output, what, count,
                source ? ls_plural(count, "sample", "samples") : ls_plural(count, "code", "codes"),
                source ? source : "", numbers, ls_plural(numbers, "number", "numbers"), t->info.position.epoch);
}

ls_status ls_output_open(const char *path, ls_output_file *file) {
    LS_TRY(describe_origin(file));
    file->spec.settings = file->settings;
    return ls_sink_open(path, &file->spec, &file->sink);
}

ls_status ls_output_close(ls_output_file *file, bool keep) {
    ls_free(file->labels);
    ls_free(file->names);
    ls_free(file->name);
    ls_status status = ls_sink_close(file->sink, keep);
    ls_free(file->class_name); /* which the sink's spec points to */
    return status;
}

static ls_status read_names(ls_output_file *file, const ls_span *span) {
    int64_t room = file->name_room;
    LS_TRY(ls_grow(&file->name, &room, span->count, sizeof *file->name, "names of samples"));
    LS_TRY(ls_grow(&file->names, &file->name_room, span->count, sizeof *file->names, "names of samples"));
    for (int64_t i = 0; i < span->count; i++) file->name[i] = file->names[i];
    return ls_dataset_read_names(file->origin, span->first, span->count, file->names);
}

static ls_status append_span(ls_output_file *file, const ls_span *span, const float *output) {
    LS_TRY(ls_grow(&file->labels, &file->room, span->count, sizeof *file->labels, "labels of samples"));
    if (file->spec.labelled) LS_TRY(ls_dataset_read(file->origin, span->first, span->count, NULL, file->labels));
    if (file->spec.named) LS_TRY(read_names(file, span));
    return ls_sink_append(file->sink, span->count, output, file->labels, file->name);
}

ls_status ls_output_append(void *context, const ls_span *spans, int64_t count, const float *output) {
    ls_output_file *file = context;
    for (int64_t i = 0; i < count; i++) {
        LS_TRY(append_span(file, &spans[i], output));
        output += spans[i].count * ls_shape_count(&file->spec.shape);
    }
    return LS_OK;
}

void ls_output_describe(const ls_trained *t, int layer, int64_t total, ls_sink_spec *spec) {
    spec->total = total;
    spec->shape = ls_model_layer(t->session.task.model, layer)->out;
    spec->across = (int64_t)ceil(sqrt((double)total));
    if (layer < ls_model_layers(t->session.task.model) - 1) return;
    ls_shape target = ls_pipeline_shape(t->session.task.target);
    spec->shape = target;
    ls_pipeline_range(t->session.task.target, &spec->low, &spec->high);
}

ls_status ls_output_find_layer(const ls_trained *t, const char *name, int *layer) {
    if (name == NULL) name = t->config->code;
    if (!name[0])
        return LS_RAISE(LS_INVALID,
                        "%s has no 'code:' that names the layer which ends the encoder; name one with --layer",
                        t->info.path);
    *layer = ls_model_find(t->session.task.model, name);
    if (*layer >= 0) return LS_OK;
    ls_config_unknown_layer(t->session.task.model, name, "");
    return ls_failure_prefix("%s: ", t->info.path);
}
