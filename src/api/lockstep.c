/* lockstep.c - the door for C programs: fills in a task from calls, and runs the trainer on it.
 *
 * There is one job a process, so its communicator and threads are kept here and not handed around by the caller. */
#include "lockstep/lockstep.h"

#include <string.h>

#include "api/agreement_internal.h"
#include "api/options_internal.h"
#include "base/integers.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/threads.h"
#include "data/arrays.h"
#include "train/division.h"
#include "train/machine.h"
#include "train/trainer.h"

enum { PREDICTED_ROWS = 256, DEFAULT_LANES = 8 };

_Static_assert((int)LOCKSTEP_ERROR == LS_ERROR && (int)LOCKSTEP_INVALID == LS_INVALID,
               "the statuses are the program's");

static ls_comm comm = {.size = 1, .host_size = 1};
static ls_pool *pool;
static int threads;
static ls_isa isa;
static bool busy; /* lockstep_fit is at work: the model's memory is in use */

struct lockstep_model {
    int64_t number; /* of all that were made, which the ranks make in one order */
    ls_model *model;
    const ls_loss_type *loss; /* NULL: not compiled */
    const ls_optimizer_type *optimizer;
    void *optimizer_options;
    float *weights; /* [flat count]; NULL: not trained */
};

/* --- how every call begins and ends --- */

static ls_status fail_null(const char *name) { return LS_RAISE(LS_INVALID, "%s is NULL", name); }

/* Local. */
static ls_status check_ready(void) {
    if (pool == NULL)
        return LS_RAISE(LS_INVALID,
                        "lockstep_init comes before any other call, and none comes after lockstep_finalize");
    if (busy) return LS_RAISE(LS_INVALID, "a callback calls the library while lockstep_fit is at work");
    return LS_OK;
}

static ls_status begin(const char *function) {
    LS_TRY(check_ready());
    return ls_same_function(&comm, function);
}

/* A message of a call that has not failed says nothing. */
static int end(ls_status status) {
    if (status == LS_OK) ls_failure_set(&(ls_failure){0});
    return (int)status;
}

static ls_argument text_argument(const char *name, const char *text) {
    return (ls_argument){name, text, text != NULL ? (int64_t)strlen(text) : 0};
}

/* --- the job --- */

int lockstep_init(int *argc, char ***argv) {
    if (pool != NULL) return LS_RAISE(LS_INVALID, "lockstep_init has been called already");
    LS_TRY(ls_comm_init(&comm, argc, argv));
    ls_log_init(comm.rank);
    LS_TRY(ls_machine_choose_isa(&comm, &isa));
    threads = ls_machine_threads(&comm, 0);
    return end(ls_agree(&comm, ls_pool_create(threads, &pool)));
}

int lockstep_finalize(void) {
    if (busy) return check_ready();
    ls_pool_destroy(pool);
    pool = NULL;
    ls_comm_finalize(&comm);
    return end(LS_OK);
}

int lockstep_rank(void) { return comm.rank; }

int lockstep_size(void) { return comm.size; }

const char *lockstep_message(void) { return ls_failure_get()->message; }

/* --- a model --- */

static ls_status check_shape(int dims, const int64_t *shape, ls_shape *input) {
    if (dims < 1 || dims > LS_DIMS_MAX) return LS_RAISE(LS_INVALID, "a sample has 1 to %d dimensions", LS_DIMS_MAX);
    if (shape == NULL) return fail_null("shape");
    input->dims = dims;
    for (int d = 0; d < dims; d++) {
        if (shape[d] < 1) return LS_RAISE(LS_INVALID, "dimension %d of a sample is not positive", d);
        input->dim[d] = shape[d];
    }
    if (ls_shape_size(input) <= INT32_MAX) return LS_OK;
    return LS_RAISE(LS_INVALID, "a sample has at most %d numbers in all", INT32_MAX);
}

static ls_status create(const ls_shape *input, lockstep_model **out) {
    LS_TRY(ls_alloc(out, 1, sizeof **out, "a model"));
    return ls_model_create(input, &(*out)->model);
}

static void destroy(lockstep_model *m) {
    if (m == NULL) return;
    ls_model_destroy(m->model);
    ls_free(m->optimizer_options);
    ls_free(m->weights);
    ls_free(m);
}

int lockstep_create(int dims, const int64_t *shape, lockstep_model **out) {
    static int64_t models;
    ls_shape input = {0};
    lockstep_model *made = NULL;
    if (out != NULL) *out = NULL;
    LS_TRY(begin("lockstep_create"));
    ls_status checked = out == NULL ? fail_null("out") : check_shape(dims, shape, &input);
    LS_TRY(ls_agree(&comm, checked));
    LS_TRY(ls_same_arguments(&comm, &(ls_argument){"shape", input.dim, sizeof input.dim}, 1));
    ls_status status = ls_agree(&comm, create(&input, &made));
    if (status == LS_OK) {
        made->number = ++models;
        *out = made;
    } else {
        destroy(made);
    }
    return end(status);
}

int lockstep_destroy(lockstep_model *m) {
    if (busy) return check_ready();
    destroy(m);
    return end(LS_OK);
}

static ls_status check_add(const lockstep_model *m, const char *type) {
    if (m == NULL) return fail_null("model");
    if (type == NULL) return fail_null("type");
    if (m->loss != NULL) return LS_RAISE(LS_INVALID, "the model is compiled: no layer can be added");
    return LS_OK;
}

static ls_status add(const lockstep_model *m, const char *type_name, const char *options) {
    const void *found;
    char text[LS_OPTIONS_TEXT_MAX], *inputs[LS_WORDS_MAX];
    void *record = NULL;
    ls_layer_words words = {0};
    LS_TRY(ls_type_find("layer", ls_layer_types, type_name, &found));
    const ls_layer_type *type = found;
    LS_TRY(ls_options_text_copy(options, text));
    ls_status status = ls_options_text_read(type->options, type->options_bytes, text, &words, &record);
    int count = words.inputs != NULL ? ls_words_split(words.inputs, ",", inputs) : 0;
    if (status == LS_OK) status = ls_model_add(m->model, type, record, words.name, (const char *const *)inputs, count);
    ls_free(record);
    return status == LS_OK ? LS_OK : ls_failure_prefix("layer %s: ", type->name);
}

int lockstep_add(lockstep_model *m, const char *type, const char *options) {
    LS_TRY(begin("lockstep_add"));
    LS_TRY(ls_agree(&comm, check_add(m, type)));
    ls_argument arguments[] = {
        {"model", &m->number, sizeof m->number}, text_argument("type", type), text_argument("options", options)};
    LS_TRY(ls_same_arguments(&comm, arguments, 3));
    return end(ls_agree(&comm, add(m, type, options)));
}

static ls_status check_compile(const lockstep_model *m, const char *optimizer, const char *loss) {
    if (m == NULL) return fail_null("model");
    if (optimizer == NULL) return fail_null("optimizer");
    if (loss == NULL) return fail_null("loss");
    if (m->loss != NULL) return LS_RAISE(LS_INVALID, "the model is compiled already");
    if (ls_model_layers(m->model) == 0) return LS_RAISE(LS_INVALID, "the model has no layers");
    return LS_OK;
}

static ls_status compile(lockstep_model *m, const char *optimizer, const char *options, const char *loss) {
    const void *found, *found_loss;
    char text[LS_OPTIONS_TEXT_MAX];
    LS_TRY(ls_type_find("optimizer", ls_optimizer_types, optimizer, &found));
    LS_TRY(ls_type_find("loss", ls_loss_types, loss, &found_loss));
    m->optimizer = found;
    LS_TRY(ls_options_text_copy(options, text));
    ls_free(m->optimizer_options);
    LS_TRY(ls_options_text_read(m->optimizer->options, m->optimizer->options_bytes, text, NULL, &m->optimizer_options));
    ls_shape target = ls_model_output_shape(m->model);
    LS_TRY(ls_model_set_loss(m->model, found_loss, &target));
    m->loss = found_loss;
    return LS_OK;
}

int lockstep_compile(lockstep_model *m, const char *optimizer, const char *options, const char *loss) {
    LS_TRY(begin("lockstep_compile"));
    LS_TRY(ls_agree(&comm, check_compile(m, optimizer, loss)));
    ls_argument arguments[] = {{"model", &m->number, sizeof m->number},
                               text_argument("optimizer", optimizer),
                               text_argument("options", options),
                               text_argument("loss", loss)};
    LS_TRY(ls_same_arguments(&comm, arguments, 4));
    return end(ls_agree(&comm, compile(m, optimizer, options, loss)));
}

/* --- training --- */

static ls_status end_epoch(ls_callback *self, ls_trainer *t) {
    const lockstep_callback *callback = self->settings;
    lockstep_logs logs = {.epoch = t->logs.epoch,
                          .step = t->logs.step,
                          .loss = t->logs.loss,
                          .val_loss = t->logs.val_loss,
                          .learning_rate = t->logs.lr,
                          .seconds = t->logs.seconds};
    if (callback->on_epoch_end(callback->context, &logs) == 0) return LS_OK;
    return LS_RAISE(LS_STOPPED, "a callback has ended the training");
}

static const ls_callback_type callers_type = {.on = {[LS_ON_EPOCH_END] = end_epoch}};

static int lanes_of(const lockstep_fit_options *o) { return o->lanes != 0 ? o->lanes : DEFAULT_LANES; }

static ls_status check_data(const lockstep_model *m, const lockstep_arrays *data) {
    ls_shape in = ls_model_input_shape(m->model), out = ls_model_output_shape(m->model);
    int64_t in_size = ls_shape_count(&in), out_size = ls_shape_count(&out);
    if (data->count < 1 || data->x == NULL) return LS_RAISE(LS_INVALID, "there are no samples to train on");
    if (data->y == NULL && in_size != out_size)
        return LS_RAISE(LS_INVALID, "without y the output must have as many numbers as the input");
    if (data->count > INT64_MAX / (int64_t)sizeof(float) / (in_size + out_size))
        return LS_RAISE(LS_INVALID, "count is %lld, more samples than any memory can hold", (long long)data->count);
    return LS_OK;
}

static ls_status check_callbacks(const lockstep_fit_options *o) {
    if (o->callback_count < 0) return LS_RAISE(LS_INVALID, "callback_count is %d", o->callback_count);
    if (o->callback_count > 0 && o->callbacks == NULL) return fail_null("callbacks");
    for (int i = 0; i < o->callback_count; i++)
        if (o->callbacks[i].on_epoch_end == NULL) return LS_RAISE(LS_INVALID, "callback %d has no on_epoch_end", i);
    return LS_OK;
}

static ls_status check_options(const lockstep_fit_options *o) {
    int lanes = lanes_of(o);
    if (o->epochs < 1 || o->batch_size < 1) return LS_RAISE(LS_INVALID, "epochs and batch_size must be positive");
    if (lanes < 1 || lanes > LS_LANES_MAX || (lanes & (lanes - 1)) != 0 || lanes < comm.size)
        return LS_RAISE(LS_INVALID,
                        "lanes is %d, but must be a power of two, at most %d and not below the number of processes, %d",
                        lanes, (int)LS_LANES_MAX, comm.size);
    if (!(o->validation_split >= 0 && o->validation_split < 1))
        return LS_RAISE(LS_INVALID, "validation_split must be from 0 to below 1");
    if (o->patience < 0)
        return LS_RAISE(LS_INVALID, "patience is %lld, but cannot be negative", (long long)o->patience);
    return check_callbacks(o);
}

static ls_status check_fit(const lockstep_model *m, const lockstep_arrays *data, const lockstep_fit_options *o) {
    if (m == NULL) return fail_null("model");
    if (data == NULL) return fail_null("data");
    if (o == NULL) return fail_null("options");
    if (m->loss == NULL) return LS_RAISE(LS_INVALID, "the model is not compiled: see lockstep_compile");
    LS_TRY(check_options(o));
    return check_data(m, data);
}

#define NUMBER(name, field)                                                                                            \
    { name, &(field), sizeof(field) }
static ls_status agree_on_fit(const lockstep_model *m, const lockstep_arrays *data, const lockstep_fit_options *o) {
    ls_shape in = ls_model_input_shape(m->model), out = ls_model_output_shape(m->model);
    int64_t x_bytes = data->count * ls_shape_count(&in) * (int64_t)sizeof(float);
    int64_t y_bytes = data->y != NULL ? data->count * ls_shape_count(&out) * (int64_t)sizeof(float) : 0;
    const ls_argument arguments[] = {NUMBER("model", m->number),
                                     NUMBER("count", data->count),
                                     NUMBER("epochs", o->epochs),
                                     NUMBER("batch_size", o->batch_size),
                                     NUMBER("validation_split", o->validation_split),
                                     NUMBER("lanes", o->lanes),
                                     NUMBER("seed", o->seed),
                                     NUMBER("patience", o->patience),
                                     NUMBER("callback_count", o->callback_count),
                                     {"x", data->x, x_bytes},
                                     {"y", data->y, y_bytes}};
    return ls_same_arguments(&comm, arguments, sizeof arguments / sizeof *arguments);
}
#undef NUMBER

static ls_task task_of(const lockstep_model *m, const lockstep_arrays *data, const lockstep_fit_options *o) {
    return (ls_task){.comm = &comm,
                     .pool = pool,
                     .threads = threads,
                     .isa = isa,
                     .model = m->model,
                     .loss = m->loss,
                     .seed = o->seed,
                     .optimizer = m->optimizer,
                     .optimizer_options = m->optimizer_options,
                     .split = o->validation_split,
                     .parts = 1,
                     .shuffle_window = data->count,
                     .cache_mb = -1,
                     .epochs = o->epochs,
                     .batch_size = o->batch_size,
                     .early_stopping = {.enabled = o->patience > 0, .patience = o->patience}};
}

static ls_status open_task(const lockstep_model *m, const lockstep_arrays *data, const lockstep_fit_options *o,
                           ls_task *task) {
    *task = task_of(m, data, o);
    ls_arrays arrays = {.count = data->count,
                        .x = data->x,
                        .y = data->y,
                        .x_shape = ls_model_input_shape(m->model),
                        .y_shape = ls_model_output_shape(m->model)};
    LS_TRY(ls_lanes_init(&task->lanes, lanes_of(o), comm.rank, comm.size));
    LS_TRY(ls_dataset_of_arrays(&arrays, &task->train));
    LS_TRY(ls_division_check(task));
    return ls_arrays_pipelines(task->train, &arrays, &task->input, &task->target);
}

static size_t weights_bytes(const lockstep_model *m) { return (size_t)ls_model_flat_count(m->model) * sizeof(float); }

/* Goes on with the weights that there are: on the ranks that fill them in for all. */
static ls_status take_weights(const lockstep_model *m, const ls_trainer *t) {
    float *fill = m->weights != NULL ? ls_exchange_weights_to_fill(t->stepper.exchange) : NULL;
    if (fill != NULL) memcpy(fill, m->weights, weights_bytes(m));
    return LS_OK;
}

static ls_status keep_weights(lockstep_model *m, const ls_trainer *t) {
    if (m->weights == NULL) LS_TRY(ls_alloc(&m->weights, ls_model_flat_count(m->model), sizeof(float), "weights"));
    memcpy(m->weights, ls_trainer_weights(t), weights_bytes(m));
    return LS_OK;
}

static ls_status train(lockstep_model *m, ls_trainer *t, ls_callback *callbacks, int count) {
    LS_TRY(ls_agree(&comm, take_weights(m, t)));
    ls_status status = ls_trainer_run(t, callbacks, count);
    if (status != LS_OK && status != LS_STOPPED) return status;
    return ls_agree(&comm, keep_weights(m, t));
}

static ls_status list_callbacks(const lockstep_fit_options *o, ls_callback **out) {
    LS_TRY(ls_alloc(out, o->callback_count, sizeof **out, "callbacks"));
    for (int i = 0; i < o->callback_count; i++)
        (*out)[i] = (ls_callback){.type = &callers_type, .settings = &o->callbacks[i]};
    return LS_OK;
}

static ls_status fit(lockstep_model *m, const lockstep_arrays *data, const lockstep_fit_options *o) {
    ls_task task = {0};
    ls_trainer trainer = {0};
    ls_callback *callbacks = NULL;
    ls_status status = ls_agree(&comm, open_task(m, data, o, &task));
    if (status == LS_OK) status = ls_agree(&comm, list_callbacks(o, &callbacks));
    if (status == LS_OK) status = ls_trainer_open(&trainer, &task);
    if (status == LS_OK) status = train(m, &trainer, callbacks, o->callback_count);
    ls_trainer_close(&trainer);
    ls_pipeline_destroy(task.input);
    ls_pipeline_destroy(task.target);
    ls_dataset_close(task.train);
    ls_free(callbacks);
    return status;
}

int lockstep_fit(lockstep_model *m, const lockstep_arrays *data, const lockstep_fit_options *options) {
    LS_TRY(begin("lockstep_fit"));
    LS_TRY(ls_agree(&comm, check_fit(m, data, options)));
    LS_TRY(agree_on_fit(m, data, options));
    busy = true;
    ls_status status = fit(m, data, options);
    busy = false;
    return end(status);
}

/* --- a trained model --- */

static void predict_rows(const lockstep_model *m, int64_t first, int64_t count, const float *x, float *out) {
    int64_t samples[PREDICTED_ROWS];
    ls_rows rows = ls_rows_single(count);
    ls_pass pass = {.pool = pool, .rows = &rows, .samples = samples};
    for (int64_t i = 0; i < count; i++) samples[i] = first + i;
    ls_model_forward(m->model, &pass, m->weights, x, -1);
    const float *y = ls_model_predict(m->model, &pass, ls_model_layers(m->model) - 1);
    memcpy(out, y, (size_t)(count * lockstep_output_size(m)) * sizeof *out);
}

static ls_status check_predict(const lockstep_model *m, int64_t count, const float *x, const float *out) {
    if (m == NULL) return fail_null("model");
    if (count < 0) return LS_RAISE(LS_INVALID, "count is %lld, but cannot be negative", (long long)count);
    if (count > 0 && x == NULL) return fail_null("x");
    if (count > 0 && out == NULL) return fail_null("out");
    if (m->weights == NULL) return LS_RAISE(LS_INVALID, "the model has not been trained: see lockstep_fit");
    return LS_OK;
}

int lockstep_predict(lockstep_model *m, int64_t count, const float *x, float *out) {
    LS_TRY(check_ready());
    LS_TRY(check_predict(m, count, x, out));
    ls_shape in = ls_model_input_shape(m->model);
    int64_t in_size = ls_shape_count(&in), out_size = lockstep_output_size(m);
    LS_TRY(ls_model_prepare(m->model, &(ls_limits){PREDICTED_ROWS, threads, 1}, false));
    for (int64_t i = 0; i < count; i += PREDICTED_ROWS)
        predict_rows(m, i, ls_min(PREDICTED_ROWS, count - i), x + i * in_size, out + i * out_size);
    return end(LS_OK);
}

int64_t lockstep_output_size(const lockstep_model *m) {
    if (m == NULL) return fail_null("model"), 0;
    ls_shape out = ls_model_output_shape(m->model);
    return ls_shape_count(&out);
}

static ls_status find_weights(const lockstep_model *m, const char *layer, const char *array, int64_t *count,
                              const float **out) {
    if (m == NULL) return fail_null("model");
    if (layer == NULL) return fail_null("layer");
    if (array == NULL) return fail_null("array");
    if (count == NULL) return fail_null("count");
    if (m->weights == NULL) return LS_RAISE(LS_INVALID, "the model has not been trained: see lockstep_fit");
    int index = ls_model_find(m->model, layer);
    if (index < 0) return LS_RAISE(LS_INVALID, "the model has no layer '%s'", layer);
    const ls_layer *of = ls_model_layer(m->model, index);
    for (int p = 0; p < of->params; p++) {
        if (strcmp(of->param[p].name, array) != 0) continue;
        *count = ls_shape_count(&of->param[p].shape);
        *out = m->weights + of->param[p].offset;
        return LS_OK;
    }
    return LS_RAISE(LS_INVALID, "layer %s has no array '%s'", layer, array);
}

const float *lockstep_weights(const lockstep_model *m, const char *layer, const char *array, int64_t *count) {
    const float *weights = NULL;
    ls_status status = check_ready();
    if (status == LS_OK) end(find_weights(m, layer, array, count, &weights));
    return weights;
}
