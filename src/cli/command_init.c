/* command_init.c - lockstep init: a first config for a data set. */
#include "cli/shared_options.h"
#include "run/init.h"

typedef struct init_options {
    char output[LS_PATH_MAX];
} init_options;

static const ls_option options[] = {
    {"output", LS_OPTION_STRING, offsetof(init_options, output), .capacity = LS_PATH_MAX,
     .help = "the config to write, a new file (default: the standard output)", .letter = 'o'},
    LS_OPTIONS_END};

static ls_status run(const ls_comm *comm, const ls_call *call) {
    const init_options *given = call->options[0];
    return ls_init_run(comm, call->words > 0 ? call->word[0] : NULL, ls_text_given(given->output));
}

const ls_command ls_command_init = {
    .name = "init",
    .usage = "[FILE.h5] [-o CONFIG.yaml]",
    .help = "writes a first config, with comments, that fits a data set",
    .table = {{options, sizeof(init_options)}},
    .min_words = 0,
    .max_words = 1,
    .run = run,
};
