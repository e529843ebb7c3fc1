/* command_bench.c - lockstep bench: the time of a training step. */
#include "cli/command.h"
#include "run/bench.h"

typedef struct bench_options {
    int64_t steps;
    bool json, profile;
    char shape[LS_NAME_MAX];
} bench_options;

static const ls_option options[] = {
    {"steps", LS_OPTION_INT, offsetof(bench_options, steps), .preset = "20", .min = 1, .max = 1e6,
     .help = "how many steps to time"},
    {"json", LS_OPTION_BOOL, offsetof(bench_options, json), .preset = "false", .help = "print one JSON object"},
    {"profile", LS_OPTION_BOOL, offsetof(bench_options, profile), .preset = "false",
     .help = "also print the time of each layer and pass"},
    {"shape", LS_OPTION_STRING, offsetof(bench_options, shape), .capacity = LS_NAME_MAX,
     .help = "where the data is missing: a sample's shape, such as 28x28x1"},
    LS_OPTIONS_END};

static ls_status run(const ls_comm *comm, const ls_call *call) {
    const bench_options *given = call->options[0];
    ls_bench_options bench = {.steps = given->steps, .json = given->json, .profile = given->profile};
    if (given->shape[0] != '\0') LS_TRY(ls_shape_parse(given->shape, &bench.shape));
    ls_config *config;
    LS_TRY(ls_config_load(comm, call->word[0], call->repeated, call->repeats, &config));
    ls_status status = ls_bench_run(comm, config, &bench);
    ls_config_destroy(config);
    return status;
}

const ls_command ls_command_bench = {
    .name = "bench",
    .usage = "CONFIG.yaml [options]",
    .help = "times a training step: images per second, GFLOP/s, share of this machine's peak",
    .table = {{options, sizeof(bench_options)}},
    .repeated = &ls_set_option,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
