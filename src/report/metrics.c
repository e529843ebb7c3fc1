/* metrics.c - see metrics.h. */
#include "report/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

enum { LINE_MAX_BYTES = 1024 };

static ls_status add(ls_metrics *metrics, const char *text) {
    int64_t bytes = (int64_t)strlen(text);
    LS_TRY(ls_grow(&metrics->text, &metrics->room, metrics->length + bytes + 1, 1, "the metrics"));
    memcpy(metrics->text + metrics->length, text, (size_t)bytes + 1);
    metrics->length += bytes;
    return LS_OK;
}

ls_status ls_metrics_restore(ls_metrics *metrics, const char *history) {
    metrics->length = 0;
    return add(metrics, history);
}

/* The file is replaced, not cut: a kill in between leaves one or the other. */
ls_status ls_metrics_open(ls_metrics *metrics, const char *path) {
    LS_TRY(ls_file_write_text(path, ls_metrics_history(metrics)));
    metrics->fd = ls_fd_open(path, O_WRONLY | O_APPEND | O_NOFOLLOW);
    if (metrics->fd >= 0) return LS_OK;
    metrics->fd = 0;
    return LS_RAISE(LS_ERROR, "%s: cannot be written: %s", path, strerror(errno));
}

static void add_scalar(ls_scalar *scalars, int *count, const char *prefix, const char *name, double value) {
    ls_scalar *scalar = &scalars[(*count)++];
    snprintf(scalar->name, sizeof scalar->name, "%s%s", prefix, name);
    scalar->value = value;
}

int ls_epoch_scalars(const ls_epoch_metrics *epoch, ls_scalar scalar[LS_SCALARS_MAX]) {
    int count = 0;
    add_scalar(scalar, &count, "", "epoch", (double)epoch->epoch);
    add_scalar(scalar, &count, "", "step", (double)epoch->step);
    add_scalar(scalar, &count, "", "loss", epoch->loss);
    add_scalar(scalar, &count, "val_", "loss", epoch->val_loss);
    for (int m = 0; m < epoch->metrics; m++) {
        add_scalar(scalar, &count, "", epoch->metric[m].name, epoch->metric[m].value);
        add_scalar(scalar, &count, "val_", epoch->metric[m].name, epoch->metric[m].val_value);
    }
    add_scalar(scalar, &count, "", "seconds", epoch->seconds);
    add_scalar(scalar, &count, "", "images_per_s", epoch->images_per_s);
    add_scalar(scalar, &count, "", "lr", epoch->lr);
    return count;
}

/* Returns how long the line is then. */
static int print_scalars(const ls_epoch_metrics *epoch, char *line, int capacity) {
    ls_scalar scalar[LS_SCALARS_MAX];
    char number[LS_NUMBER_TEXT_MAX];
    int length = 0, count = ls_epoch_scalars(epoch, scalar);
    for (int i = 0; i < count; i++)
        length += snprintf(line + length, (size_t)(capacity - length), "%s\"%s\": %s", i > 0 ? ", " : "{",
                           scalar[i].name, ls_number_text(scalar[i].value, number));
    return length;
}

/* Returns how long the line is then. */
static int print_times(const ls_epoch_metrics *epoch, char *line, int length, int capacity) {
    char n[3][LS_NUMBER_TEXT_MAX];
    for (int i = 0; i < epoch->times; i++) {
        const ls_epoch_time *time = &epoch->time[i];
        length += snprintf(line + length, (size_t)(capacity - length), ", \"%s_s\": [%s, %s, %s]", time->name,
                           ls_number_text(time->least_s, n[0]), ls_number_text(time->mean_s, n[1]),
                           ls_number_text(time->most_s, n[2]));
    }
    return length;
}

ls_status ls_metrics_append(ls_metrics *metrics, const ls_epoch_metrics *epoch) {
    char line[LINE_MAX_BYTES];
    int length = print_scalars(epoch, line, (int)sizeof line);
    length = print_times(epoch, line, length, (int)sizeof line);
    length += snprintf(line + length, sizeof line - (size_t)length, "}\n");
    LS_TRY(add(metrics, line));
    if (metrics->fd <= 0) return LS_OK;
    if (ls_fd_write(metrics->fd, line, length)) return LS_OK;
    return LS_RAISE(LS_ERROR, "metrics.jsonl cannot be written: %s", strerror(errno));
}

const char *ls_metrics_history(const ls_metrics *metrics) { return metrics->text ? metrics->text : ""; }

void ls_metrics_close(ls_metrics *metrics) {
    if (metrics->fd > 0) (void)close(metrics->fd);
    ls_free(metrics->text);
    *metrics = (ls_metrics){0};
}
