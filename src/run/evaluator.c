#include "run/evaluator.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/integers.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "report/outputs.h"
#include "run/codes_spread.h"
#include "run/evaluation.h"
#include "run/trained.h"

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

/* --- losses --- */

/* baseline: not finite where there is none. */
static void print_scores(const ls_trained *t, const double *scores, double baseline, FILE *out) {
    char a[LS_NUMBER_TEXT_MAX], b[LS_NUMBER_TEXT_MAX];
    const ls_config *config = t->config;
    fprintf(out, "{\"samples\": %" PRId64 ", \"epoch\": %" PRId64 ", \"loss\": %s, \"%s\": %s",
            ls_spans_samples(t->spans, t->span_count), t->info.position.epoch, ls_number_text(scores[LS_SCORE_LOSS], a),
            config->loss->name, ls_number_text(scores[LS_SCORE_DATA_LOSS], b));
    for (int m = 0; m < config->metrics; m++)
        fprintf(out, ", \"%s\": %s", config->metric[m]->name, ls_number_text(scores[LS_SCORE_METRICS + m], a));
    if (isfinite(baseline)) fprintf(out, ", \"baseline_loss\": %s", ls_number_text(baseline, a));
    fputs("}\n", out);
}

static ls_status evaluate(const ls_trained *t, FILE *out) {
    const ls_session *session = &t->session;
    double scores[LS_SCORES_MAX], baseline = NAN;
    LS_TRY(ls_evaluation_scores(session, session->train, t->spans, t->span_count, t->weights, scores));
    if (ls_evaluation_has_baseline(session))
        LS_TRY(ls_evaluation_baseline(session, session->train, t->spans, t->span_count, &baseline));
    if (session->comm->rank == 0) print_scores(t, scores, baseline, out);
    return LS_OK;
}

ls_status ls_evaluate_run(const ls_comm *comm, const char *run, const char *data, FILE *out) {
    ls_trained t = {0};
    ls_status status = ls_trained_open(&t, comm, run, data, true);
    if (status == LS_OK) status = evaluate(&t, out);
    ls_trained_close(&t);
    return status;
}

/* --- files --- */

/* A file of outputs in the making, on rank 0: with what is known of the samples in `origin`. */
typedef struct output_file {
    ls_dataset *origin; /* NULL: nothing */
    ls_sink_spec spec;
    ls_sink *sink;
    const char **class_name;         /* [classes] */
    char settings[LS_NAME_MAX + 32]; /* without the run's name: equal runs give equal files */
    int64_t room, name_room;         /* of: */
    int32_t *labels;
    ls_sample_name *names;
    const char **name; /* [name_room] pointers to them */
} output_file;

/* Labels and names mean in the output what they mean in the origin. */
static ls_status describe_origin(output_file *file) {
    if (!file->origin) return LS_OK;
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
    const ls_dataset *data = t->session.train;
    LS_TRY(ls_sink_check_input(output->path, t->info.path));
    if (codes) LS_TRY(ls_sink_check_input(output->path, codes));
    for (int i = 0; data && i < ls_dataset_files(data); i++)
        LS_TRY(ls_sink_check_input(output->path, ls_dataset_path(data, i)));
    return output->overwrite ? LS_OK : ls_sink_check_imported(output->path);
}

/* Collective. The file is rank 0's. */
static ls_status agree_output(const ls_trained *t, const char *codes, const ls_output *output) {
    return ls_agree(t->session.comm, t->session.comm->rank == 0 ? check_output(t, codes, output) : LS_OK);
}

/* "codes.csv: codes of 31 samples (...), 12 numbers each, weights of epoch 20". source: what stands in the brackets. */
static void report_output(const ls_trained *t, const char *output, const char *what, int64_t count, const char *source,
                          const ls_shape *shape) {
    const int64_t numbers = ls_shape_count(shape);
    ls_log_info("%s: %s %" PRId64 " %s%s, %" PRId64 " %s each, weights of epoch %" PRId64, output, what, count,
                source ? ls_plural(count, "sample", "samples") : ls_plural(count, "code", "codes"),
                source ? source : "", numbers, ls_plural(numbers, "number", "numbers"), t->info.position.epoch);
}

static ls_status open_output(const char *path, output_file *file) {
    LS_TRY(describe_origin(file));
    file->spec.settings = file->settings;
    return ls_sink_open(path, &file->spec, &file->sink);
}

static ls_status close_output(output_file *file, bool keep) {
    ls_free(file->labels);
    ls_free(file->names);
    ls_free(file->name);
    ls_status status = ls_sink_close(file->sink, keep);
    ls_free(file->class_name); /* which the sink's spec points to */
    return status;
}

static ls_status read_names(output_file *file, const ls_span *span) {
    int64_t room = file->name_room;
    LS_TRY(ls_grow(&file->name, &room, span->count, sizeof *file->name, "names of samples"));
    LS_TRY(ls_grow(&file->names, &file->name_room, span->count, sizeof *file->names, "names of samples"));
    for (int64_t i = 0; i < span->count; i++) file->name[i] = file->names[i];
    return ls_dataset_read_names(file->origin, span->first, span->count, file->names);
}

static ls_status append_span(output_file *file, const ls_span *span, const float *output) {
    LS_TRY(ls_grow(&file->labels, &file->room, span->count, sizeof *file->labels, "labels of samples"));
    if (file->spec.labelled) LS_TRY(ls_dataset_read(file->origin, span->first, span->count, NULL, file->labels));
    if (file->spec.named) LS_TRY(read_names(file, span));
    return ls_sink_append(file->sink, span->count, output, file->labels, file->name);
}

static ls_status append_output(void *context, const ls_span *spans, int64_t count, const float *output) {
    output_file *file = context;
    for (int64_t i = 0; i < count; i++) {
        LS_TRY(append_span(file, &spans[i], output));
        output += spans[i].count * ls_shape_count(&file->spec.shape);
    }
    return LS_OK;
}

/* Outputs of a layer, or of the whole model, which have the range of the target. */
static void describe_output(const ls_trained *t, int layer, int64_t total, ls_sink_spec *spec) {
    spec->total = total;
    spec->shape = ls_model_layer(t->session.model, layer)->out;
    spec->across = (int64_t)ceil(sqrt((double)total));
    if (layer < ls_model_layers(t->session.model) - 1) return;
    ls_shape target = ls_pipeline_shape(t->session.target);
    spec->shape = target;
    ls_pipeline_range(t->session.target, &spec->low, &spec->high);
}

static ls_status find_layer(const ls_trained *t, const char *name, int *layer) {
    if (!name) name = t->config->code;
    if (!name[0])
        return LS_RAISE(LS_INVALID,
                        "%s has no 'code:' that names the layer which ends the encoder; name one with --layer",
                        t->info.path);
    *layer = ls_model_find(t->session.model, name);
    if (*layer >= 0) return LS_OK;
    ls_config_unknown_layer(t->session.model, name, "");
    return ls_failure_prefix("%s: ", t->info.path);
}

/* --- of samples --- */

/* Writes the outputs of a layer; the file is rank 0's. */
static ls_status write_outputs(const ls_trained *t, int layer, ls_use use, const char *output) {
    const ls_session *session = &t->session;
    output_file file = {.origin = session->train};
    ls_status status = LS_OK;
    describe_output(t, layer, ls_spans_samples(t->spans, t->span_count), &file.spec);
    (void)snprintf(file.settings, sizeof file.settings, "outputs of layer %s",
                   ls_model_layer(session->model, layer)->name);
    if (session->comm->rank == 0) status = open_output(output, &file);
    status = ls_agree(session->comm, status);
    if (status == LS_OK)
        status = ls_evaluation_outputs(session, session->train, use, t->spans, t->span_count, t->weights, layer,
                                       append_output, &file);
    ls_status closed = close_output(&file, status == LS_OK);
    return ls_agree(session->comm, status == LS_OK ? closed : status);
}

static ls_status write_grid(const ls_trained *t, int layer, ls_use use, const char *output) {
    int64_t pictures = ls_spans_samples(t->spans, t->span_count);
    ls_status status = LS_OK;
    if (t->session.comm->rank == 0)
        status = ls_evaluation_pictures(&t->session, t->session.train, use, t->spans, t->span_count, t->weights, layer,
                                        pictures, output);
    return ls_agree(t->session.comm, status);
}

static void report_layer(const ls_trained *t, int layer, const ls_application *a) {
    char source[LS_PATH_MAX + 8];
    const bool last = layer == ls_model_layers(t->session.model) - 1, picture = ls_path_ends(a->output.path, ".png");
    (void)snprintf(source, sizeof source, " (%s)", a->data ? a->data : "the validation data; --data FILE for others");
    report_output(t, a->output.path,
                  last      ? picture ? "a picture of outputs of" : "outputs of"
                  : picture ? "a picture of codes of"
                            : "codes of",
                  ls_spans_samples(t->spans, t->span_count), source, &ls_model_layer(t->session.model, layer)->out);
}

/* With noise it is that of validation: the same at all times. */
static ls_status write_layer(ls_trained *t, int layer, const ls_application *a) {
    ls_use use = a->noise ? LS_USE_VALIDATION : LS_USE_APPLICATION;
    const char *path = a->output.path;
    keep_first(t, a->count, path);
    LS_TRY(agree_output(t, NULL, &a->output));
    LS_TRY(ls_path_ends(path, ".png") ? write_grid(t, layer, use, path) : write_outputs(t, layer, use, path));
    report_layer(t, layer, a);
    return LS_OK;
}

ls_status ls_encode_run(const ls_comm *comm, const char *run, const char *layer, const ls_application *application) {
    ls_trained t = {0};
    int index = 0;
    ls_status status = ls_trained_open(&t, comm, run, application->data, false);
    if (status == LS_OK) status = ls_agree(comm, find_layer(&t, layer, &index));
    if (status == LS_OK) status = write_layer(&t, index, application);
    ls_trained_close(&t);
    return status;
}

ls_status ls_reconstruct_run(const ls_comm *comm, const char *run, const ls_application *application) {
    ls_trained t = {0};
    ls_status status = ls_trained_open(&t, comm, run, application->data, false);
    if (status == LS_OK) status = write_layer(&t, ls_model_layers(t.session.model) - 1, application);
    ls_trained_close(&t);
    return status;
}

/* --- of codes --- */

static ls_status write_decoded(const ls_trained *t, int layer, ls_codes *codes, int64_t across, const char *output) {
    const ls_session *session = &t->session;
    output_file file = {.origin = codes->dataset};
    ls_status status = LS_OK;
    describe_output(t, ls_model_layers(session->model) - 1, codes->count, &file.spec);
    if (across > 0) file.spec.across = across;
    (void)snprintf(file.settings, sizeof file.settings, "decoded from layer %s",
                   ls_model_layer(session->model, layer)->name);
    if (session->comm->rank == 0) status = open_output(output, &file);
    status = ls_agree(session->comm, status);
    if (status == LS_OK) status = ls_evaluation_decode(session, codes, t->weights, layer, append_output, &file);
    ls_status closed = close_output(&file, status == LS_OK);
    return ls_agree(session->comm, status == LS_OK ? closed : status);
}

static ls_status find_cut(const ls_trained *t, const char *name, int *layer) {
    LS_TRY(find_layer(t, name, layer));
    if (ls_model_check_cut(t->session.model, *layer) == LS_OK) return LS_OK;
    return ls_failure_prefix("%s: ", t->info.path);
}

/* Drawn from N(0, 1), or at its quantiles. */
static bool is_made(const ls_code_source *source) { return !source->file && source->texts == 0 && source->range == 0; }

/* Nothing draws the codes of a plain autoencoder to N(0, 1): theirs may be anywhere. */
static ls_status suit(const ls_trained *t, int layer, const ls_code_source *source, ls_codes *codes) {
    const ls_layer *of = ls_model_layer(t->session.model, layer);
    if (source->like) return ls_codes_spread(t, layer, codes);
    if (!of->type->normal)
        ls_log_warn(
            "training does not bind the codes of layer '%s' to N(0, 1), which these are drawn from; --data FILE.h5 "
            "draws with the mean and deviation that the codes of its samples have",
            of->name);
    return LS_OK;
}

static ls_status decode(const ls_trained *t, const char *name, const ls_code_source *source, const ls_output *output) {
    const ls_comm *comm = t->session.comm;
    int layer = 0;
    ls_codes codes;
    LS_TRY(ls_agree(comm, find_cut(t, name, &layer)));
    LS_TRY(agree_output(t, source->file, output));
    ls_status status = ls_codes_open(comm, source, &ls_model_layer(t->session.model, layer)->out, &codes);
    if (status == LS_OK && is_made(source)) status = suit(t, layer, source, &codes);
    if (status == LS_OK) status = write_decoded(t, layer, &codes, source->columns, output->path);
    if (status == LS_OK)
        report_output(t, output->path, "outputs of", codes.count, NULL,
                      &ls_model_layer(t->session.model, ls_model_layers(t->session.model) - 1)->out);
    ls_codes_close(&codes);
    return status;
}

ls_status ls_decode_run(const ls_comm *comm, const char *run, const char *layer, const ls_code_source *codes,
                        const ls_output *output) {
    ls_trained t = {0};
    ls_status status =
        codes->like ? ls_trained_open(&t, comm, run, codes->like, false) : ls_trained_open_model(&t, comm, run);
    if (status == LS_OK) status = decode(&t, layer, codes, output);
    ls_trained_close(&t);
    return status;
}
