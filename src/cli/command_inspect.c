/* command_inspect.c - lockstep inspect: what a config will cost; what a run, a checkpoint or a data set holds. */
#include "base/lanes.h"
#include "cli/command.h"
#include "run/inspect.h"

typedef struct inspect_options {
    int64_t ranks;
    char shape[LS_NAME_MAX];
    bool dot, diff;
} inspect_options;

static const ls_option options[] = {
    {"ranks", LS_OPTION_INT, offsetof(inspect_options, ranks), .preset = "1", .min = 1, .max = LS_LANES_MAX,
     .help = "of a config: predict the memory of a rank for this many ranks"},
    {"shape", LS_OPTION_STRING, offsetof(inspect_options, shape), .capacity = LS_NAME_MAX,
     .help = "of a config without its data: a sample's shape, such as 28x28x1"},
    {"dot", LS_OPTION_BOOL, offsetof(inspect_options, dot), .preset = "false",
     .help = "of a config or a run: print the model for Graphviz: ... | dot -Tpng -o model.png"},
    {"diff", LS_OPTION_BOOL, offsetof(inspect_options, diff), .preset = "false",
     .help = "print where two checkpoints or runs differ; exit status 1 if they do, 0 if not"},
    LS_OPTIONS_END};

static ls_status refuse_all(const ls_call *call, const char *where) {
    LS_TRY(ls_call_refuse(call, "set", where));
    LS_TRY(ls_call_refuse(call, "ranks", where));
    return ls_call_refuse(call, "shape", where);
}

static ls_status run(const ls_comm *comm, const ls_call *call) {
    const inspect_options *given = call->options[0];
    ls_inspect_options inspect = {
        .settings = call->repeated, .setting_count = call->repeats, .ranks = (int)given->ranks, .drawing = given->dot};
    if (given->diff != (call->words == 2))
        return LS_RAISE(LS_INVALID, given->diff ? "inspect --diff takes two runs or checkpoints"
                                                : "inspect takes one path; --diff takes two");
    bool config = false;
    if (given->diff) LS_TRY(refuse_all(call, "beside --diff"));
    if (given->diff) return ls_inspect_diff(comm, call->word[0], call->word[1], stdout);
    LS_TRY(ls_inspect_is_config(comm, call->word[0], &config));
    if (!config && !given->dot)
        LS_TRY(refuse_all(call, "but on a config")); /* --dot draws a run from its config, and takes these options */
    if (given->shape[0] != '\0') LS_TRY(ls_shape_parse(given->shape, &inspect.shape));
    return ls_inspect_path(comm, call->word[0], &inspect, stdout);
}

const ls_command ls_command_inspect = {
    .name = "inspect",
    .usage = "CONFIG.yaml|RUN|FILE.h5 [options], or --diff A B",
    .help = "shows what a config will cost, or what a run, a checkpoint or a data set holds",
    .table = {{options, sizeof(inspect_options)}},
    .repeated = &ls_set_option,
    .min_words = 1,
    .max_words = 2,
    .run = run,
};
