#include "lockstep/evaluator.h"

#include <inttypes.h>
#include <string.h>

#include "lockstep/checkpoint.h"
#include "lockstep/file.h"
#include "lockstep/log.h"
#include "lockstep/memory.h"
#include "lockstep/outputs.h"
#include "lockstep/text.h"
#include "run/evaluation.h"
#include "run/feed.h"

enum { GRID_PICTURES = 10 };

/* A trained model and the samples to run it on. */
typedef struct trained {
    ls_checkpoint_info info;
    ls_config *config;
    ls_session session;
    float *weights; /* [flat count] */
    ls_span *spans;
    int64_t span_count;
} trained;

static ls_status read_weights(trained *t) {
    ls_limits limits = ls_session_limits(&t->session);
    LS_TRY(ls_model_prepare(t->session.model, &limits, false));
    LS_TRY(ls_alloc(&t->weights, ls_model_flat_count(t->session.model), sizeof(float), "weights"));
    ls_snapshot snapshot = {.model = t->session.model, .weights = t->weights};
    return ls_checkpoint_read(t->info.path, &snapshot);
}

/* What the split held out of all parts of the training data, if that is still the same. */
static ls_status held_out_samples(trained *t) {
    const ls_dataset_info *info = ls_dataset_get_info(t->session.train);
    if (strcmp(info->fingerprint, t->info.fingerprint) != 0)
        return LS_RAISE(LS_INVALID,
                        "%s is not what %s was trained on, so what was held out of it is not known; name a data set "
                        "with --data",
                        ls_dataset_path(t->session.train, 0), t->info.path);
    LS_TRY(ls_division_held_out(&t->session, 0, t->config->data.parts, &t->spans, &t->span_count));
    if (t->span_count > 0) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s was trained without validation data; name a data set with --data", t->info.path);
}

static ls_status open_model(trained *t, bool whole) {
    LS_TRY(read_weights(t));
    return whole ? ls_dataset_blocks(t->session.train, &t->spans, &t->span_count) : held_out_samples(t);
}

/* All of `data`; without it the run's validation files, or what its split held out. */
static ls_status open_samples(trained *t, const char *data) {
    const ls_paths *validation = &t->config->data.validation;
    if (data) return ls_session_open_only(&t->session, &data, 1);
    if (validation->count == 0) return ls_session_open_data(&t->session);
    return ls_session_open_only(&t->session, (const char *const *)validation->path, validation->count);
}

static ls_status parse_config(trained *t) {
    char name[LS_PATH_MAX + 32];
    snprintf(name, sizeof name, "the config in %s", t->info.path);
    return ls_config_parse(name, t->info.config, NULL, 0, &t->config);
}

static ls_status open_trained(trained *t, const ls_comm *comm, const char *run, const char *data) {
    LS_TRY(ls_checkpoint_find(comm, run, &t->info));
    LS_TRY(ls_agree(comm, parse_config(t)));
    LS_TRY(ls_session_start(&t->session, comm, t->config));
    LS_TRY(open_samples(t, data));
    return ls_agree(comm, open_model(t, data || t->config->data.validation.count > 0));
}

static void close_trained(trained *t) {
    ls_free(t->weights);
    ls_free(t->spans);
    ls_session_release(&t->session);
    ls_config_destroy(t->config);
    ls_checkpoint_info_release(&t->info);
}

static int64_t sample_count(const trained *t) {
    int64_t count = 0;
    for (int64_t i = 0; i < t->span_count; i++) count += t->spans[i].count;
    return count;
}

static void print_scores(const trained *t, const double *scores, FILE *out) {
    char a[LS_NUMBER_TEXT_MAX], b[LS_NUMBER_TEXT_MAX];
    const ls_config *config = t->config;
    fprintf(out, "{\"samples\": %" PRId64 ", \"epoch\": %" PRId64 ", \"loss\": %s, \"%s\": %s", sample_count(t),
            t->info.position.epoch, ls_number_text(scores[LS_SCORE_LOSS], a), config->loss->name,
            ls_number_text(scores[LS_SCORE_DATA_LOSS], b));
    for (int m = 0; m < config->metrics; m++)
        fprintf(out, ", \"%s\": %s", config->metric[m]->name, ls_number_text(scores[LS_SCORE_METRICS + m], a));
    fputs("}\n", out);
}

ls_status ls_evaluate_run(const ls_comm *comm, const char *run, const char *data, FILE *out) {
    trained t = {0};
    double scores[LS_SCORES_MAX];
    ls_status status;
    if (LS_FAILED(status = open_trained(&t, comm, run, data))) goto done;
    if (LS_FAILED(status = ls_evaluation_scores(&t.session, t.session.train, t.spans, t.span_count, t.weights, scores)))
        goto done;
    if (comm->rank == 0) print_scores(&t, scores, out);
done:
    close_trained(&t);
    return status;
}

static ls_status append_to_sink(void *context, int64_t rows, const float *output) {
    return ls_sink_append(context, rows, output);
}

static ls_status open_sink(const trained *t, int layer, const char *output, ls_sink **sink) {
    const ls_dataset *data = t->session.train;
    bool needed = ls_file_is_same(output, t->info.path);
    for (int i = 0; !needed && i < ls_dataset_files(data); i++)
        needed = ls_file_is_same(output, ls_dataset_path(data, i));
    if (needed) return LS_RAISE(LS_INVALID, "%s is to be read; write the result under another name", output);
    return ls_sink_open(output, sample_count(t), &ls_model_layer(t->session.model, layer)->out, sink);
}

/* Writes the outputs of a layer; the sink is rank 0's. */
static ls_status write_outputs(trained *t, int layer, const char *output) {
    const ls_comm *comm = t->session.comm;
    ls_sink *sink = NULL;
    ls_status status = LS_OK;
    if (comm->rank == 0) status = open_sink(t, layer, output, &sink);
    LS_TRY(ls_agree(comm, status));
    status = ls_evaluation_outputs(&t->session, t->session.train, t->spans, t->span_count, t->weights, layer,
                                   append_to_sink, sink);
    if (sink) {
        bool whole = status == LS_OK;
        ls_status closed = ls_sink_close(sink, whole);
        if (whole) status = closed;
    }
    return ls_agree(comm, status);
}

static ls_status find_layer(const trained *t, const char *name, int *layer) {
    if (!name) name = t->config->code;
    if (!name[0])
        return LS_RAISE(LS_INVALID,
                        "%s has no 'code:' that names the layer which ends the encoder; name one with --layer",
                        t->info.path);
    *layer = ls_model_find(t->session.model, name);
    if (*layer >= 0) return LS_OK;
    const char *nearest = ls_model_nearest(t->session.model, name);
    return LS_RAISE(LS_INVALID, "%s has no layer '%s'%s%s%s", t->info.path, name, nearest ? "; did you mean '" : "",
                    nearest ? nearest : "", nearest ? "'?" : "");
}

ls_status ls_encode_run(const ls_comm *comm, const char *run, const char *data, const char *layer, const char *output) {
    trained t = {0};
    int index = 0;
    ls_status status = open_trained(&t, comm, run, data);
    if (status == LS_OK) status = ls_agree(comm, find_layer(&t, layer, &index));
    if (status == LS_OK) status = write_outputs(&t, index, output);
    close_trained(&t);
    return status;
}

static bool is_picture(const char *path) {
    const char *end = strrchr(path, '.');
    return end && strcmp(end, ".png") == 0;
}

static ls_status write_grid(trained *t, const char *output) {
    ls_status status = LS_OK;
    if (t->session.comm->rank == 0)
        status = ls_evaluation_pictures(&t->session, t->session.train, t->spans, t->span_count, t->weights,
                                        GRID_PICTURES, output);
    return ls_agree(t->session.comm, status);
}

ls_status ls_reconstruct_run(const ls_comm *comm, const char *run, const char *data, const char *output) {
    trained t = {0};
    ls_status status = open_trained(&t, comm, run, data);
    if (status == LS_OK)
        status = is_picture(output) ? write_grid(&t, output)
                                    : write_outputs(&t, ls_model_layers(t.session.model) - 1, output);
    close_trained(&t);
    return status;
}
