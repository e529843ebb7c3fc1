/* command_train.c - lockstep train: begins or resumes a run. */
#include "cli/command.h"
#include "config/config.h"
#include "report/event_file.h"
#include "run/train.h"

typedef struct train_options {
    char run[LS_PATH_MAX];
    bool resume, overwrite, debug;
} train_options;

static const ls_option options[] = {
    {"run", LS_OPTION_STRING, offsetof(train_options, run), .capacity = LS_PATH_MAX,
     .help = "the run's directory (default: runs/ and the config's name)"},
    {"resume", LS_OPTION_BOOL, offsetof(train_options, resume), .preset = "false",
     .help = "continue from the newest whole checkpoint, or begin where there is none; a run's "
             "directory in place of a config continues it with its own config"},
    {"overwrite", LS_OPTION_BOOL, offsetof(train_options, overwrite), .preset = "false",
     .help = "delete the run that the directory holds"},
    {"debug", LS_OPTION_BOOL, offsetof(train_options, debug), .preset = "false",
     .help = "check every call of a layer for numbers that are not finite or were not written (slow)"},
    LS_OPTIONS_END};

static ls_status run(const ls_comm *comm, const ls_call *call) {
    const train_options *given = call->options[0];
    ls_train_paths paths;
    ls_config *config;
    if (given->resume && given->overwrite)
        return LS_RAISE(LS_INVALID, "--resume keeps the run and --overwrite throws it away: give one of them");
    LS_TRY(ls_train_paths_find(comm, call->word[0], given->run, given->resume, &paths));
    LS_TRY(ls_config_load_resumed(comm, paths.config, paths.earlier_config, call->repeated, call->repeats, &config));
    ls_train_options how = {
        .run = paths.run, .resume = given->resume, .overwrite = given->overwrite, .debug = given->debug};
    ls_status status = config->training.tensorboard.enabled ? ls_event_file_supported() : LS_OK;
    if (status == LS_OK) status = ls_train_run(comm, config, &how);
    ls_config_destroy(config);
    return status;
}

const ls_command ls_command_train = {
    .name = "train",
    .usage = "CONFIG.yaml [options], or RUN --resume",
    .help = "trains the model of a config, and keeps a run directory",
    .table = {{options, sizeof(train_options)}},
    .repeated = &ls_set_option,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
