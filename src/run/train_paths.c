/* train_paths.c - which run, and which config, a command line of `train` means. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "run/run_directory.h"
#include "run/train.h"

static const char config_name[] = "config.yaml";

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* "runs/mnist-dense" for "configs/mnist-dense.yaml". */
static void name_new_run(const char *config, char run[LS_PATH_MAX]) {
    const char *name = base_name(config), *dot = strrchr(name, '.');
    int length = dot != NULL && dot != name ? (int)(dot - name) : (int)strlen(name);
    snprintf(run, LS_PATH_MAX, "runs/%.*s", length, name);
}

/* The directory of a run's own config.yaml. */
static bool find_run_of(const char *config, char run[LS_PATH_MAX]) {
    const char *name = base_name(config);
    if (strcmp(name, config_name) != 0) return false;
    if (name == config)
        snprintf(run, LS_PATH_MAX, ".");
    else
        snprintf(run, LS_PATH_MAX, "%.*s", (int)(name - config) - 1, config);
    return run[0] != '\0' && ls_run_directory_is_run(run);
}

/* `train RUN --resume`. */
static ls_status name_run(const char *directory, const char *run, bool resume, ls_train_paths *out) {
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/') length--;
    snprintf(out->run, sizeof out->run, "%.*s", (int)length, directory);
    if (access(out->run, R_OK | X_OK) != 0)
        return LS_RAISE(LS_INVALID, "%s: cannot be looked at: %s", out->run, strerror(errno));
    if (!ls_run_directory_is_run(out->run))
        return LS_RAISE(LS_INVALID,
                        "%s is a directory, and no run's; train takes a config, or a run with --resume (pictures: see "
                        "'lockstep import images' and 'lockstep init')",
                        directory);
    if (!resume)
        return LS_RAISE(LS_INVALID, "%s is a run; continue it with --resume, or name a config to begin another",
                        directory);
    if (run[0] != '\0') return LS_RAISE(LS_INVALID, "%s is a run that goes on where it is: leave --run out", directory);
    return ls_path_join(out->run, config_name, out->config);
}

static ls_status find(const char *word, const char *run, bool resume, ls_train_paths *out) {
    if (ls_file_is_directory(word)) return name_run(word, run, resume, out);
    if (strlen(word) >= sizeof out->config) return LS_RAISE(LS_INVALID, "the name of the config is too long");
    snprintf(out->config, sizeof out->config, "%s", word);
    snprintf(out->run, sizeof out->run, "%s", run);
    if (run[0] == '\0' && !(resume && find_run_of(word, out->run))) name_new_run(word, out->run);
    return LS_OK;
}

static ls_status find_all(const char *word, const char *run, bool resume, ls_train_paths *out) {
    LS_TRY(find(word, run, resume, out));
    return resume && ls_run_directory_is_run(out->run) ? ls_path_join(out->run, config_name, out->earlier_config)
                                                       : LS_OK;
}

ls_status ls_train_paths_find(const ls_comm *comm, const char *word, const char *run, bool resume,
                              ls_train_paths *out) {
    *out = (ls_train_paths){0};
    LS_TRY(ls_agree(comm, comm->rank == 0 ? find_all(word, run, resume, out) : LS_OK));
    ls_comm_broadcast(comm, out, sizeof *out, 0);
    return LS_OK;
}
