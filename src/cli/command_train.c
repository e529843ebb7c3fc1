/* lockstep train - see trainer.h. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "lockstep/config.h"
#include "lockstep/trainer.h"

typedef struct train_options {
    char run[LS_PATH_MAX];
    bool resume, overwrite, debug;
} train_options;

static const ls_option options[] = {{"run", LS_OPTION_STRING, offsetof(train_options, run), .capacity = LS_PATH_MAX,
                                     .help = "the run's directory (default: runs/ and the config's name)"},
                                    {"resume", LS_OPTION_BOOL, offsetof(train_options, resume), .preset = "false",
                                     .help = "go on where the newest whole checkpoint is; start where there is none"},
                                    {"overwrite", LS_OPTION_BOOL, offsetof(train_options, overwrite), .preset = "false",
                                     .help = "throw away the run that the directory holds"},
                                    {"debug", LS_OPTION_BOOL, offsetof(train_options, debug), .preset = "false",
                                     .help = "check every call of a layer: finite numbers, nothing left out (slow)"},
                                    LS_OPTIONS_END};

/* "runs/mnist-dense" for "configs/mnist-dense.yaml". */
static void default_run(const char *config, char run[LS_PATH_MAX]) {
    const char *slash = strrchr(config, '/');
    const char *name = slash != NULL ? slash + 1 : config;
    const char *dot = strrchr(name, '.');
    int length = dot != NULL && dot != name ? (int)(dot - name) : (int)strlen(name);
    snprintf(run, LS_PATH_MAX, "runs/%.*s", length, name);
}

static ls_status run(const ls_comm *comm, const ls_call *call) {
    train_options *given = call->options[0];
    if (given->resume && given->overwrite)
        return LS_RAISE(LS_INVALID, "--resume keeps the run and --overwrite throws it away: give one of them");
    if (given->run[0] == '\0') default_run(call->word[0], given->run);
    ls_config *config;
    LS_TRY(ls_config_load(comm, call->word[0], call->repeated, call->repeats, &config));
    ls_status status = ls_trainer_run(
        comm, config,
        &(ls_train_options){
            .run = given->run, .resume = given->resume, .overwrite = given->overwrite, .debug = given->debug});
    ls_config_destroy(config);
    return status;
}

const ls_command ls_command_train = {
    .name = "train",
    .usage = "CONFIG.yaml [options]",
    .help = "trains what a config describes, and keeps its run directory",
    .table = {{options, sizeof(train_options)}},
    .repeated = &ls_repeated_set,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
