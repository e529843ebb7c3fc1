/* inspect_files.c - what stands in a run's directory, a checkpoint, a data set. */
#include <glob.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/dataset.h"
#include "run/inspect_kinds.h"
#include "state/checkpoint.h"

/* ---- checkpoints and runs ---- */

static void print_position(const ls_checkpoint_info *info, FILE *out) {
    const ls_position *at = &info->position;
    fprintf(out, "%" PRId64 " %s done", at->epoch, ls_plural(at->epoch, "epoch", "epochs"));
    if (at->epoch_step > 0)
        fprintf(out, ", and %" PRId64 " %s of epoch %" PRId64, at->epoch_step,
                ls_plural(at->epoch_step, "step", "steps"), at->epoch + 1);
    fprintf(out, "; %" PRId64 " %s in all", at->step, ls_plural(at->step, "step", "steps"));
    if (at->best_epoch >= 0) fprintf(out, ", best %.6g in epoch %" PRId64, at->best, at->best_epoch + 1);
}

ls_status ls_inspect_checkpoint(const char *path, FILE *out) {
    ls_checkpoint_info info;
    char shape[LS_SHAPE_TEXT_MAX];
    LS_TRY(ls_checkpoint_inspect(path, &info));
    fprintf(out, "%s: a whole checkpoint of Lockstep %s\n  position     ", path, info.version);
    print_position(&info, out);
    fprintf(out,
            "\n  holds        %s%s\n  lanes        %d\n  instructions %s\n  data         %s, %s, fingerprint %s\n"
            "  settings\n\n%s",
            info.complete ? "weights and the state of " : "weights", info.complete ? info.optimizer : "", info.lanes,
            info.isa, ls_shape_text(&info.data.shape, shape), ls_element_name(info.data.element), info.data.fingerprint,
            info.config);
    ls_checkpoint_info_release(&info);
    return LS_OK;
}

/* One that cannot be used is a line like the others: it is what one wants to know. */
static void print_checkpoint_line(const char *path, FILE *out) {
    ls_checkpoint_info info;
    ls_status status = ls_checkpoint_inspect(path, &info);
    if (status != LS_OK) {
        const char *what = status != LS_INVALID ? "unread " : info.whole ? "other  " : "damaged";
        fprintf(out, "  %s  %s\n", what, ls_failure_get()->message);
        return;
    }
    fprintf(out, "  whole    %s: ", path);
    print_position(&info, out);
    fprintf(out, info.complete ? "\n" : " (weights only)\n");
    ls_checkpoint_info_release(&info);
}

static void print_checkpoints(const char *run, FILE *out) {
    char pattern[LS_PATH_MAX + 32];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/checkpoints/*.h5", run);
    fprintf(out, "checkpoints\n");
    if (glob(pattern, 0, NULL, &found) != 0) {
        fprintf(out, "  none\n");
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) print_checkpoint_line(found.gl_pathv[i], out);
    globfree(&found);
}

/* The last line of metrics.jsonl. */
static void print_last_metrics(const char *run, FILE *out) {
    char path[LS_PATH_MAX + 32], line[1024], last[1024] = "none yet\n";
    snprintf(path, sizeof path, "%s/metrics.jsonl", run);
    FILE *file = ls_file_check_regular(path) == LS_OK ? fopen(path, "r") : NULL;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) memcpy(last, line, sizeof last);
    if (file != NULL) fclose(file);
    fprintf(out, "last epoch\n  %s", last);
}

ls_status ls_inspect_run(const char *path, FILE *out) {
    char config[LS_PATH_MAX + 32];
    struct stat info;
    snprintf(config, sizeof config, "%s/config.yaml", path);
    if (stat(config, &info) != 0) return LS_RAISE(LS_INVALID, "%s: not a run's directory: it has no config.yaml", path);
    fprintf(out, "settings\n  %s\n", config);
    print_last_metrics(path, out);
    print_checkpoints(path, out);
    return LS_OK;
}

/* ---- data sets ---- */

static void print_classes(const ls_dataset *dataset, FILE *out) {
    const ls_dataset_info *info = ls_dataset_get_info(dataset);
    char shown[LS_MESSAGE_MAX];
    fprintf(out, "  classes      %d", info->classes);
    for (int i = 0; i < info->classes; i++) {
        const char *name = ls_dataset_class_name(dataset, i);
        if (name != NULL) fprintf(out, "%s%s", i == 0 ? ": " : ", ", ls_text_show(name, false, shown, sizeof shown));
    }
    fputc('\n', out);
}

static ls_status print_dataset(const ls_dataset *dataset, FILE *out) {
    const ls_dataset_info *info = ls_dataset_get_info(dataset);
    char shape[LS_SHAPE_TEXT_MAX], count[LS_FIGURE_MAX], bytes[LS_FIGURE_MAX];
    ls_span *blocks;
    int64_t block_count;
    LS_TRY(ls_dataset_blocks(dataset, &blocks, &block_count));
    ls_free(blocks);
    fprintf(out, "%s: a data set\n  samples      %s of %s, %s\n", ls_dataset_path(dataset, 0),
            ls_count_text(info->count, count), ls_shape_text(&info->shape, shape), ls_element_name(info->element));
    fprintf(out, "  in memory    %s\n", ls_bytes_text(info->count * info->sample_bytes, bytes));
    fprintf(out, "  blocks       %" PRId64 " of %" PRId64 " %s\n", block_count, info->block_samples,
            ls_plural(info->block_samples, "sample", "samples"));
    if (info->labelled) print_classes(dataset, out);
    fprintf(out, "  fingerprint  %s\n", info->fingerprint);
    return LS_OK;
}

ls_status ls_inspect_dataset(const char *path, FILE *out) {
    ls_dataset *dataset;
    LS_TRY(ls_dataset_open(&path, 1, &dataset));
    ls_status status = print_dataset(dataset, out);
    ls_dataset_close(dataset);
    return status;
}
