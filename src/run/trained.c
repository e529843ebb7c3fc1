/* trained.c - from a checkpoint to a model that is ready to run, and the samples that it was not trained on. */
#include "run/trained.h"

#include <string.h>

#include "base/memory.h"
#include "train/division.h"

static ls_status read_weights(ls_trained *t) {
    ls_limits limits = ls_task_limits(&t->session.task);
    LS_TRY(ls_model_prepare(t->session.task.model, &limits, false));
    LS_TRY(ls_alloc(&t->weights, ls_model_flat_count(t->session.task.model), sizeof(float), "weights"));
    ls_snapshot snapshot = {.model = t->session.task.model, .weights = t->weights};
    LS_TRY(ls_checkpoint_read(t->info.path, &snapshot));
    ls_pulse_enter(&t->pulse, LS_ACTIVITY_COMPUTE);
    return LS_OK;
}

/* Weights that do not fit are the data's fault where its samples are of another size. */
static ls_status read_weights_for(ls_trained *t) {
    ls_status status = read_weights(t);
    const ls_dataset_info *info = ls_dataset_get_info(t->session.task.train);
    if (status != LS_INVALID || ls_shape_equal(&info->shape, &t->info.data.shape)) return status;
    return ls_failure_prefix("%s is not like the data of the training: ", ls_dataset_path(t->session.task.train, 0));
}

/* What the split held out of all parts of the training data, if that is still the same. */
static ls_status held_out_samples(ls_trained *t) {
    const ls_dataset_info *info = ls_dataset_get_info(t->session.task.train);
    if (strcmp(info->fingerprint, t->info.data.fingerprint) != 0)
        return LS_RAISE(LS_INVALID,
                        "%s is not what %s was trained on, so what was held out of it is not known; name a data set "
                        "with --data",
                        ls_dataset_path(t->session.task.train, 0), t->info.path);
    LS_TRY(ls_division_held_out(&t->session.task, 0, t->config->data.parts, &t->spans, &t->span_count));
    if (t->span_count > 0) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s was trained without validation data; name a data set with --data", t->info.path);
}

/* Data of the model's kind: `data`; without it the run's validation files, or what its split is held out of. */
static ls_status open_data(ls_trained *t, const char *data, bool targeted) {
    const ls_paths *validation = &t->config->data.validation;
    const ls_data_kind kind = {.name = t->info.path, .info = &t->info.data, .class_names = t->info.class_names};
    if (data != NULL) return ls_session_open_only(&t->session, &data, 1, &kind, targeted);
    if (validation->count == 0) return ls_session_open_data(&t->session);
    return ls_session_open_only(&t->session, (const char *const *)validation->path, validation->count, &kind, targeted);
}

static ls_status parse_config(ls_trained *t) {
    char name[LS_PATH_MAX + 32];
    snprintf(name, sizeof name, "the config in %s", t->info.path);
    return ls_config_parse(name, t->info.config, NULL, 0, &t->config);
}

static ls_status find_checkpoint(ls_trained *t, const ls_comm *comm, const char *run) {
    LS_TRY(ls_checkpoint_find(comm, run, &t->info));
    LS_TRY(ls_agree(comm, parse_config(t)));
    return ls_session_start(&t->session, comm, t->config, &t->pulse);
}

ls_status ls_trained_open_model(ls_trained *t, const ls_comm *comm, const char *run) {
    LS_TRY(find_checkpoint(t, comm, run));
    LS_TRY(ls_agree(comm, ls_session_build(&t->session, &t->info.data)));
    return ls_agree(comm, read_weights(t));
}

/* All, but of training data. */
static ls_status find_samples(ls_trained *t, const char *data) {
    bool all = data || t->config->data.validation.count > 0;
    return all ? ls_dataset_blocks(t->session.task.train, &t->spans, &t->span_count) : held_out_samples(t);
}

ls_status ls_trained_open(ls_trained *t, const ls_comm *comm, const char *run, const char *data, bool targeted) {
    LS_TRY(find_checkpoint(t, comm, run));
    LS_TRY(open_data(t, data, targeted));
    LS_TRY(ls_agree(comm, read_weights_for(t)));
    return ls_agree(comm, find_samples(t, data));
}

void ls_trained_close(ls_trained *t) {
    ls_free(t->weights);
    ls_free(t->spans);
    ls_session_release(&t->session);
    ls_config_destroy(t->config);
    ls_checkpoint_info_release(&t->info);
}
