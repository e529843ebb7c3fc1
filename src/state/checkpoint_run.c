/* checkpoint_run.c - the checkpoints of a run directory: which there are, which is the newest whole one, which go. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "state/checkpoint.h"

enum { STEP_NAME_MAX = 40 };
#define FOLDER "checkpoints"
#define BEST   FOLDER "/best.h5"

static const char *step_name(int64_t step, char name[STEP_NAME_MAX]) {
    (void)snprintf(name, STEP_NAME_MAX, "step-%010" PRId64 ".h5", step);
    return name;
}

static ls_status step_path(const char *run, int64_t step, char path[LS_PATH_MAX]) {
    char name[STEP_NAME_MAX], folder[LS_PATH_MAX];
    LS_TRY(ls_path_join(run, FOLDER, folder));
    return ls_path_join(folder, step_name(step, name), path);
}

/* --- which there are --- */

typedef struct steps {
    int64_t *step; /* newest first */
    int64_t count, room;
} steps;

static ls_status add_step(steps *s, int64_t step) {
    LS_TRY(ls_grow(&s->step, &s->room, s->count + 1, sizeof *s->step, "a list of checkpoints"));
    s->step[s->count++] = step;
    return LS_OK;
}

static int newest_first(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

/* Whatever has the name of a numbered checkpoint. A directory that is not there holds none. */
static ls_status list_steps(const char *run, steps *s) {
    char folder[LS_PATH_MAX], name[STEP_NAME_MAX];
    LS_TRY(ls_path_join(run, FOLDER, folder));
    DIR *entries = opendir(folder);
    if (entries == NULL && errno == ENOENT) return LS_OK;
    if (entries == NULL) return LS_RAISE(LS_ERROR, "%s: cannot be read: %s", folder, strerror(errno));
    ls_status status = LS_OK;
    errno = 0;
    for (struct dirent *entry; status == LS_OK && (entry = readdir(entries)); errno = 0) {
        int64_t step;
        if (sscanf(entry->d_name, "step-%" SCNd64, &step) != 1) continue;
        if (strcmp(entry->d_name, step_name(step, name)) == 0) status = add_step(s, step);
    }
    if (status == LS_OK && errno != 0) status = LS_RAISE(LS_ERROR, "%s: cannot be read: %s", folder, strerror(errno));
    (void)closedir(entries);
    if (s->count > 0) qsort(s->step, (size_t)s->count, sizeof *s->step, newest_first);
    return status;
}

/* --- saving --- */

/* Only files of steps before this one are counted and removed: later ones, which a run that resumed before them has
 * passed over, are written again when it comes to them. */
static ls_status prune(const char *run, int64_t current, int64_t keep) {
    char path[LS_PATH_MAX];
    steps s = {0};
    ls_status status = list_steps(run, &s);
    for (int64_t i = 0, kept = 1; status == LS_OK && i < s.count; i++) {
        if (s.step[i] >= current || kept++ < keep) continue;
        status = step_path(run, s.step[i], path);
        if (status == LS_OK && unlink(path) != 0)
            status = LS_RAISE(LS_ERROR, "%s: cannot be removed: %s", path, strerror(errno));
    }
    ls_free(s.step);
    return status;
}

/* What killed runs left behind goes first: a full disk may need its room. */
static ls_status prepare(const char *run, int64_t step, char path[LS_PATH_MAX]) {
    char folder[LS_PATH_MAX];
    LS_TRY(ls_path_join(run, FOLDER, folder));
    ls_file_sweep(folder);
    return step_path(run, step, path);
}

/* Left alone where it is right: a finished run may lie on a disk that cannot be written. */
static ls_status link_last(const char *run, int64_t step) {
    char name[STEP_NAME_MAX], last[LS_PATH_MAX], now[STEP_NAME_MAX] = "";
    LS_TRY(ls_path_join(run, FOLDER "/last.h5", last));
    if (readlink(last, now, sizeof now - 1) > 0 && strcmp(now, step_name(step, name)) == 0) return LS_OK;
    return ls_file_link(step_name(step, name), last);
}

static ls_status register_step(const char *run, int64_t step, int64_t keep) {
    LS_TRY(link_last(run, step));
    return prune(run, step, keep);
}

ls_status ls_checkpoint_save(const ls_comm *comm, const char *run, const ls_snapshot *snapshot, int64_t keep) {
    char path[LS_PATH_MAX] = "";
    int64_t step = snapshot->position.step;
    LS_TRY(ls_agree(comm, comm->rank == 0 ? prepare(run, step, path) : LS_OK));
    LS_TRY(ls_checkpoint_write(comm, path, snapshot));
    return ls_agree(comm, comm->rank == 0 ? register_step(run, step, keep) : LS_OK);
}

ls_status ls_checkpoint_set_last(const ls_comm *comm, const char *run, int64_t step) {
    return ls_agree(comm, comm->rank == 0 ? link_last(run, step) : LS_OK);
}

ls_status ls_checkpoint_save_best(const ls_comm *comm, const char *run, const ls_snapshot *snapshot) {
    char path[LS_PATH_MAX];
    ls_snapshot weights_only = *snapshot;
    weights_only.optimizer = NULL;
    LS_TRY(ls_path_join(run, BEST, path)); /* the same on all ranks */
    return ls_checkpoint_write(comm, path, &weights_only);
}

/* --- finding --- */

/* LS_OK with info->path empty: it is damaged, or holds weights only where it should hold all, and was named in a
 * warning. */
static ls_status try_one(const char *path, bool complete, ls_checkpoint_info *info) {
    ls_status status = ls_checkpoint_inspect(path, info);
    if (status == LS_OK && complete && !info->complete) status = LS_RAISE(LS_INVALID, "%s: holds weights only", path);
    if (status == LS_OK) return LS_OK;
    bool damaged = status == LS_INVALID && (!info->whole || info->path[0]);
    ls_checkpoint_info_release(info);
    if (!damaged) return status; /* then it is not passed over */
    ls_log_warn("%s; passing it over", ls_failure_get()->message);
    return LS_OK;
}

static ls_status newest_of(const char *run, const steps *s, ls_checkpoint_info *info) {
    char path[LS_PATH_MAX];
    for (int64_t i = 0; i < s->count; i++) {
        LS_TRY(step_path(run, s->step[i], path));
        LS_TRY(try_one(path, true, info));
        if (info->path[0]) return LS_OK;
    }
    if (s->count == 0) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: none of its %" PRId64 " checkpoints can be used", run, s->count);
}

static ls_status newest(const char *run, ls_checkpoint_info *info) {
    steps s = {0};
    ls_status status = list_steps(run, &s);
    if (status == LS_OK) status = newest_of(run, &s, info);
    ls_free(s.step);
    return status;
}

static ls_status find_in_directory(const char *run, ls_checkpoint_info *info) {
    char path[LS_PATH_MAX];
    LS_TRY(ls_path_join(run, BEST, path));
    if (access(path, F_OK) == 0)
        LS_TRY(try_one(path, false, info));
    else if (errno != ENOENT)
        return LS_RAISE(LS_ERROR, "%s: cannot be read: %s", path, strerror(errno));
    if (!info->path[0]) LS_TRY(newest(run, info));
    if (info->path[0]) return LS_OK;
    return LS_RAISE(LS_INVALID,
                    "%s: holds no checkpoint; name a directory that 'lockstep train' has made, or a checkpoint", run);
}

static bool is_under_runs(const char *run) {
    char path[LS_PATH_MAX];
    return run[0] != '/' && LS_OK == ls_path_join("runs", run, path) && access(path, F_OK) == 0;
}

static ls_status find(const char *run, ls_checkpoint_info *info) {
    struct stat kind;
    if (ls_path_ends(run, ".yaml") || ls_path_ends(run, ".yml"))
        return LS_RAISE(LS_INVALID, "%s: is a config; name the run that it has trained, a directory like runs/NAME",
                        run);
    if (stat(run, &kind) != 0 && is_under_runs(run))
        return LS_RAISE(LS_INVALID, "%s: no such run or checkpoint; did you mean runs/%s?", run, run);
    if (stat(run, &kind) != 0)
        return LS_RAISE(ls_fault_of(errno), "%s: no such run or checkpoint: %s", run, strerror(errno));
    return S_ISDIR(kind.st_mode) ? find_in_directory(run, info) : ls_checkpoint_inspect(run, info);
}

static ls_status share_text(const ls_comm *comm, char **text) {
    int64_t bytes = comm->rank == 0 ? (int64_t)strlen(*text) + 1 : 0;
    ls_comm_broadcast(comm, &bytes, sizeof bytes, 0);
    LS_TRY(ls_agree(comm, comm->rank == 0 ? LS_OK : ls_alloc(text, bytes, 1, "a checkpoint's text")));
    ls_comm_broadcast(comm, *text, bytes, 0);
    return LS_OK;
}

/* Gives all ranks what rank 0 found out. */
static ls_status share(const ls_comm *comm, ls_checkpoint_info *info) {
    char *config = info->config, *history = info->history, *class_names = info->class_names;
    ls_comm_broadcast(comm, info, sizeof *info, 0);
    info->config = config;
    info->history = history;
    info->class_names = class_names;
    if (!info->path[0]) return LS_OK;
    LS_TRY(share_text(comm, &info->config));
    LS_TRY(share_text(comm, &info->history));
    return share_text(comm, &info->class_names);
}

static ls_status find_and_share(const ls_comm *comm, const char *run, ls_checkpoint_info *info,
                                ls_status (*search)(const char *run, ls_checkpoint_info *info)) {
    *info = (ls_checkpoint_info){0};
    LS_TRY(ls_agree(comm, comm->rank == 0 ? search(run, info) : LS_OK));
    ls_status status = share(comm, info);
    if (status != LS_OK) ls_checkpoint_info_release(info);
    return status;
}

ls_status ls_checkpoint_newest(const ls_comm *comm, const char *run, ls_checkpoint_info *info) {
    return find_and_share(comm, run, info, newest);
}

ls_status ls_checkpoint_find(const ls_comm *comm, const char *run, ls_checkpoint_info *info) {
    return find_and_share(comm, run, info, find);
}
