#include "run/run_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ls_status ls_run_directory_path(const char *run, const char *name, char path[LS_PATH_MAX]) {
    int length = snprintf(path, LS_PATH_MAX, "%s/%s", run, name);
    if (length < 0 || length >= LS_PATH_MAX) return LS_RAISE(LS_INVALID, "the path %s/%s is too long", run, name);
    return LS_OK;
}

/* mkdir -p */
static ls_status make_folder(const char *path) {
    char part[LS_PATH_MAX];
    if (snprintf(part, sizeof part, "%s/", path) >= (int)sizeof part)
        return LS_RAISE(LS_INVALID, "the path %s is too long", path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return LS_RAISE(LS_ERROR, "cannot make the run directory %s: %s", path, strerror(errno));
        *slash = '/';
    }
    return LS_OK;
}

/* Removes the entries of run/folder that match pattern. */
static ls_status remove_matching(const char *run, const char *folder, const char *pattern) {
    char path[LS_PATH_MAX], entry_path[LS_PATH_MAX];
    LS_TRY(ls_run_directory_path(run, folder, path));
    DIR *directory = opendir(path);
    if (!directory) return errno == ENOENT ? LS_OK : LS_RAISE(LS_ERROR, "cannot read %s: %s", path, strerror(errno));
    ls_status status = LS_OK;
    for (struct dirent *entry; status == LS_OK && (entry = readdir(directory));) {
        if (fnmatch(pattern, entry->d_name, FNM_PERIOD) != 0) continue;
        status = ls_run_directory_path(path, entry->d_name, entry_path);
        if (status == LS_OK && unlink(entry_path) != 0)
            status = LS_RAISE(LS_ERROR, "cannot remove %s: %s", entry_path, strerror(errno));
    }
    closedir(directory);
    return status;
}

static const struct {
    const char *folder, *pattern;
} run_files[] = {{".", "config.yaml*"},
                 {".", "metrics.jsonl*"},
                 {".", "log.txt"},
                 {"checkpoints", "*.h5*"},
                 {"images", "epoch-*.png*"}};
enum { RUN_FILES = sizeof run_files / sizeof run_files[0] };

static ls_status remove_run(const char *run) {
    for (int i = 0; i < RUN_FILES; i++) LS_TRY(remove_matching(run, run_files[i].folder, run_files[i].pattern));
    return LS_OK;
}

/* By making a file: permission bits say little for root and on network file systems. */
static ls_status check_writable(const char *run) {
    char path[LS_PATH_MAX];
    ls_file probe;
    LS_TRY(ls_run_directory_path(run, "write-probe", path));
    if (ls_file_create(path, &probe) != LS_OK) return ls_failure_prefix("the run directory cannot be used: ");
    ls_file_discard(&probe);
    return LS_OK;
}

ls_status ls_run_directory_prepare(const char *run, bool resume, bool overwrite) {
    char path[LS_PATH_MAX];
    LS_TRY(ls_run_directory_path(run, "config.yaml", path));
    bool there = access(path, F_OK) == 0;
    if (there && !resume && !overwrite)
        return LS_RAISE(LS_INVALID,
                        "%s already holds a run; go on with it with --resume, replace it with --overwrite, or name "
                        "another directory with --run",
                        run);
    LS_TRY(make_folder(run));
    LS_TRY(check_writable(run));
    if (overwrite && !resume) LS_TRY(remove_run(run));
    LS_TRY(ls_run_directory_path(run, "checkpoints", path));
    LS_TRY(make_folder(path));
    LS_TRY(ls_run_directory_path(run, "images", path));
    return make_folder(path);
}

ls_status ls_run_directory_write(const char *run, const char *name, const char *text) {
    char path[LS_PATH_MAX];
    LS_TRY(ls_run_directory_path(run, name, path));
    return ls_file_write_text(path, text);
}
