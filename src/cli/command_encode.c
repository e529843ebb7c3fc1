/* command_encode.c - lockstep encode: the codes of samples. */
#include "cli/shared_options.h"

static ls_status run(const ls_comm *comm, const ls_call *call) {
    const ls_layer_options *given = call->options[2];
    ls_application application = ls_application_given(call->options[1], call->options[0]);
    return ls_encode_run(comm, call->word[0], ls_text_given(given->layer), &application);
}

const ls_command ls_command_encode = {
    .name = "encode",
    .usage = "RUN -o OUT.h5|OUT.npy|OUT.csv|OUT.png [options]",
    .help = "writes the code of every sample",
    .table = {{ls_output_table, sizeof(ls_output_options)},
              {ls_application_table, sizeof(ls_application_options)},
              {ls_layer_option_table, sizeof(ls_layer_options)}},
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
