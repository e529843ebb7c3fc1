/* command_sample.c - lockstep sample: the decoder's output for random codes, or for a grid of codes. */
#include "base/shape.h"
#include "cli/shared_options.h"

typedef struct sample_options {
    char data[LS_PATH_MAX], grid[LS_NAME_MAX];
    int64_t count, seed;
    double range;
} sample_options;

static const ls_option options[] = {
    {"data", LS_OPTION_STRING, offsetof(sample_options, data), .capacity = LS_PATH_MAX,
     .help = "a data set; codes are drawn with the mean and deviation of its codes, not from N(0, 1): for a model "
             "without gaussian_sampling"},
    {"count", LS_OPTION_INT, offsetof(sample_options, count), .preset = "100", .min = 1, .max = 1e9,
     .help = "how many codes to draw", .letter = 'n'},
    {"seed", LS_OPTION_INT, offsetof(sample_options, seed), .preset = "0", .min = 0, .max = 1e15,
     .help = "the seed of the random codes"},
    {"grid", LS_OPTION_STRING, offsetof(sample_options, grid), .capacity = LS_NAME_MAX,
     .help = "15x20: rows and columns of a map over codes of two numbers, in place of random codes"},
    {"range", LS_OPTION_DOUBLE, offsetof(sample_options, range), .preset = "0", .min = 0, .max = 1e6,
     .help = "3: a map from -3 to 3 in even steps; 0: over the quantiles 0.05 to 0.95 of N(0, 1)"},
    LS_OPTIONS_END};

static ls_status read_grid(const sample_options *given, ls_code_source *codes) {
    enum { SIDE_MAX = 1000 };
    ls_shape grid;
    if (given->grid[0] == '\0') return LS_OK;
    if (ls_shape_parse(given->grid, &grid) != LS_OK || grid.dims != 2 || grid.dim[0] > SIDE_MAX ||
        grid.dim[1] > SIDE_MAX)
        return LS_RAISE(LS_INVALID, "--grid must be rows and columns, 1 to %d each, like 15x15, not '%s'", SIDE_MAX,
                        given->grid);
    codes->rows = grid.dim[0];
    codes->columns = grid.dim[1];
    return LS_OK;
}

static ls_status run(const ls_comm *comm, const ls_call *call) {
    const ls_layer_options *layer = call->options[1];
    const sample_options *given = call->options[2];
    ls_output output = ls_output_given(call->options[0]);
    if (given->grid[0] == '\0') LS_TRY(ls_call_refuse(call, "range", "without --grid"));
    if (given->grid[0] != '\0') LS_TRY(ls_call_refuse(call, "count", "beside --grid"));
    if (given->grid[0] != '\0') LS_TRY(ls_call_refuse(call, "seed", "beside --grid"));
    if (given->range != 0) LS_TRY(ls_call_refuse(call, "data", "beside --range"));
    ls_code_source codes = {.range = given->range,
                            .like = ls_text_given(given->data),
                            .count = given->count,
                            .seed = (uint64_t)given->seed};
    LS_TRY(read_grid(given, &codes));
    return ls_decode_run(comm, call->word[0], ls_text_given(layer->layer), &codes, &output);
}

const ls_command ls_command_sample = {
    .name = "sample",
    .usage = "RUN -o OUT.png|OUT.h5|OUT.npy|OUT.csv [options]",
    .help = "writes the decoder's output for random codes, or for a map of codes",
    .table = {{ls_output_table, sizeof(ls_output_options)},
              {ls_layer_option_table, sizeof(ls_layer_options)},
              {options, sizeof(sample_options)}},
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
