/* output_csv.c - an output as text: a header, then a line a sample. Nine digits give every float32 back exactly. */
#include <inttypes.h>
#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/output_format_internal.h"
#include "report/output_rows_internal.h"

enum { FIELD_BYTES = 24 /* more than the name of a number or a number takes, with its comma */ };

typedef struct csv_file {
    ls_file file;
    const ls_sink_spec *spec;
    int64_t sample_floats;
    char *line; /* room for the longest */
} csv_file;

static char *end_line(const csv_file *csv, char *end) {
    if (end > csv->line) end[-1] = '\n'; /* in place of the last comma */
    return end;
}

static ls_status write_header(csv_file *csv) {
    char *end = ls_row_header(csv->spec, csv->line);
    for (int64_t i = 0; i < csv->sample_floats; i++) end += snprintf(end, FIELD_BYTES, "x%" PRId64 ",", i);
    return ls_file_write(&csv->file, csv->line, end_line(csv, end) - csv->line);
}

static ls_status write_sample(csv_file *csv, const float *data, int32_t label, const char *name) {
    char *end = ls_row_text(csv->spec, name, label, csv->line);
    for (int64_t i = 0; i < csv->sample_floats; i++) end += snprintf(end, FIELD_BYTES, "%.9g,", (double)data[i]);
    return ls_file_write(&csv->file, csv->line, end_line(csv, end) - csv->line);
}

static ls_status open_file(const char *path, const ls_sink_spec *spec, void **state) {
    csv_file *csv;
    LS_TRY(ls_alloc(&csv, 1, sizeof *csv, "an output file"));
    *state = csv;
    csv->file.fd = -1;
    csv->sample_floats = ls_shape_count(&spec->shape);
    csv->spec = spec;
    LS_TRY(ls_alloc(&csv->line, LS_ROW_TEXT_MAX + csv->sample_floats * FIELD_BYTES, 1, "a line of text"));
    LS_TRY(ls_file_create(path, &csv->file));
    ls_file_guard(&csv->file);
    return write_header(csv);
}

static ls_status append(void *state, int64_t count, const float *data, const int32_t *labels,
                        const char *const *names) {
    csv_file *csv = state;
    for (int64_t i = 0; i < count; i++)
        LS_TRY(write_sample(csv, data + i * csv->sample_floats, csv->spec->labelled ? labels[i] : 0,
                            csv->spec->named ? names[i] : NULL));
    return LS_OK;
}

static ls_status close_file(void *state, bool keep) {
    csv_file *csv = state;
    ls_status status = keep ? ls_file_commit(&csv->file) : LS_OK;
    ls_file_discard(&csv->file);
    ls_free(csv->line);
    ls_free(csv);
    return status;
}

const ls_output_format ls_output_csv = {
    .ending = ".csv", .name = "text", .open = open_file, .append = append, .close = close_file};
