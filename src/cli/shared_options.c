/* shared_options.c - the tables of shared_options.h. */
#include "cli/shared_options.h"

const ls_option ls_output_table[] = {
    {"output", LS_OPTION_STRING, offsetof(ls_output_options, output), .required = true, .capacity = LS_PATH_MAX,
     .help = "the file to write, by its ending: .h5 (a data set), .npy, .csv, or .png (a picture)", .letter = 'o'},
    {"overwrite", LS_OPTION_BOOL, offsetof(ls_output_options, overwrite), .preset = "false",
     .help = "replace even an imported data set of this name"},
    LS_OPTIONS_END};

const ls_option ls_application_table[] = {
    {"data", LS_OPTION_STRING, offsetof(ls_application_options, data), .capacity = LS_PATH_MAX,
     .help = "a data set (default: the run's validation data)"},
    {"count", LS_OPTION_INT, offsetof(ls_application_options, count), .preset = "0", .min = 0, .max = 1e12,
     .help = "how many samples, from the first on; 0: all, but 10 in a picture", .letter = 'n'},
    {"noise", LS_OPTION_BOOL, offsetof(ls_application_options, noise), .preset = "false",
     .help = "add the noise of the config's transforms to the samples (default: samples as they are)"},
    LS_OPTIONS_END};

const ls_option ls_layer_option_table[] = {{"layer", LS_OPTION_STRING, offsetof(ls_layer_options, layer),
                                            .capacity = LS_NAME_MAX,
                                            .help = "the layer whose output is the code (default: the config's code)"},
                                           LS_OPTIONS_END};
