/* lockstep reconstruct - see apply.h. */
#include "base/file.h"
#include "cli/command.h"
#include "run/apply.h"

typedef struct reconstruct_options {
    char output[LS_PATH_MAX], data[LS_PATH_MAX];
    int64_t count;
    bool noise, overwrite;
} reconstruct_options;

static const ls_option options[] = {
    {"output", LS_OPTION_STRING, offsetof(reconstruct_options, output), .required = true, .capacity = LS_PATH_MAX,
     .help = ".h5, .npy (names and labels in NAME.rows.csv beside it) or .csv; .png: input, output and target",
     .letter = 'o'},
    {"data", LS_OPTION_STRING, offsetof(reconstruct_options, data), .capacity = LS_PATH_MAX,
     .help = "a data set (default: the run's validation data)"},
    {"count", LS_OPTION_INT, offsetof(reconstruct_options, count), .preset = "0", .min = 0, .max = 1e12,
     .help = "only so many samples, the first ones; 0: all, or of a picture 10", .letter = 'n'},
    {"noise", LS_OPTION_BOOL, offsetof(reconstruct_options, noise), .preset = "false",
     .help = "add the noise of the config's transforms to the samples (default: they are taken as they are)"},
    {"overwrite", LS_OPTION_BOOL, offsetof(reconstruct_options, overwrite), .preset = "false",
     .help = "write in place of an imported data set of this name, too"},
    LS_OPTIONS_END};

static ls_status run(const ls_comm *comm, const ls_call *call) {
    const reconstruct_options *given = call->options[0];
    ls_application application = {.data = given->data[0] != '\0' ? given->data : NULL,
                                  .count = given->count,
                                  .noise = given->noise,
                                  .output = {given->output, given->overwrite}};
    return ls_reconstruct_run(comm, call->word[0], &application);
}

const ls_command ls_command_reconstruct = {
    .name = "reconstruct",
    .usage = "RUN -o OUT.h5|OUT.npy|OUT.csv|OUT.png [options]",
    .help = "writes what a trained model makes of every sample",
    .table = {{options, sizeof(reconstruct_options)}},
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
