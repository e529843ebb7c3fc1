/* lockstep sample - see apply.h. */
#include "base/file.h"
#include "base/shape.h"
#include "cli/command.h"
#include "run/apply.h"

typedef struct sample_options {
    char output[LS_PATH_MAX], data[LS_PATH_MAX], layer[LS_NAME_MAX], grid[LS_NAME_MAX];
    int64_t count, seed;
    double range;
    bool overwrite;
} sample_options;

static const ls_option options[] = {
    {"output", LS_OPTION_STRING, offsetof(sample_options, output), .required = true, .capacity = LS_PATH_MAX,
     .help = ".png: a grid; .h5, .npy or .csv", .letter = 'o'},
    {"data", LS_OPTION_STRING, offsetof(sample_options, data), .capacity = LS_PATH_MAX,
     .help = "a data set: codes with the mean and deviation of its samples' codes, in place of N(0, 1); for a model "
             "whose code is no gaussian_sampling"},
    {"count", LS_OPTION_INT, offsetof(sample_options, count), .preset = "100", .min = 1, .max = 1e9,
     .help = "codes to draw from N(0, 1)", .letter = 'n'},
    {"seed", LS_OPTION_INT, offsetof(sample_options, seed), .preset = "0", .min = 0, .max = 1e15,
     .help = "of what is drawn"},
    {"grid", LS_OPTION_STRING, offsetof(sample_options, grid), .capacity = LS_NAME_MAX,
     .help = "15x20: rows and columns of a map over codes of two numbers, in place of drawing"},
    {"range", LS_OPTION_DOUBLE, offsetof(sample_options, range), .preset = "0", .min = 0, .max = 1e6,
     .help = "3: a map from -3 to 3 in even steps; 0: over the quantiles 0.05 to 0.95 of N(0, 1)"},
    {"layer", LS_OPTION_STRING, offsetof(sample_options, layer), .capacity = LS_NAME_MAX,
     .help = "the layer whose output a code stands for (default: the config's)"},
    {"overwrite", LS_OPTION_BOOL, offsetof(sample_options, overwrite), .preset = "false",
     .help = "write in place of an imported data set of this name, too"},
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
    const sample_options *given = call->options[0];
    if (given->grid[0] == '\0') LS_TRY(ls_call_refuse(call, "range", "without --grid"));
    if (given->grid[0] != '\0') LS_TRY(ls_call_refuse(call, "count", "beside --grid"));
    if (given->grid[0] != '\0') LS_TRY(ls_call_refuse(call, "seed", "beside --grid"));
    if (given->range != 0) LS_TRY(ls_call_refuse(call, "data", "beside --range"));
    ls_code_source codes = {.range = given->range,
                            .like = given->data[0] != '\0' ? given->data : NULL,
                            .count = given->count,
                            .seed = (uint64_t)given->seed};
    LS_TRY(read_grid(given, &codes));
    return ls_decode_run(comm, call->word[0], given->layer[0] != '\0' ? given->layer : NULL, &codes,
                         &(ls_output){given->output, given->overwrite});
}

const ls_command ls_command_sample = {
    .name = "sample",
    .usage = "RUN -o OUT.png|OUT.h5|OUT.npy|OUT.csv [options]",
    .help = "writes what a trained model makes of random codes, or of a map of codes",
    .table = {{options, sizeof(sample_options)}},
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
