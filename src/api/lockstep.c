/* lockstep.c - the door for C programs: fills in a task from calls, and runs the trainer on it.
 *
 * There is one job a process, so its communicator and threads are kept here and not handed around by the caller. */
#include "lockstep/lockstep.h"

#include <stdio.h>
#include <string.h>

#include "base/integers.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/threads.h"
#include "data/arrays.h"
#include "train/machine.h"
#include "train/trainer.h"

enum { PREDICTED_ROWS = 256, DEFAULT_LANES = 8, WORDS_MAX = 32, OPTIONS_MAX = 1024 };

static ls_comm comm = {.size = 1, .host_size = 1};
static ls_pool *pool;
static int threads;
static ls_isa isa;

struct lockstep_model {
    ls_model *model;
    const ls_loss_type *loss; /* NULL: not compiled */
    const ls_optimizer_type *optimizer;
    void *optimizer_options;
    float *weights; /* [flat count]; NULL: not trained */
};

/* --- the job --- */

int lockstep_init(int *argc, char ***argv) {
    LS_TRY(ls_comm_init(&comm, argc, argv));
    ls_log_init(comm.rank);
    LS_TRY(ls_machine_choose_isa(&comm, &isa));
    threads = ls_machine_threads(&comm, 0);
    return ls_agree(&comm, ls_pool_create(threads, &pool));
}

void lockstep_finalize(void) {
    ls_pool_destroy(pool);
    pool = NULL;
    ls_comm_finalize(&comm);
}

int lockstep_rank(void) { return comm.rank; }

int lockstep_size(void) { return comm.size; }

const char *lockstep_message(void) { return ls_failure_get()->message; }

/* --- names and options --- */

/* The entry of that name in a table that is ended by NULL; every type's record begins with its name. */
static ls_status find_type(const char *kind, const void *table, const char *name, const void **out) {
    const void *const *types = table;
    const char *names[128];
    int count = 0;
    *out = NULL;
    name = ls_full_name(name);
    for (; types[count] != NULL; count++) {
        memcpy(&names[count], types[count], sizeof *names);
        *out = types[count];
        if (strcmp(names[count], name) == 0) return LS_OK;
    }
    return ls_unknown(kind, name, "", names, count);
}

/* What an options text may hold besides the options. */
typedef struct layer_words {
    char *name, *inputs; /* NULL: not given */
} layer_words;

static int split(char *text, const char *separators, char *words[WORDS_MAX]) {
    int count = 0;
    char *rest;
    for (char *word = strtok_r(text, separators, &rest); word != NULL && count < WORDS_MAX;
         word = strtok_r(NULL, separators, &rest))
        words[count++] = word;
    return count;
}

static ls_status unknown_option(const ls_option *table, const char *word) {
    const char *names[WORDS_MAX];
    int count = 0;
    for (; count < WORDS_MAX && table[count].name != NULL; count++) names[count] = table[count].name;
    return ls_unknown("option", word, "", names, count);
}

static ls_status set_option(const ls_option *table, void *record, char *word, layer_words *of_layer) {
    char *value = strchr(word, '='), *texts[WORDS_MAX];
    if (value == NULL) return LS_RAISE(LS_INVALID, "'%s' is no option; options are words like key=value", word);
    *value++ = '\0';
    if (of_layer != NULL && strcmp(word, "name") == 0) of_layer->name = value;
    if (of_layer != NULL && strcmp(word, "inputs") == 0) of_layer->inputs = value;
    if (of_layer != NULL && (of_layer->name == value || of_layer->inputs == value)) return LS_OK;
    const ls_option *option = ls_options_find(table, word);
    if (option == NULL) return unknown_option(table, word);
    int count = split(value, ",", texts);
    return ls_option_set(option, record, (const char *const *)texts, count, count > 1);
}

/* A record of the options in text, which is changed. *record is the caller's (ls_free). */
static ls_status read_options(const ls_option *table, size_t bytes, char *text, layer_words *of_layer, void **record) {
    char *words[WORDS_MAX];
    LS_TRY(ls_alloc(record, 1, bytes, "options"));
    ls_options_init(table, *record);
    int count = split(text, " ", words);
    for (int i = 0; i < count; i++) LS_TRY(set_option(table, *record, words[i], of_layer));
    for (const ls_option *option = table; option->name != NULL; option++) {
        bool given = !option->required;
        for (int i = 0; i < count && !given; i++) given = strcmp(words[i], option->name) == 0;
        if (!given) return LS_RAISE(LS_INVALID, "%s is missing", option->name);
    }
    return LS_OK;
}

static ls_status copy_text(const char *text, char copy[OPTIONS_MAX]) {
    int length = snprintf(copy, OPTIONS_MAX, "%s", text != NULL ? text : "");
    return length < OPTIONS_MAX ? LS_OK : LS_RAISE(LS_INVALID, "the options are too long");
}

/* --- a model --- */

static ls_status create(int dims, const int64_t *shape, lockstep_model **out) {
    ls_shape input = {.dims = dims};
    if (dims < 1 || dims > LS_DIMS_MAX) return LS_RAISE(LS_INVALID, "a sample has 1 to %d dimensions", LS_DIMS_MAX);
    for (int d = 0; d < dims; d++) {
        if (shape[d] < 1) return LS_RAISE(LS_INVALID, "dimension %d of a sample is not positive", d);
        input.dim[d] = shape[d];
    }
    LS_TRY(ls_alloc(out, 1, sizeof **out, "a model"));
    return ls_model_create(&input, &(*out)->model);
}

int lockstep_create(int dims, const int64_t *shape, lockstep_model **out) {
    *out = NULL;
    ls_status status = ls_agree(&comm, create(dims, shape, out));
    if (status == LS_OK) return status;
    lockstep_destroy(*out);
    *out = NULL;
    return status;
}

void lockstep_destroy(lockstep_model *m) {
    if (m == NULL) return;
    ls_model_destroy(m->model);
    ls_free(m->optimizer_options);
    ls_free(m->weights);
    ls_free(m);
}

static ls_status add(const lockstep_model *m, const char *type_name, const char *options) {
    const void *found;
    char text[OPTIONS_MAX], *inputs[WORDS_MAX];
    void *record = NULL;
    layer_words words = {0};
    LS_TRY(find_type("layer", ls_layer_types, type_name, &found));
    const ls_layer_type *type = found;
    LS_TRY(copy_text(options, text));
    ls_status status = read_options(type->options, type->options_bytes, text, &words, &record);
    int count = words.inputs != NULL ? split(words.inputs, ",", inputs) : 0;
    if (status == LS_OK) status = ls_model_add(m->model, type, record, words.name, (const char *const *)inputs, count);
    ls_free(record);
    return status == LS_OK ? LS_OK : ls_failure_prefix("layer %s: ", type->name);
}

int lockstep_add(lockstep_model *m, const char *type, const char *options) {
    if (m->loss != NULL) return LS_RAISE(LS_INVALID, "the model is compiled: no layer can be added");
    return ls_agree(&comm, add(m, type, options));
}

static ls_status compile(lockstep_model *m, const char *optimizer, const char *options, const char *loss) {
    const void *found, *found_loss;
    char text[OPTIONS_MAX];
    LS_TRY(find_type("optimizer", ls_optimizer_types, optimizer, &found));
    LS_TRY(find_type("loss", ls_loss_types, loss, &found_loss));
    m->optimizer = found;
    LS_TRY(copy_text(options, text));
    ls_free(m->optimizer_options);
    LS_TRY(read_options(m->optimizer->options, m->optimizer->options_bytes, text, NULL, &m->optimizer_options));
    ls_shape target = ls_model_output_shape(m->model);
    LS_TRY(ls_model_set_loss(m->model, found_loss, &target));
    m->loss = found_loss;
    return LS_OK;
}

int lockstep_compile(lockstep_model *m, const char *optimizer, const char *options, const char *loss) {
    if (m->loss != NULL) return LS_RAISE(LS_INVALID, "the model is compiled already");
    if (ls_model_layers(m->model) == 0) return LS_RAISE(LS_INVALID, "the model has no layers");
    return ls_agree(&comm, compile(m, optimizer, options, loss));
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

static int lanes_of(const lockstep_fit_options *o) { return o->lanes > 0 ? o->lanes : DEFAULT_LANES; }

static ls_status check_options(const lockstep_model *m, const lockstep_arrays *data, const lockstep_fit_options *o) {
    ls_shape in = ls_model_input_shape(m->model), out = ls_model_output_shape(m->model);
    if (m->loss == NULL) return LS_RAISE(LS_INVALID, "the model is not compiled: see lockstep_compile");
    if (data->count < 1 || data->x == NULL) return LS_RAISE(LS_INVALID, "there are no samples to train on");
    if (data->y == NULL && ls_shape_count(&in) != ls_shape_count(&out))
        return LS_RAISE(LS_INVALID, "without y the output must have as many numbers as the input");
    if (o->epochs < 1 || o->batch_size < 1) return LS_RAISE(LS_INVALID, "epochs and batch_size must be positive");
    int lanes = lanes_of(o);
    if ((lanes & (lanes - 1)) != 0 || lanes < comm.size)
        return LS_RAISE(LS_INVALID,
                        "lanes is %d, but must be a power of two, and not below the number of processes, %d", lanes,
                        comm.size);
    if (!(o->validation_split >= 0 && o->validation_split < 1))
        return LS_RAISE(LS_INVALID, "validation_split must be from 0 to below 1");
    return LS_OK;
}

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
    LS_TRY(check_options(m, data, o));
    *task = task_of(m, data, o);
    ls_arrays arrays = {.count = data->count,
                        .x = data->x,
                        .y = data->y,
                        .x_shape = ls_model_input_shape(m->model),
                        .y_shape = ls_model_output_shape(m->model)};
    LS_TRY(ls_lanes_init(&task->lanes, lanes_of(o), comm.rank, comm.size));
    LS_TRY(ls_dataset_of_arrays(&arrays, &task->train));
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

int lockstep_fit(lockstep_model *m, const lockstep_arrays *data, const lockstep_fit_options *options) {
    ls_task task = {0};
    ls_trainer trainer = {0};
    ls_callback *callbacks = NULL;
    ls_status status = ls_agree(&comm, open_task(m, data, options, &task));
    if (status == LS_OK) status = ls_agree(&comm, list_callbacks(options, &callbacks));
    if (status == LS_OK) status = ls_trainer_open(&trainer, &task);
    if (status == LS_OK) status = train(m, &trainer, callbacks, options->callback_count);
    ls_trainer_close(&trainer);
    ls_pipeline_destroy(task.input);
    ls_pipeline_destroy(task.target);
    ls_dataset_close(task.train);
    ls_free(callbacks);
    return status;
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

int lockstep_predict(lockstep_model *m, int64_t count, const float *x, float *out) {
    ls_shape in = ls_model_input_shape(m->model);
    int64_t in_size = ls_shape_count(&in), out_size = lockstep_output_size(m);
    if (m->weights == NULL) return LS_RAISE(LS_INVALID, "the model has not been trained: see lockstep_fit");
    LS_TRY(ls_model_prepare(m->model, &(ls_limits){PREDICTED_ROWS, threads, 1}, false));
    for (int64_t i = 0; i < count; i += PREDICTED_ROWS)
        predict_rows(m, i, ls_min(PREDICTED_ROWS, count - i), x + i * in_size, out + i * out_size);
    return LS_OK;
}

int64_t lockstep_output_size(const lockstep_model *m) {
    ls_shape out = ls_model_output_shape(m->model);
    return ls_shape_count(&out);
}

const float *lockstep_weights(const lockstep_model *m, const char *layer, const char *array, int64_t *count) {
    int index = m->weights != NULL ? ls_model_find(m->model, layer) : -1;
    if (index < 0) return NULL;
    const ls_layer *of = ls_model_layer(m->model, index);
    for (int p = 0; p < of->params; p++) {
        if (strcmp(of->param[p].name, array) != 0) continue;
        *count = ls_shape_count(&of->param[p].shape);
        return m->weights + of->param[p].offset;
    }
    return NULL;
}
