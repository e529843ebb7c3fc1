/* command_decode.c - lockstep decode: the decoder's output for codes from a file or from the command line. */
#include "cli/shared_options.h"

typedef struct decode_options {
    char data[LS_PATH_MAX];
    int64_t count;
} decode_options;

static const ls_option options[] = {{"data", LS_OPTION_STRING, offsetof(decode_options, data), .capacity = LS_PATH_MAX,
                                     .help = "codes: .h5 or .npy as encode writes them, or .csv with a code a line"},
                                    {"count", LS_OPTION_INT, offsetof(decode_options, count), .preset = "0", .min = 0,
                                     .max = 1e12, .help = "how many codes of the file; 0: all, but 100 in a picture",
                                     .letter = 'n'},
                                    LS_OPTIONS_END};

static const ls_option code = {"code", LS_OPTION_STRING,
                               .help = "a code, in place of a file: 0,0,5; as often as wanted"};

static ls_status run(const ls_comm *comm, const ls_call *call) {
    enum { PICTURES = 100 };
    const ls_layer_options *layer = call->options[1];
    const decode_options *given = call->options[2];
    ls_output output = ls_output_given(call->options[0]);
    if ((given->data[0] != '\0') == (call->repeats > 0))
        return LS_RAISE(LS_INVALID, "decode takes codes from a file (--data) or from the command line (--code 0,0,5)");
    if (call->repeats > 0) LS_TRY(ls_call_refuse(call, "count", "beside --code"));
    bool cut = given->count == 0 && ls_path_ends(output.path, ".png");
    ls_code_source codes = {.file = ls_text_given(given->data),
                            .texts = call->repeats,
                            .text = call->repeated,
                            .count = cut ? PICTURES : given->count};
    return ls_decode_run(comm, call->word[0], ls_text_given(layer->layer), &codes, &output);
}

const ls_command ls_command_decode = {
    .name = "decode",
    .usage = "RUN --data CODES|--code 0,0,5 -o OUT.h5|OUT.npy|OUT.csv|OUT.png [options]",
    .help = "writes the decoder's output for codes",
    .table = {{ls_output_table, sizeof(ls_output_options)},
              {ls_layer_option_table, sizeof(ls_layer_options)},
              {options, sizeof(decode_options)}},
    .repeated = &code,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
