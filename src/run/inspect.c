/* inspect.c - tells what a path is, and who prints that kind of thing. */
#include "run/inspect.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "run/inspect_kinds.h"
#include "run/run_directory.h"
#include "state/checkpoint.h"

const char *ls_count_text(int64_t count, char *text) {
    char digits[LS_FIGURE_MAX];
    int length = snprintf(digits, sizeof digits, "%" PRId64, count), at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

const char *ls_bytes_text(int64_t bytes, char *text) {
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    double figure = (double)bytes / 1e3;
    int unit = 0;
    for (; figure >= 999.5 && unit < 3; unit++) figure /= 1e3;
    snprintf(text, LS_FIGURE_MAX, "%.*f %s", figure < 10 ? 2 : figure < 100 ? 1 : 0, figure, units[unit]);
    return text;
}

/* ---- what a path is ---- */

typedef enum subject { RUN, CHECKPOINT, DATASET, CONFIG } subject;

/* By the first bytes of a file: a checkpoint's seal, or HDF5's signature. */
static ls_status find_subject(const char *path, subject *out) {
    static const char seal[] = "LOCKSTEP", hdf5[] = "\x89HDF\r\n\x1a\n";
    struct stat info;
    if (stat(path, &info) != 0) return LS_RAISE(ls_fault_of(errno), "%s: %s", path, strerror(errno));
    *out = RUN;
    if (S_ISDIR(info.st_mode)) return LS_OK;
    LS_TRY(ls_file_check_regular(path)); /* it is read twice */
    char head[8] = {0};
    FILE *file = fopen(path, "r");
    if (file == NULL) return LS_RAISE(ls_fault_of(errno), "%s: %s", path, strerror(errno));
    size_t bytes = fread(head, 1, sizeof head, file);
    fclose(file);
    *out = CONFIG;
    if (bytes == sizeof head && memcmp(head, seal, sizeof head) == 0) *out = CHECKPOINT;
    if (bytes == sizeof head && memcmp(head, hdf5, sizeof head) == 0) *out = DATASET;
    return LS_OK;
}

static ls_status draw(const char *path, subject found, const ls_inspect_options *options, FILE *out) {
    char config[LS_PATH_MAX];
    if (found == CONFIG) return ls_inspect_config(path, options, out);
    if (found != RUN) return LS_RAISE(LS_INVALID, "%s: only the model of a config or a run can be drawn", path);
    LS_TRY(ls_path_join(path, "config.yaml", config));
    return ls_inspect_config(config, options, out);
}

static ls_status inspect(const char *path, const ls_inspect_options *options, FILE *out) {
    subject found = CONFIG;
    LS_TRY(find_subject(path, &found));
    if (options->drawing) return draw(path, found, options, out);
    switch (found) {
    case RUN:
        return ls_inspect_run(path, out);
    case CHECKPOINT:
        return ls_inspect_checkpoint(path, out);
    case DATASET:
        return ls_inspect_dataset(path, out);
    case CONFIG:
        break;
    }
    return ls_inspect_config(path, options, out);
}

ls_status ls_inspect_is_config(const ls_comm *comm, const char *path, bool *config) {
    subject found = CONFIG;
    LS_TRY(ls_agree(comm, comm->rank == 0 ? find_subject(path, &found) : LS_OK));
    *config = ls_comm_max(comm, found != CONFIG) == 0;
    return LS_OK;
}

ls_status ls_inspect_path(const ls_comm *comm, const char *path, const ls_inspect_options *options, FILE *out) {
    return ls_agree(comm, comm->rank == 0 ? inspect(path, options, out) : LS_OK);
}

/* ---- differences ---- */

/* A run's newest complete checkpoint, which has the state of the optimizer too; a file is itself. */
static ls_status find_checkpoint(const ls_comm *comm, const char *path, char found[LS_PATH_MAX]) {
    struct stat info;
    snprintf(found, LS_PATH_MAX, "%s", path);
    int64_t is_run = comm->rank == 0 && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    if (ls_comm_max(comm, is_run) == 0) return LS_OK;
    ls_checkpoint_info newest;
    LS_TRY(ls_checkpoint_newest(comm, path, &newest));
    snprintf(found, LS_PATH_MAX, "%s", newest.path);
    ls_checkpoint_info_release(&newest);
    return found[0] != '\0' ? LS_OK : LS_RAISE(LS_INVALID, "%s: there is no checkpoint in this directory", path);
}

static ls_status diff(const char *a, const char *b, FILE *out) {
    bool equal;
    LS_TRY(ls_checkpoint_diff(a, b, out, &equal));
    return equal ? LS_OK : LS_RAISE(LS_ERROR, "%s and %s differ", a, b);
}

ls_status ls_inspect_diff(const ls_comm *comm, const char *a, const char *b, FILE *out) {
    char path_a[LS_PATH_MAX], path_b[LS_PATH_MAX];
    LS_TRY(find_checkpoint(comm, a, path_a));
    LS_TRY(find_checkpoint(comm, b, path_b));
    return ls_agree(comm, comm->rank == 0 ? diff(path_a, path_b, out) : LS_OK);
}
