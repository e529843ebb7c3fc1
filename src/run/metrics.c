/* metrics.c - see metrics.h. */
#include "lockstep/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lockstep/file.h"
#include "lockstep/memory.h"

enum { LINE_MAX_BYTES = 1024 };

static ls_status add(ls_metrics *metrics, const char *text) {
    int64_t bytes = (int64_t)strlen(text);
    if (metrics->length + bytes + 1 > metrics->room) {
        int64_t room = 2 * (metrics->length + bytes + 1);
        char *larger;
        LS_TRY(ls_alloc(&larger, room, 1, "the metrics"));
        if (metrics->length > 0) memcpy(larger, metrics->text, (size_t)metrics->length);
        ls_free(metrics->text);
        metrics->text = larger;
        metrics->room = room;
    }
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
    metrics->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (metrics->fd >= 0) return LS_OK;
    metrics->fd = 0;
    return LS_RAISE(LS_ERROR, "%s: cannot be written: %s", path, strerror(errno));
}

/* There are at most 17 digits. */
const char *ls_metrics_number(double value, char text[LS_NUMBER_TEXT_MAX]) {
    if (!isfinite(value)) return "null";
    if (value == trunc(value) && fabs(value) < 1e15) {
        (void)snprintf(text, LS_NUMBER_TEXT_MAX, "%.0f", value);
        return text;
    }
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(text, LS_NUMBER_TEXT_MAX, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    return text;
}

ls_status ls_metrics_append(ls_metrics *metrics, const ls_epoch_metrics *epoch) {
    char line[LINE_MAX_BYTES], n[3][LS_NUMBER_TEXT_MAX];
    int length = snprintf(
        line, sizeof line, "{\"epoch\": %" PRId64 ", \"step\": %" PRId64 ", \"loss\": %s, \"val_loss\": %s",
        epoch->epoch, epoch->step, ls_metrics_number(epoch->loss, n[0]), ls_metrics_number(epoch->val_loss, n[1]));
    for (int m = 0; m < epoch->metrics; m++) {
        const ls_epoch_metric *metric = &epoch->metric[m];
        length +=
            snprintf(line + length, sizeof line - (size_t)length, ", \"%s\": %s, \"val_%s\": %s", metric->name,
                     ls_metrics_number(metric->value, n[0]), metric->name, ls_metrics_number(metric->val_value, n[1]));
    }
    length +=
        snprintf(line + length, sizeof line - (size_t)length, ", \"seconds\": %s, \"images_per_s\": %s, \"lr\": %s}\n",
                 ls_metrics_number(epoch->seconds, n[0]), ls_metrics_number(epoch->images_per_s, n[1]),
                 ls_metrics_number(epoch->lr, n[2]));
    LS_TRY(add(metrics, line));
    if (metrics->fd <= 0) return LS_OK;
    errno = ENOSPC; /* why a line is written in part */
    if (write(metrics->fd, line, (size_t)length) == length) return LS_OK;
    return LS_RAISE(LS_ERROR, "metrics.jsonl cannot be written: %s", strerror(errno));
}

const char *ls_metrics_history(const ls_metrics *metrics) { return metrics->text ? metrics->text : ""; }

void ls_metrics_close(ls_metrics *metrics) {
    if (metrics->fd > 0) (void)close(metrics->fd);
    ls_free(metrics->text);
    *metrics = (ls_metrics){0};
}
