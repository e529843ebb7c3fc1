/* lockstep inspect - see inspect.h. */
#include <inttypes.h>
#include <stdio.h>

#include "command.h"
#include "lockstep/inspect.h"
#include "lockstep/lanes.h"

typedef struct inspect_options {
    int64_t ranks;
    char shape[LS_NAME_MAX];
    bool diff;
} inspect_options;

static const ls_option options[] = {
    {"ranks", LS_OPTION_INT, offsetof(inspect_options, ranks), .preset = "1", .min = 1, .max = LS_LANES_MAX,
     .help = "of a config: the memory of one of so many ranks"},
    {"shape", LS_OPTION_STRING, offsetof(inspect_options, shape), .capacity = LS_NAME_MAX,
     .help = "of a config: a sample's shape, such as 28x28x1, where the data is not there"},
    {"diff", LS_OPTION_BOOL, offsetof(inspect_options, diff), .preset = "false",
     .help = "print where two checkpoints or runs differ; the exit status is 0 if they do not, 1 if they do"},
    LS_OPTIONS_END};

static ls_status read_shape(const char *text, ls_shape *out) {
    *out = (ls_shape){0};
    if (text[0] == '\0') return LS_OK;
    const char *rest = text;
    int used = 0;
    while (out->dims < LS_DIMS_MAX && sscanf(rest, "%9" SCNd64 "%n", &out->dim[out->dims], &used) == 1 &&
           out->dim[out->dims] >= 1) {
        out->dims++;
        rest += used;
        if (*rest == '\0') return LS_OK;
        if (*rest++ != 'x') break;
    }
    return LS_RAISE(LS_INVALID, "--shape must be 1 to %d dimensions, such as 28x28x1, not '%s'", LS_DIMS_MAX, text);
}

static ls_status run(const ls_comm *comm, const ls_call *call) {
    const inspect_options *given = call->options[0];
    ls_inspect_options inspect = {
        .settings = call->setting, .setting_count = call->settings, .ranks = (int)given->ranks};
    if (given->diff != (call->words == 2))
        return LS_RAISE(LS_INVALID, given->diff ? "inspect --diff takes two runs or checkpoints"
                                                : "inspect takes one path; --diff takes two");
    if (given->diff) return ls_inspect_diff(comm, call->word[0], call->word[1], stdout);
    LS_TRY(read_shape(given->shape, &inspect.shape));
    return ls_inspect_path(comm, call->word[0], &inspect, stdout);
}

const ls_command ls_command_inspect = {
    .name = "inspect",
    .usage = "CONFIG.yaml|RUN|FILE.h5 [options], or --diff A B",
    .help = "shows what a config will cost, or what a run, a checkpoint or a data set holds",
    .table = {{options, sizeof(inspect_options)}},
    .settable = true,
    .min_words = 1,
    .max_words = 2,
    .run = run,
};
