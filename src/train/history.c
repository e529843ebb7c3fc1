/* history.c - an epoch's numbers by their names, and the line of JSON that they make. */
#include "train/history.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { LINE_MAX_BYTES = 1024 };

static ls_status add(ls_history *history, const char *text) {
    int64_t bytes = (int64_t)strlen(text);
    LS_TRY(ls_grow(&history->text, &history->room, history->length + bytes + 1, 1, "the history"));
    memcpy(history->text + history->length, text, (size_t)bytes + 1);
    history->length += bytes;
    return LS_OK;
}

ls_status ls_history_restore(ls_history *history, const char *text) {
    history->length = history->last = 0;
    return add(history, text);
}

static void add_scalar(ls_scalar *scalars, int *count, const char *prefix, const char *name, double value) {
    ls_scalar *scalar = &scalars[(*count)++];
    snprintf(scalar->name, sizeof scalar->name, "%s%s", prefix, name);
    scalar->value = value;
}

int ls_epoch_scalars(const ls_epoch_logs *epoch, ls_scalar scalar[LS_SCALARS_MAX]) {
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
static int print_scalars(const ls_epoch_logs *epoch, char *line, int capacity) {
    ls_scalar scalar[LS_SCALARS_MAX];
    char number[LS_NUMBER_TEXT_MAX];
    int length = 0, count = ls_epoch_scalars(epoch, scalar);
    for (int i = 0; i < count; i++)
        length += snprintf(line + length, (size_t)(capacity - length), "%s\"%s\": %s", i > 0 ? ", " : "{",
                           scalar[i].name, ls_number_text(scalar[i].value, number));
    return length;
}

/* Returns how long the line is then. */
static int print_times(const ls_epoch_logs *epoch, char *line, int length, int capacity) {
    char n[3][LS_NUMBER_TEXT_MAX];
    for (int i = 0; i < epoch->times; i++) {
        const ls_epoch_time *time = &epoch->time[i];
        length += snprintf(line + length, (size_t)(capacity - length), ", \"%s_s\": [%s, %s, %s]", time->name,
                           ls_number_text(time->least_s, n[0]), ls_number_text(time->mean_s, n[1]),
                           ls_number_text(time->most_s, n[2]));
    }
    return length;
}

ls_status ls_history_append(ls_history *history, const ls_epoch_logs *logs) {
    char line[LINE_MAX_BYTES];
    int length = print_scalars(logs, line, (int)sizeof line);
    length = print_times(logs, line, length, (int)sizeof line);
    (void)snprintf(line + length, sizeof line - (size_t)length, "}\n");
    history->last = history->length;
    return add(history, line);
}

const char *ls_history_text(const ls_history *history) { return history->text != NULL ? history->text : ""; }

const char *ls_history_last(const ls_history *history) { return ls_history_text(history) + history->last; }

void ls_history_release(ls_history *history) {
    ls_free(history->text);
    *history = (ls_history){0};
}
