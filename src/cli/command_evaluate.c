/* command_evaluate.c - lockstep evaluate: losses and metrics of a trained model. */
#include "cli/shared_options.h"

typedef struct evaluate_options {
    char data[LS_PATH_MAX];
} evaluate_options;

static const ls_option options[] = {{"data", LS_OPTION_STRING, offsetof(evaluate_options, data),
                                     .capacity = LS_PATH_MAX,
                                     .help = "a data set (default: the run's validation data)"},
                                    LS_OPTIONS_END};

static ls_status run(const ls_comm *comm, const ls_call *call) {
    const evaluate_options *given = call->options[0];
    return ls_evaluate_run(comm, call->word[0], ls_text_given(given->data), stdout);
}

const ls_command ls_command_evaluate = {
    .name = "evaluate",
    .usage = "RUN [options]",
    .help = "prints the losses and metrics of a trained model, as one line of JSON",
    .table = {{options, sizeof(evaluate_options)}},
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
