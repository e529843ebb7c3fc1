/* run_directory.c - what is a run, and what is somebody else's: nothing that Lockstep has not written is removed. */
#include "run/run_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/path.h"
#include "config/config.h"

/* Removes the entries of run/folder that match pattern. */
static ls_status remove_matching(const char *run, const char *folder, const char *pattern) {
    char path[LS_PATH_MAX], entry_path[LS_PATH_MAX];
    LS_TRY(ls_path_join(run, folder, path));
    DIR *directory = opendir(path);
    if (directory == NULL)
        return errno == ENOENT ? LS_OK : LS_RAISE(LS_ERROR, "cannot read %s: %s", path, strerror(errno));
    ls_status status = LS_OK;
    errno = 0;
    for (struct dirent *entry; status == LS_OK && (entry = readdir(directory)); errno = 0) {
        if (fnmatch(pattern, entry->d_name, FNM_PERIOD) != 0) continue;
        status = ls_path_join(path, entry->d_name, entry_path);
        if (status == LS_OK && unlink(entry_path) != 0)
            status = LS_RAISE(LS_ERROR, "cannot remove %s: %s", entry_path, strerror(errno));
    }
    if (status == LS_OK && errno != 0) status = LS_RAISE(LS_ERROR, "cannot read %s: %s", path, strerror(errno));
    closedir(directory);
    return status;
}

static const struct {
    const char *folder, *pattern;
} run_files[] = {{"images", "epoch-*.png*"},     {"tensorboard", "events.out.tfevents.*.lockstep"},
                 {"tensorboard", "projector?*"}, {"checkpoints", "step-*.h5*"},
                 {"checkpoints", "best.h5*"},    {"checkpoints", "last.h5*"},
                 {".", "metrics.jsonl*"},        {".", "config.yaml*"}};
enum { RUN_FILES = sizeof run_files / sizeof run_files[0] };

/* Of a folder of a run, "." for its own. Hidden files are the system's (.nfs...). */
static bool is_run_file(const char *folder, const char *name) {
    static const char *const others[] = {"log.txt",     "images",       "checkpoints",
                                         "tensorboard", "write-probe*", "job-*.attempts"};
    if (name[0] == '.') return true;
    for (int i = 0; i < RUN_FILES; i++)
        if (strcmp(folder, run_files[i].folder) == 0 && fnmatch(run_files[i].pattern, name, 0) == 0) return true;
    for (size_t i = 0; strcmp(folder, ".") == 0 && i < sizeof others / sizeof *others; i++)
        if (fnmatch(others[i], name, 0) == 0) return true;
    return false;
}

/* Whether all that a folder holds is what a run writes there. */
static ls_status check_folder(const char *run, const char *folder) {
    char path[LS_PATH_MAX];
    LS_TRY(ls_path_join(run, folder, path));
    DIR *directory = opendir(path);
    if (directory == NULL && errno == ENOENT) return LS_OK;
    if (directory == NULL) return LS_RAISE(LS_ERROR, "%s: cannot be read: %s", path, strerror(errno));
    bool own = true;
    errno = 0;
    for (struct dirent *entry; own && (entry = readdir(directory));) own = is_run_file(folder, entry->d_name);
    int error = own ? errno : 0;
    closedir(directory);
    if (error != 0) return LS_RAISE(LS_ERROR, "%s: cannot be read: %s", path, strerror(error));
    if (own) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s is not empty and holds no run; name a new directory with --run", run);
}

/* Where there is no run, the folder must be new, or that of a run that failed early. */
static ls_status check_own(const char *run) {
    static const char *const folders[] = {".", "images", "checkpoints", "tensorboard"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) LS_TRY(check_folder(run, folders[i]));
    return LS_OK;
}

ls_status ls_run_directory_clear(const char *run, bool with_log) {
    if (with_log) LS_TRY(remove_matching(run, ".", "log.txt"));
    for (int i = 0; i < RUN_FILES; i++) LS_TRY(remove_matching(run, run_files[i].folder, run_files[i].pattern));
    return LS_OK;
}

/* By making a file: permission bits say little for root and on network file systems. */
static ls_status check_writable(const char *run) {
    char path[LS_PATH_MAX];
    ls_file probe;
    LS_TRY(ls_path_join(run, "write-probe", path));
    if (ls_file_create(path, &probe) != LS_OK) return ls_failure_prefix("the run directory cannot be used: ");
    ls_file_discard(&probe);
    return LS_OK;
}

/* The lock goes with the process, however that ends. A file system without locks is no reason not to train. */
static ls_status lock_directory(const char *run, int *lock) {
    *lock = ls_fd_open(run, O_RDONLY | O_DIRECTORY);
    if (*lock < 0) return LS_RAISE(LS_ERROR, "cannot open the run directory %s: %s", run, strerror(errno));
    if (ls_fd_lock(*lock) || errno != EWOULDBLOCK) return LS_OK;
    return LS_RAISE(LS_ERROR, "another process is training in %s; wait for it, or name another directory with --run",
                    run);
}

static ls_status fail_read(const char *path) {
    return LS_RAISE(LS_ERROR, "%s: cannot be read: %s", path, strerror(errno));
}

/* What cannot be looked at may hold a run, and is not taken for empty. */
static ls_status find_checkpoint(const char *run, bool *found) {
    char path[LS_PATH_MAX];
    *found = false;
    LS_TRY(ls_path_join(run, "checkpoints", path));
    DIR *directory = opendir(path);
    if (directory == NULL) return errno == ENOENT ? LS_OK : fail_read(path);
    errno = 0;
    for (struct dirent *entry; !*found && (entry = readdir(directory));)
        *found = fnmatch("*.h5", entry->d_name, FNM_PERIOD) == 0;
    ls_status status = *found || errno == 0 ? LS_OK : fail_read(path);
    closedir(directory);
    return status;
}

static ls_status find_run(const char *run, bool *found) {
    char path[LS_PATH_MAX];
    struct stat info;
    bool saved;
    LS_TRY(ls_path_join(run, "metrics.jsonl", path));
    LS_TRY(find_checkpoint(run, &saved));
    bool there = stat(path, &info) == 0;
    if (!there && errno != ENOENT) return fail_read(path);
    *found = saved || (there && info.st_size > 0);
    return LS_OK;
}

/* Passes over the comments that a resolved config begins with where --set has given keys. Returns the next letter. */
static int skip_comments(FILE *file) {
    int c = getc(file);
    while (c == '#') {
        while (c != '\n' && c != EOF) c = getc(file);
        c = getc(file);
    }
    return c;
}

static ls_status compare_file(const char *path, const char *text, bool *same) {
    *same = false;
    FILE *file = fopen(path, "rb");
    if (file == NULL) return fail_read(path);
    int c = skip_comments(file);
    for (; *text && c == (unsigned char)*text; text++) c = getc(file);
    *same = *text == '\0' && c == EOF;
    ls_status status = ferror(file) ? fail_read(path) : LS_OK;
    (void)fclose(file);
    return status;
}

/* Whether a run of any version logged there: its version is the log's first line, and its failures have the name. */
static ls_status find_log(const char *run, bool *found) {
    char path[LS_PATH_MAX], line[LS_MESSAGE_MAX];
    *found = false;
    LS_TRY(ls_path_join(run, "log.txt", path));
    ls_status status = ls_file_check_regular(path);
    if (status != LS_OK) return status == LS_INVALID ? LS_OK : status;
    FILE *file = fopen(path, "r");
    if (file == NULL) return fail_read(path);
    while (!*found && fgets(line, sizeof line, file)) *found = fnmatch("20*:[0-9][0-9] lockstep*", line, 0) == 0;
    if (ferror(file)) status = fail_read(path);
    (void)fclose(file);
    return status;
}

/* Whether it is a config as this version resolves it. */
static ls_status is_resolved(const char *path, bool *is) {
    const ls_comm alone = {.size = 1, .host_size = 1};
    ls_config *config;
    ls_status status = ls_config_load(&alone, path, NULL, 0, &config);
    *is = status == LS_OK;
    if (*is) status = compare_file(path, config->text, is);
    ls_config_destroy(config);
    return status == LS_INVALID ? LS_OK : status;
}

/* A run's config.yaml lies beside the run's log, or, should that have been lost with its host, it is resolved as this
 * version does it. Any other one is somebody's work; so are metrics and checkpoints without any of that. */
static ls_status check_config(const char *run, bool replace) {
    char path[LS_PATH_MAX];
    bool logged, own;
    LS_TRY(ls_path_join(run, "config.yaml", path));
    bool there = access(path, F_OK) == 0;
    if (!there && (errno != ENOENT || !replace)) return errno == ENOENT ? LS_OK : fail_read(path);
    LS_TRY(find_log(run, &logged));
    if (logged) return LS_OK;
    if (!there)
        return LS_RAISE(LS_INVALID,
                        "%s has neither the config.yaml nor the log.txt of a run, and its files would be replaced; "
                        "name another directory with --run",
                        run);
    LS_TRY(is_resolved(path, &own));
    if (own) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s is not a run's, and would be replaced; name another directory with --run", path);
}

bool ls_run_directory_is_run(const char *run) {
    char path[LS_PATH_MAX];
    bool logged, found;
    if (LS_FAILED(ls_path_join(run, "config.yaml", path))) return false;
    if (access(path, F_OK) != 0) return ls_fault_of(errno) == LS_ERROR; /* who reads it hears why */
    if (find_log(run, &logged) != LS_OK || logged) return true;
    return find_run(run, &found) != LS_OK || found;
}

ls_status ls_run_directory_count_epochs(const char *run, int64_t *epochs) {
    char path[LS_PATH_MAX];
    *epochs = 0;
    LS_TRY(ls_path_join(run, "metrics.jsonl", path));
    if (access(path, F_OK) != 0 && errno == ENOENT) return LS_OK;
    LS_TRY(ls_file_check_regular(path));
    FILE *file = fopen(path, "rb");
    if (file == NULL) return fail_read(path);
    for (int c; (c = getc(file)) != EOF;) *epochs += c == '\n';
    ls_status status = ferror(file) ? fail_read(path) : LS_OK;
    (void)fclose(file);
    return status;
}

ls_status ls_run_directory_open(const char *run, ls_run_use use, int *lock) {
    if (access(run, F_OK) == 0 && !ls_file_is_directory(run))
        return LS_RAISE(LS_INVALID, "%s is not a directory; name another run directory with --run", run);
    LS_TRY(ls_file_make_directory(run));
    LS_TRY(lock_directory(run, lock));
    bool found;
    LS_TRY(find_run(run, &found));
    if (!found) LS_TRY(check_own(run));
    if (!found || use == LS_RUN_REPLACE) return check_config(run, found);
    if (use == LS_RUN_RESUME) return LS_OK;
    return LS_RAISE(LS_INVALID,
                    "%s already holds a run; continue it with --resume, replace it with --overwrite, or name "
                    "another directory with --run",
                    run);
}

ls_status ls_run_directory_prepare(const char *run) {
    char path[LS_PATH_MAX];
    LS_TRY(check_writable(run));
    LS_TRY(ls_path_join(run, "checkpoints", path));
    LS_TRY(ls_file_make_directory(path));
    LS_TRY(ls_path_join(run, "images", path));
    return ls_file_make_directory(path);
}

void ls_run_directory_unlock(int lock) {
    if (lock >= 0) (void)close(lock);
}

ls_status ls_run_directory_write(const char *run, const char *name, const char *text) {
    char path[LS_PATH_MAX];
    LS_TRY(ls_path_join(run, name, path));
    return ls_file_write_text(path, text);
}
