/* command_reconstruct.c - lockstep reconstruct: the model's output for samples. */
#include "cli/shared_options.h"

static ls_status run(const ls_comm *comm, const ls_call *call) {
    ls_application application = ls_application_given(call->options[1], call->options[0]);
    return ls_reconstruct_run(comm, call->word[0], &application);
}

const ls_command ls_command_reconstruct = {
    .name = "reconstruct",
    .usage = "RUN -o OUT.h5|OUT.npy|OUT.csv|OUT.png [options]",
    .help = "writes the model's output for every sample",
    .table = {{ls_output_table, sizeof(ls_output_options)}, {ls_application_table, sizeof(ls_application_options)}},
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
