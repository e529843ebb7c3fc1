/* checkpoint_info.c - what is known of a checkpoint before its arrays are read; see checkpoint.h. Whatever a file says
 * is held against what it can be: a right hash tells that a file is as it was written, not who wrote it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/lanes.h"
#include "base/memory.h"
#include "state/checkpoint.h"
#include "state/checkpoint_format_internal.h"
#include "store/seal.h"

static ls_status check_range(const char *path, const char *name, int64_t value, int64_t least, int64_t most) {
    if (value >= least && value <= most) return LS_OK;
    return LS_RAISE(LS_INVALID,
                    "%s: attribute %s is %" PRId64 ", but can only be from %" PRId64 " to %" PRId64
                    "; Lockstep has not written this file",
                    path, name, value, least, most);
}

static ls_status get_integer(ls_array_reader *reader, const char *path, const char *name, int64_t least, int64_t most,
                             int *value) {
    int64_t whole;
    LS_TRY(ls_array_reader_get_number(reader, name, LS_NUMBER_INT64, &whole));
    LS_TRY(check_range(path, name, whole, least, most));
    *value = (int)whole;
    return LS_OK;
}

/* Of fewer than `room` bytes. */
static ls_status get_short_text(ls_array_reader *reader, const char *path, const char *name, char *text, size_t room) {
    char *whole;
    LS_TRY(ls_array_reader_get_text(reader, name, &whole));
    int length = snprintf(text, room, "%s", whole);
    ls_free(whole);
    if (length >= 0 && (size_t)length < room) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: attribute %s is longer than the %zu bytes that it can have", path, name, room - 1);
}

static ls_status get_position(ls_array_reader *reader, const char *path, ls_position *position) {
    for (int f = 0; f < LS_POSITION_FIELDS; f++) {
        const ls_position_field *field = &ls_position_fields[f];
        LS_TRY(ls_array_reader_get_number(reader, field->name, field->type, (char *)position + field->offset));
        int64_t value;
        memcpy(&value, (const char *)position + field->offset, sizeof value);
        if (field->type == LS_NUMBER_INT64) LS_TRY(check_range(path, field->name, value, field->least, field->most));
    }
    /* A step has a sample at least, and what is in hand has been begun. */
    int64_t begun = position->epoch > 0 || position->epoch_step > 0;
    LS_TRY(check_range(path, "step", position->step, begun > position->epoch_step ? begun : position->epoch_step,
                       LS_STEPS_MAX));
    LS_TRY(check_range(path, "loss_count", position->loss_count, position->epoch_step, LS_STEPS_MAX));
    return check_range(path, "best_epoch", position->best_epoch, -1, position->epoch);
}

static ls_status get_element(ls_array_reader *reader, const char *path, ls_element *element) {
    char text[LS_NAME_MAX];
    LS_TRY(get_short_text(reader, path, "element", text, sizeof text));
    *element = LS_ELEMENT_UINT8;
    if (strcmp(text, ls_element_name(*element)) == 0) return LS_OK;
    *element = LS_ELEMENT_FLOAT32;
    if (strcmp(text, ls_element_name(*element)) == 0) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: attribute element is neither %s nor %s", path, ls_element_name(LS_ELEMENT_UINT8),
                    ls_element_name(LS_ELEMENT_FLOAT32));
}

static ls_status get_data(ls_array_reader *reader, ls_checkpoint_info *info) {
    ls_dataset_info *data = &info->data;
    const char *path = info->path;
    char shape[LS_SHAPE_TEXT_MAX];
    LS_TRY(get_short_text(reader, path, "fingerprint", data->fingerprint, sizeof data->fingerprint));
    LS_TRY(get_short_text(reader, path, "validation_fingerprint", info->validation, sizeof info->validation));
    LS_TRY(get_short_text(reader, path, "sample_shape", shape, sizeof shape));
    LS_TRY(get_element(reader, path, &data->element));
    LS_TRY(get_integer(reader, path, "classes", 0, LS_CLASSES_MAX, &data->classes));
    data->labelled = data->classes > 0;
    if (ls_shape_parse(shape, &data->shape) != LS_OK)
        return ls_failure_prefix("%s: attribute sample_shape: ", info->path);
    return LS_OK;
}

/* Checkpoints of earlier versions have none, as those of data without names. Otherwise a line a class at least, which
 * who compares them relies on. */
static ls_status get_class_names(ls_array_reader *reader, ls_checkpoint_info *info) {
    if (!ls_array_reader_has(reader, "class_names")) return ls_alloc(&info->class_names, 1, 1, "the names of classes");
    LS_TRY(ls_array_reader_get_text(reader, "class_names", &info->class_names));
    int lines = 0;
    for (const char *at = info->class_names; (at = strchr(at, '\n')); at++) lines++;
    if (!info->class_names[0] || lines >= info->data.classes) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: attribute class_names has %d lines, but there are %d classes", info->path, lines,
                    info->data.classes);
}

static ls_status check_format(ls_array_reader *reader, const char *path) {
    int64_t format;
    LS_TRY(ls_array_reader_get_number(reader, "lockstep_format", LS_NUMBER_INT64, &format));
    if (format == LS_CHECKPOINT_FORMAT) return LS_OK;
    return LS_RAISE(LS_INVALID,
                    "%s: written by another version of Lockstep, in format %" PRId64
                    ", and this one reads format %d; use that version, or train again",
                    path, format, LS_CHECKPOINT_FORMAT);
}

static ls_status get_lanes(ls_array_reader *reader, const char *path, int *lanes) {
    LS_TRY(get_integer(reader, path, "lanes", 1, LS_LANES_MAX, lanes));
    if ((*lanes & (*lanes - 1)) == 0) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: attribute lanes is %d, which is no power of two", path, *lanes);
}

static ls_status get_info(ls_array_reader *reader, ls_checkpoint_info *info) {
    const char *path = info->path;
    LS_TRY(check_format(reader, path));
    LS_TRY(get_lanes(reader, path, &info->lanes));
    LS_TRY(get_short_text(reader, path, "version", info->version, sizeof info->version));
    LS_TRY(get_short_text(reader, path, "isa", info->isa, sizeof info->isa));
    LS_TRY(get_short_text(reader, path, "optimizer", info->optimizer, sizeof info->optimizer));
    LS_TRY(get_data(reader, info));
    LS_TRY(get_class_names(reader, info));
    info->complete = info->optimizer[0] != '\0';
    LS_TRY(ls_array_reader_get_text(reader, "config", &info->config));
    LS_TRY(ls_array_reader_get_text(reader, "history", &info->history));
    return get_position(reader, path, &info->position);
}

ls_status ls_checkpoint_inspect(const char *path, ls_checkpoint_info *info) {
    *info = (ls_checkpoint_info){0};
    ls_array_reader *reader;
    LS_TRY(ls_seal_verify(path));
    info->whole = true;
    LS_TRY(ls_array_reader_open(path, &reader));
    (void)snprintf(info->path, sizeof info->path, "%s", path);
    ls_status status = get_info(reader, info);
    ls_array_reader_close(reader);
    if (status == LS_OK) return LS_OK;
    ls_checkpoint_info_release(info);
    info->whole = true;
    return status;
}

void ls_checkpoint_info_release(ls_checkpoint_info *info) {
    ls_free(info->config);
    ls_free(info->history);
    ls_free(info->class_names);
    *info = (ls_checkpoint_info){0};
}
