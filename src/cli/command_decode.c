/* lockstep decode - see apply.h. */
#include "base/file.h"
#include "cli/command.h"
#include "report/outputs.h"
#include "run/apply.h"

typedef struct decode_options {
    char output[LS_PATH_MAX], data[LS_PATH_MAX], layer[LS_NAME_MAX];
    int64_t count;
    bool overwrite;
} decode_options;

static const ls_option options[] = {
    {"output", LS_OPTION_STRING, offsetof(decode_options, output), .required = true, .capacity = LS_PATH_MAX,
     .help = ".h5, .npy (names and labels in NAME.rows.csv beside it) or .csv; .png: a grid", .letter = 'o'},
    {"data", LS_OPTION_STRING, offsetof(decode_options, data), .capacity = LS_PATH_MAX,
     .help = "codes: .h5 or .npy as encode writes them, or .csv, a code a line"},
    {"layer", LS_OPTION_STRING, offsetof(decode_options, layer), .capacity = LS_NAME_MAX,
     .help = "the layer whose output a code stands for (default: the config's)"},
    {"count", LS_OPTION_INT, offsetof(decode_options, count), .preset = "0", .min = 0, .max = 1e12,
     .help = "of a file only so many codes; 0: all, or of a picture 100", .letter = 'n'},
    {"overwrite", LS_OPTION_BOOL, offsetof(decode_options, overwrite), .preset = "false",
     .help = "write in place of an imported data set of this name, too"},
    LS_OPTIONS_END};

static const ls_repeated code = {"code", "a code, in place of a file: 0,0,5"};

static ls_status run(const ls_comm *comm, const ls_call *call) {
    enum { PICTURES = 100 };
    const decode_options *given = call->options[0];
    if ((given->data[0] != '\0') == (call->repeats > 0))
        return LS_RAISE(LS_INVALID, "decode takes codes from a file (--data) or from the command line (--code 0,0,5)");
    if (call->repeats > 0) LS_TRY(ls_call_refuse(call, "count", "beside --code"));
    bool cut = given->count == 0 && ls_path_ends(given->output, ".png");
    ls_code_source codes = {.file = given->data[0] != '\0' ? given->data : NULL,
                            .texts = call->repeats,
                            .text = call->repeated,
                            .count = cut ? PICTURES : given->count};
    return ls_decode_run(comm, call->word[0], given->layer[0] != '\0' ? given->layer : NULL, &codes,
                         &(ls_output){given->output, given->overwrite});
}

const ls_command ls_command_decode = {
    .name = "decode",
    .usage = "RUN --data CODES|--code 0,0,5 -o OUT.h5|OUT.npy|OUT.csv|OUT.png [options]",
    .help = "writes what a trained model makes of codes",
    .table = {{options, sizeof(decode_options)}},
    .repeated = &code,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
