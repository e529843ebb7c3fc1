/* callback_metrics.c - RUN/metrics.jsonl: the trainer's history, a line an epoch, written by rank 0.
 *
 * A run that goes on from a checkpoint cuts the file back to what the checkpoint knows. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/path.h"
#include "report/callbacks.h"

typedef struct metrics_file {
    int fd; /* 0: not open */
} metrics_file;

/* The file is replaced, not cut: a kill in between leaves one or the other. */
static ls_status open_file(ls_callback *self, ls_trainer *t) {
    const ls_report *report = self->settings;
    metrics_file *file = self->state;
    char path[LS_PATH_MAX];
    if (t->task->comm->rank != 0) return LS_OK;
    LS_TRY(ls_path_join(report->run, "metrics.jsonl", path));
    LS_TRY(ls_file_write_text(path, ls_history_text(&t->history)));
    int fd = ls_fd_open(path, O_WRONLY | O_APPEND | O_NOFOLLOW);
    if (fd < 0) return LS_RAISE(LS_ERROR, "%s: cannot be written: %s", path, strerror(errno));
    file->fd = fd;
    return LS_OK;
}

static ls_status append(ls_callback *self, ls_trainer *t) {
    const metrics_file *file = self->state;
    const char *line = ls_history_last(&t->history);
    if (file->fd <= 0 || ls_fd_write(file->fd, line, (int64_t)strlen(line))) return LS_OK;
    return LS_RAISE(LS_ERROR, "metrics.jsonl cannot be written: %s", strerror(errno));
}

static void release(ls_callback *self) {
    const metrics_file *file = self->state;
    if (file->fd > 0) (void)close(file->fd);
}

const ls_callback_type ls_callback_metrics = {
    .state_bytes = sizeof(metrics_file),
    .on = {[LS_ON_TRAIN_BEGIN] = open_file, [LS_ON_EPOCH_END] = append},
    .release = release,
};
