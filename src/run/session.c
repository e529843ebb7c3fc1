/* session.c - fills in a task from a config; what it cannot be built on is said with the place in the config. */
#include "run/session.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "run/data_paths.h"
#include "train/division.h"
#include "train/machine.h"

static bool is_noisy(const ls_transform_list *list) {
    for (int i = 0; i < list->count; i++)
        if (list->entry[i].type->random) return true;
    return false;
}

ls_session ls_session_of(const ls_comm *comm, const ls_config *config, ls_pulse *pulse) {
    const ls_training_settings *training = &config->training;
    const ls_data_settings *data = &config->data;
    ls_session session = {.config = config};
    session.task = (ls_task){.comm = comm,
                             .lanes = {.count = (int)training->lanes, .size = comm->size},
                             .pulse = pulse,
                             .loss = config->loss,
                             .metrics = config->metrics,
                             .seed = (uint64_t)config->seed,
                             .optimizer = config->optimizer,
                             .optimizer_options = config->optimizer_options,
                             .schedule = config->schedule,
                             .schedule_options = config->schedule_options,
                             .exchange = training->exchange,
                             .keeps_best = training->checkpoint.best_interval_s > 0,
                             .split = data->split,
                             .parts = data->parts,
                             .shuffle_window = data->shuffle_window,
                             .cache_mb = data->cache_mb,
                             .input_noise = is_noisy(&data->input),
                             .epochs = training->epochs,
                             .batch_size = training->batch_size,
                             .early_stopping = training->early_stopping,
                             .reduce_lr_on_plateau = training->reduce_lr_on_plateau};
    session.task.exchange.clip_norm = config->clip_norm;
    memcpy(session.task.metric, config->metric, sizeof session.task.metric);
    return session;
}

ls_status ls_session_start(ls_session *session, const ls_comm *comm, const ls_config *config, ls_pulse *pulse) {
    *session = ls_session_of(comm, config, pulse);
    LS_TRY(ls_watchdog_start(comm, pulse, config->training.stall_timeout_s, &session->watchdog));
    LS_TRY(ls_machine_choose_isa(comm, &session->task.isa));
    session->task.threads = ls_machine_threads(comm, config->training.threads);
    return ls_agree(comm, ls_pool_create(session->task.threads, &session->task.pool));
}

ls_status ls_session_divide(ls_session *session, bool resumed) {
    const ls_comm *comm = session->task.comm;
    int lanes = (int)session->config->training.lanes;
    if (resumed && comm->size > lanes)
        return LS_RAISE(
            LS_INVALID,
            "%d lanes are too few for %d ranks, as every rank needs one, and a resumed run keeps its lanes: start at "
            "most %d ranks",
            lanes, comm->size, lanes);
    return ls_agree(comm, ls_lanes_init(&session->task.lanes, lanes, comm->rank, comm->size));
}

static ls_status try_or_open(const char *const *paths, int count, const char *mend, ls_dataset **out) {
    return out == NULL ? ls_data_paths_try(paths, count, mend) : ls_data_paths_open_tried(paths, count, mend, out);
}

/* out NULL: tries the files. */
static ls_status open_paths(const ls_session *session, const char *key, const ls_paths *paths, ls_dataset **out) {
    char mend[LS_NAME_MAX];
    bool trains = session->task.lanes.end > 0;
    snprintf(mend, sizeof mend, trains ? "--set %s=FILE" : "--data FILE", key);
    if (paths->count == 0 || try_or_open((const char *const *)paths->path, paths->count, mend, out) == LS_OK)
        return LS_OK;
    return ls_config_prefix(session->config, &paths->place);
}

static ls_status open_train(const ls_session *session, ls_dataset **out) {
    return open_paths(session, "data.train", &session->config->data.train, out);
}

static ls_status open_validation(const ls_session *session, ls_dataset **out) {
    return open_paths(session, "data.validation", &session->config->data.validation, out);
}

static ls_data_kind kind_of_training(const ls_session *session) {
    return (ls_data_kind){.name = ls_dataset_path(session->task.train, 0),
                          .info = ls_dataset_get_info(session->task.train),
                          .class_names = session->class_names};
}

static ls_status check_validation(const ls_session *session) {
    const ls_data_kind kind = kind_of_training(session);
    ls_status status = ls_kind_check_samples(session->task.validation, &kind);
    if (status == LS_OK && session->config->data.target_labels)
        status = ls_kind_check_labels(session->task.validation, &kind);
    if (status == LS_OK && session->config->data.target_labels) ls_kind_warn_unnamed(session->task.validation, &kind);
    return status == LS_OK ? LS_OK : ls_config_prefix(session->config, &session->config->data.validation.place);
}

/* Validation data must be of the same kind as the training data, or the model would not fit it. */
static ls_status join_validation(ls_session *session) {
    LS_TRY(open_validation(session, &session->task.validation));
    if (session->task.validation == NULL) return LS_OK;
    LS_TRY(check_validation(session));
    ls_kind_warn_shared(session->task.train, session->task.validation);
    return LS_OK;
}

/* TensorBoard is shown the codes in the middle of training. */
static void show_code(ls_session *session) {
    int code = ls_model_find(session->task.model, session->config->code);
    if (session->config->training.tensorboard.enabled && code >= 0) ls_model_show(session->task.model, code);
}

/* Training would run away from a loss that has no least value. What float data is within is not known before it is
 * read: the loader looks at that. */
static ls_status check_target_range(const ls_session *session) {
    const ls_config *config = session->config;
    const ls_loss_type *loss = config->loss;
    float low, high;
    ls_pipeline_range(session->task.target, &low, &high);
    bool within = fminf(low, high) >= loss->target_low && fmaxf(low, high) <= loss->target_high;
    if (within || loss->target_low == loss->target_high) return LS_OK;
    LS_RAISE(LS_INVALID,
             "%s needs a target within [%g, %g], and this is within [%g, %g]; end it with {rescale: [%g, %g]}",
             loss->name, (double)loss->target_low, (double)loss->target_high, (double)low, (double)high,
             (double)loss->target_low, (double)loss->target_high);
    return ls_config_prefix(config, &config->data.target_place);
}

/* What the last layer's activation can give; false: anything. */
static bool output_bounds(const ls_session *session, ls_bounds *out) {
    ls_activation activation =
        ls_model_layer(session->task.model, ls_model_layers(session->task.model) - 1)->activation;
    *out = (ls_bounds){activation == LS_ACTIVATION_TANH ? -1 : 0, activation == LS_ACTIVATION_RELU ? INFINITY : 1};
    return activation != LS_ACTIVATION_LINEAR;
}

/* What a model can never reach it may be trained on, but seldom is so on purpose. */
static void warn_of_target(const ls_session *session) {
    ls_bounds reach;
    float low, high;
    bool known = ls_pipeline_range(session->task.target, &low, &high);
    if (known && output_bounds(session, &reach) && (fminf(low, high) < reach.low || fmaxf(low, high) > reach.high))
        ls_log_warn("the target is within [%g, %g], and the last layer's activation gives nothing outside [%g, %g]; "
                    "rescale the target, or take another activation",
                    (double)low, (double)high, (double)reach.low, (double)reach.high);
    if (session->config->data.target_labels && ls_dataset_get_info(session->task.train)->classes == 1)
        ls_log_warn("the target is labels, and all samples are of one class: there is nothing to learn");
}

/* Initial weights and learning rates are made for inputs about as large as 1. */
static void warn_of_input(const ls_session *session) {
    enum { LARGE = 16 };
    float low, high;
    if (ls_pipeline_range(session->task.input, &low, &high) && fmaxf(fabsf(low), fabsf(high)) > LARGE)
        ls_log_warn("the input is within [%g, %g], and networks hardly learn from numbers so large; begin data.input "
                    "with {rescale: [0, 1]}",
                    (double)low, (double)high);
}

ls_status ls_session_build(ls_session *session, const ls_dataset_info *info) {
    LS_TRY(ls_config_pipelines(session->config, info, &session->task.input, &session->task.target));
    LS_TRY(check_target_range(session));
    ls_shape input = ls_pipeline_shape(session->task.input), target = ls_pipeline_shape(session->task.target);
    LS_TRY(ls_config_model(session->config, &input, &target, &session->task.model));
    show_code(session);
    return LS_OK;
}

/* Labels can be told from the model alone: it has an output a class. */
static ls_status count_classes(const ls_config *config, ls_dataset_info *info) {
    ls_pipeline *input, *target;
    ls_model *model = NULL;
    info->labelled = true;
    LS_TRY(ls_config_pipelines(config, info, &input, &target));
    ls_shape shape = ls_pipeline_shape(input);
    ls_status status = ls_config_model(config, &shape, NULL, &model);
    if (status == LS_OK) {
        shape = ls_model_output_shape(model);
        info->classes = (int)ls_shape_count(&shape);
    }
    ls_model_destroy(model);
    ls_pipeline_destroy(input);
    ls_pipeline_destroy(target);
    return status;
}

ls_status ls_session_build_without_data(ls_session *session, const ls_shape *shape, ls_dataset_info *info) {
    *info = (ls_dataset_info){.shape = *shape, .sample_bytes = ls_shape_count(shape), .block_samples = 1};
    if (session->config->data.target_labels) LS_TRY(count_classes(session->config, info));
    return ls_session_build(session, info);
}

static ls_status build_on_data(ls_session *session) {
    LS_TRY(ls_kind_class_names(session->task.train, &session->class_names));
    LS_TRY(join_validation(session));
    LS_TRY(ls_session_build(session, ls_dataset_get_info(session->task.train)));
    warn_of_input(session);
    warn_of_target(session);
    return LS_OK;
}

ls_status ls_session_open_local(ls_session *session) {
    LS_TRY(open_train(session, NULL));
    LS_TRY(open_train(session, &session->task.train));
    LS_TRY(open_validation(session, NULL));
    return build_on_data(session);
}

/* Parts that are too many, or a split that leaves too little. */
ls_status ls_session_check_division(const ls_session *session) {
    const ls_data_settings *data = &session->config->data;
    ls_span *blocks;
    int64_t count;
    LS_TRY(ls_dataset_blocks(session->task.train, &blocks, &count));
    ls_free(blocks);
    if (ls_division_check(&session->task) == LS_OK) return LS_OK;
    return ls_config_prefix(session->config, count < data->parts ? &data->parts_place : &data->split_place);
}

/* A host may have its own copy of a path, and another one there. */
ls_status ls_session_check_same_data(const ls_comm *comm, const ls_dataset *dataset) {
    if (dataset == NULL) return LS_OK;
    const ls_dataset_info *info = ls_dataset_get_info(dataset);
    int64_t content = (int64_t)strtoull(info->fingerprint, NULL, 16),
            all[] = {content, info->count, info->block_samples};
    bool same = true;
    for (int i = 0; i < 3; i++) same = (ls_comm_min(comm, all[i]) == ls_comm_max(comm, all[i])) && same;
    if (same) return LS_OK;
    return LS_RAISE(LS_INVALID, "the ranks do not see the same data under %s; every host must read the same files",
                    ls_dataset_path(dataset, 0));
}

/* One rank of each host does so for all: a host may have copies of its own. */
static ls_status try_data(const ls_session *session) {
    if (session->task.comm->host_rank > 0) return LS_OK;
    LS_TRY(open_train(session, NULL));
    return open_validation(session, NULL);
}

static ls_status open_tried_data(ls_session *session) {
    LS_TRY(open_train(session, &session->task.train));
    return build_on_data(session);
}

ls_status ls_session_open_data(ls_session *session) {
    LS_TRY(ls_agree(session->task.comm, try_data(session)));
    LS_TRY(ls_agree(session->task.comm, open_tried_data(session)));
    LS_TRY(ls_session_check_same_data(session->task.comm, session->task.train));
    return ls_session_check_same_data(session->task.comm, session->task.validation);
}

/* --- a trained model's --- */

/* Bytes and floats are the same to a model where their pipelines make the same range of them. Floats must then keep to
 * what bytes cannot but be within. */
static ls_status check_element(ls_session *session, const ls_data_kind *kind) {
    const ls_dataset_info *info = ls_dataset_get_info(session->task.train);
    ls_pipeline *input = NULL, *target = NULL;
    float low, high;
    if (info->element == kind->info->element) return LS_OK;
    LS_TRY(ls_config_pipelines(session->config, kind->info, &input, &target));
    ls_bounds trained, now;
    ls_pipeline_range(input, &trained.low, &trained.high);
    ls_pipeline_range(session->task.input, &now.low, &now.high);
    ls_pipeline_destroy(input);
    ls_pipeline_destroy(target);
    if (now.low != trained.low || now.high != trained.high)
        return LS_RAISE(LS_INVALID,
                        "its samples are %s and reach the model within [%g, %g], but it was trained on %s within [%g, "
                        "%g]; import it in the same way",
                        ls_element_name(info->element), (double)now.low, (double)now.high,
                        ls_element_name(kind->info->element), (double)trained.low, (double)trained.high);
    low = fminf(now.low, now.high);
    high = fmaxf(now.low, now.high);
    if (info->element == LS_ELEMENT_FLOAT32) session->task.input_bounds = (ls_bounds){low, high};
    return LS_OK;
}

/* Pictures of another size a model may take, if all its layers do; as many numbers in another order, it must not. */
static bool may_take(const ls_shape *shape, const ls_shape *trained) {
    return ls_shape_equal(shape, trained) || ls_shape_count(shape) != ls_shape_count(trained);
}

static ls_status refuse_shape(const ls_shape *shape, const ls_shape *trained) {
    char a[LS_SHAPE_TEXT_MAX], b[LS_SHAPE_TEXT_MAX];
    return LS_RAISE(LS_INVALID, "its samples are %s, but the model was trained on %s", ls_shape_text(shape, a),
                    ls_shape_text(trained, b));
}

static void tell_shape(const ls_session *session, const ls_shape *trained) {
    char a[LS_SHAPE_TEXT_MAX], b[LS_SHAPE_TEXT_MAX];
    ls_log_warn("%s has samples of %s, and the model was trained on %s; it is applied to them as they are",
                ls_dataset_path(session->task.train, 0),
                ls_shape_text(&ls_dataset_get_info(session->task.train)->shape, a), ls_shape_text(trained, b));
}

/* Labels are those of the training, whatever the data has: a model that is applied needs none. */
static ls_status build_like(ls_session *session, const ls_data_kind *kind) {
    ls_dataset_info info = *ls_dataset_get_info(session->task.train);
    if (session->config->data.target_labels) {
        info.labelled = true;
        info.classes = kind->info->classes;
    }
    const ls_shape *trained = &kind->info->shape;
    if (!may_take(&info.shape, trained)) return refuse_shape(&info.shape, trained);
    ls_status status = ls_session_build(session, &info);
    if (status == LS_INVALID && !ls_shape_equal(&info.shape, trained)) return refuse_shape(&info.shape, trained);
    LS_TRY(status);
    if (!ls_shape_equal(&info.shape, trained)) tell_shape(session, trained);
    return check_element(session, kind);
}

static const char mend[] = "--data FILE";

static ls_status open_only_local(ls_session *session, const char *const *paths, int count, const ls_data_kind *kind,
                                 bool targeted) {
    LS_TRY(ls_data_paths_open_tried(paths, count, mend, &session->task.train));
    if (build_like(session, kind) != LS_OK)
        return ls_failure_prefix("%s is not like the data of the training: ", paths[0]);
    if (!session->config->data.target_labels) return LS_OK;
    if (targeted) ls_kind_warn_unnamed(session->task.train, kind);
    if (targeted) return ls_kind_check_labels(session->task.train, kind);
    session->task.untargeted =
        !ls_dataset_get_info(session->task.train)->labelled || ls_kind_check_labels(session->task.train, kind) != LS_OK;
    return LS_OK;
}

ls_status ls_session_open_only(ls_session *session, const char *const *paths, int count, const ls_data_kind *kind,
                               bool targeted) {
    bool tries = session->task.comm->host_rank == 0;
    LS_TRY(ls_agree(session->task.comm, tries ? ls_data_paths_try(paths, count, mend) : LS_OK));
    LS_TRY(ls_agree(session->task.comm, open_only_local(session, paths, count, kind, targeted)));
    return ls_session_check_same_data(session->task.comm, session->task.train);
}

void ls_session_release(ls_session *session) {
    ls_watchdog_stop(session->watchdog);
    ls_model_destroy(session->task.model);
    ls_pipeline_destroy(session->task.input);
    ls_pipeline_destroy(session->task.target);
    ls_dataset_close(session->task.validation);
    ls_dataset_close(session->task.train);
    ls_pool_destroy(session->task.pool);
    ls_free(session->class_names);
    *session = (ls_session){0};
}
