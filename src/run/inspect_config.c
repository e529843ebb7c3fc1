/* inspect_config.c - what a config will cost, before it does: built like a run, but nothing is allocated or read. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "data/loader.h"
#include "run/inspect_kinds.h"
#include "run/session.h"
#include "train/step.h"

/* A rank that is only thought of: the one with the most lanes. */
typedef struct prospect {
    ls_session session;
    ls_comm comm;
    ls_dataset_info data; /* count 0: not there */
} prospect;

static int busiest_rank(int lanes, int ranks) {
    int busiest = 0, most = 0;
    for (int rank = 0; rank < ranks; rank++) {
        int own = ls_lane_first(lanes, rank + 1, ranks) - ls_lane_first(lanes, rank, ranks);
        if (own <= most) continue;
        most = own;
        busiest = rank;
    }
    return busiest;
}

static ls_status divide(prospect *p, int ranks) {
    const ls_training_settings *training = &p->session.config->training;
    int lanes = (int)training->lanes, rank = ranks > 0 ? busiest_rank(lanes, ranks) : 0;
    p->comm = (ls_comm){.rank = rank, .size = ranks, .host_rank = rank, .host_size = ranks};
    p->session.task.comm = &p->comm;
    ls_cpus allowed = ls_cpus_allowed();
    int threads = ls_threads_default(ls_cpus_cores(&allowed), ranks);
    p->session.task.threads = training->threads > 0 ? (int)training->threads : threads;
    return ls_lanes_init(&p->session.task.lanes, lanes, rank, ranks);
}

/* Model and data as train would have them, with what it would refuse; where there is no data, of samples of this shape.
 */
static ls_status build(prospect *p, const ls_shape *shape) {
    ls_session *session = &p->session;
    ls_status status = ls_session_open_local(session);
    if (session->task.train == NULL && shape->dims > 0) return ls_session_build_without_data(session, shape, &p->data);
    LS_TRY(status);
    p->data = *ls_dataset_get_info(session->task.train);
    return ls_session_check_division(session);
}

/* ---- what is printed ---- */

static void print_layer(const ls_config *config, const ls_layer *layer, FILE *out) {
    char shape[LS_SHAPE_TEXT_MAX], count[LS_FIGURE_MAX];
    int64_t parameters = 0;
    for (int i = 0; i < layer->params; i++) parameters += ls_shape_count(&layer->param[i].shape);
    fprintf(out, "  %-20s %-16s %-18s %14s %12.3f%s\n", layer->name, layer->type->name,
            ls_shape_text(&layer->out, shape), ls_count_text(parameters, count), layer->flops / 1e6,
            strcmp(layer->name, config->code) == 0 ? "  <- code" : "");
}

static void print_layers(const prospect *p, FILE *out) {
    const ls_model *model = p->session.task.model;
    char shape[LS_SHAPE_TEXT_MAX], count[LS_FIGURE_MAX], bytes[LS_FIGURE_MAX];
    ls_shape input = ls_model_input_shape(model);
    fprintf(out, "  %-20s %-16s %-18s %14s %12s\n", "layer", "type", "output", "parameters", "MFLOP");
    fprintf(out, "  %-20s %-16s %s\n", "input", "", ls_shape_text(&input, shape));
    double flops = 0;
    for (int i = 0; i < ls_model_layers(model); i++) {
        print_layer(p->session.config, ls_model_layer(model, i), out);
        flops += ls_model_layer(model, i)->flops;
    }
    int64_t parameters = ls_model_param_count(model);
    fprintf(out, "%d layers, %s parameters (%s), %.3f MFLOP to pass a sample forward; loss %s\n",
            ls_model_layers(model), ls_count_text(parameters, count),
            ls_bytes_text(parameters * (int64_t)sizeof(float), bytes), flops / 1e6, p->session.config->loss->name);
}

static void print_data(const prospect *p, FILE *out) {
    const ls_config *config = p->session.config;
    int64_t batch = config->training.batch_size, count = p->data.count;
    char text[LS_FIGURE_MAX];
    if (count == 0) return;
    int64_t trained = (int64_t)((double)count * (1 - config->data.split)) / config->data.parts;
    fprintf(out, "data: %s samples; an epoch trains on %s%" PRId64 " of them, in %" PRId64 " steps of %" PRId64 "\n",
            ls_count_text(count, text), config->data.parts > 1 ? "about " : "", trained, (trained + batch - 1) / batch,
            batch);
}

static void print_bytes(const char *what, int64_t bytes, FILE *out) {
    char text[LS_FIGURE_MAX];
    fprintf(out, "  %-34s %10s\n", what, ls_bytes_text(bytes, text));
}

static ls_step_memory predict(const prospect *p, const ls_session *session) {
    return ls_stepper_memory(&session->task, &p->data);
}

/* Rank 0's, while the rank that is shown may be another one. */
static int64_t best_bytes(const prospect *p) {
    ls_session first = p->session;
    ls_comm comm = *first.task.comm;
    comm.rank = 0;
    first.task.comm = &comm;
    return predict(p, &first).best_bytes;
}

/* All ranks on one host: their own memory, which differs with their lanes, and what they share. */
static int64_t host_bytes(const prospect *p) {
    ls_session other = p->session;
    int64_t bytes = 0;
    ls_step_memory memory = {0};
    for (int rank = 0; rank < p->comm.size; rank++) {
        ls_status status = ls_lanes_init(&other.task.lanes, p->session.task.lanes.count, rank, p->comm.size);
        assert(status == LS_OK); /* as for the rank before */
        (void)status;
        memory = predict(p, &other);
        bytes += ls_step_memory_rank_bytes(&memory);
    }
    return bytes + memory.host_bytes + best_bytes(p);
}

/* Samples that do not fit are read again and again; all else must. */
static void print_fit(int64_t bytes, FILE *out) {
    char text[LS_FIGURE_MAX];
    int64_t free_bytes = ls_memory_available_bytes(), total_bytes = ls_memory_total_bytes();
    if (bytes > total_bytes)
        fprintf(out, "  that does not fit this host, of which this process may use %s\n",
                ls_bytes_text(total_bytes, text));
    else if (bytes > free_bytes)
        fprintf(out, "  that does not fit this host now, which has %s free\n", ls_bytes_text(free_bytes, text));
}

static void print_memory(const prospect *p, FILE *out) {
    ls_step_memory memory = predict(p, &p->session);
    fprintf(out, "memory of a rank (of %d, threads: %d)\n", p->comm.size, p->session.task.threads);
    print_bytes("activations and their gradients", memory.model_bytes, out);
    print_bytes("gradients of weights, exchange", memory.exchange_bytes, out);
    print_bytes("optimizer", memory.slot_bytes, out);
    print_bytes("batches made ready", memory.batches_bytes, out);
    print_bytes("in all", ls_step_memory_rank_bytes(&memory), out);
    print_bytes("once a host: weights", memory.host_bytes, out);
    print_bytes("rank 0: best weights, to be written", best_bytes(p), out);
    print_bytes("host with all ranks", host_bytes(p), out);
    print_fit(host_bytes(p), out);
    if (p->data.count > 0) print_bytes("once a host, if they fit: samples", p->data.count * p->data.sample_bytes, out);
}

static void print_balance(const prospect *p, FILE *out) {
    int lanes = p->session.task.lanes.count, ranks = p->comm.size;
    double balance = ls_lanes_balance(lanes, ranks);
    if (ranks == 1) return;
    fprintf(out, "balance: %d lanes on %d ranks use %.0f %% of the cores%s\n", lanes, ranks, 100 * balance,
            balance < 1 ? "; a number of ranks that divides the lanes uses all" : "");
}

static ls_status print_unknown(const ls_config *config, FILE *out) {
    fprintf(out,
            "Shapes, parameters and memory are unknown without data: %s\n"
            "Give the shape of a sample with --shape, such as 28x28x1. What is known:\n\n%s",
            ls_failure_get()->message, config->text);
    return LS_OK;
}

static ls_status inspect(prospect *p, const ls_inspect_options *options, FILE *out) {
    LS_TRY(divide(p, options->ranks));
    ls_status status = build(p, &options->shape);
    bool known = p->session.task.train != NULL || options->shape.dims > 0;
    if (!known && options->drawing) return ls_failure_prefix("shapes are unknown; give --shape, such as 28x28x1: ");
    if (!known) return print_unknown(p->session.config, out);
    LS_TRY(status);
    if (options->drawing) return ls_inspect_drawing(p->session.config, p->session.task.model, out);
    print_layers(p, out);
    print_data(p, out);
    print_memory(p, out);
    print_balance(p, out);
    return LS_OK;
}

ls_status ls_inspect_config(const char *path, const ls_inspect_options *options, FILE *out) {
    const ls_comm alone = {.size = 1, .host_size = 1};
    ls_config *config;
    LS_TRY(ls_config_load(&alone, path, options->settings, options->setting_count, &config));
    prospect p = {.session = ls_session_of(&alone, config, NULL)};
    ls_status status = inspect(&p, options, out);
    ls_session_release(&p.session);
    ls_config_destroy(config);
    return status;
}
