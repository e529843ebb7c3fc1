/* output_npy.c - an output as NumPy saves arrays. An array cannot say which row is which sample: NAME.rows.csv beside
 * NAME.npy does. That name is an output's own: what Lockstep wrote there is replaced, or removed where the new array
 * has no names or labels; any other file there is an error.
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/output_format_internal.h"
#include "report/output_rows_internal.h"

typedef struct npy_file {
    const ls_sink_spec *spec;
    ls_file file, rows; /* rows: what names and labels are written to, if there are some */
    char rows_path[LS_PATH_MAX];
    bool has_old_rows;
    int64_t sample_bytes;
} npy_file;

/* Magic, version, length of the header, header, spaces up to a multiple of 64 bytes that ends in a newline. */
static ls_status write_header(ls_file *file, const ls_sink_spec *spec) {
    char text[256] = "\x93NUMPY\x01"; /* and a zero: version 1.0 */
    int header = 10, room = (int)sizeof text - header;
    const char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>';
    int used = snprintf(text + header, (size_t)room, "{'descr': '%cf4', 'fortran_order': False, 'shape': (%" PRId64 ",",
                        order, spec->total);
    for (int d = 0; d < spec->shape.dims; d++)
        used += snprintf(text + header + used, (size_t)(room - used), " %" PRId64 ",", spec->shape.dim[d]);
    used += snprintf(text + header + used, (size_t)(room - used), "), }");
    int end = (header + used + 1 + 63) / 64 * 64;
    memset(text + header + used, ' ', (size_t)(end - header - used));
    text[end - 1] = '\n';
    text[8] = (char)((end - header) & 0xff);
    text[9] = (char)((end - header) >> 8);
    return ls_file_write(file, text, end);
}

static ls_status write_line(npy_file *npy, char *line, char *end) {
    end[-1] = '\n'; /* in place of the last comma */
    return ls_file_write(&npy->rows, line, end - line);
}

static ls_status name_rows(const char *path, char rows[LS_PATH_MAX]) {
    const size_t stem = strlen(path) - strlen(".npy");
    if (snprintf(rows, LS_PATH_MAX, "%.*s.rows.csv", (int)stem, path) < LS_PATH_MAX) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: the name is too long", path);
}

/* By its first line: one of those that ls_row_header makes. */
static bool is_ours(const char *path) {
    static const char *const headers[] = {"name\n", "label\n", "name,label\n"};
    char line[LS_ROW_TEXT_MAX] = "";
    FILE *file = ls_file_check_regular(path) == LS_OK ? fopen(path, "rb") : NULL;
    if (file == NULL) return false;
    bool read = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    for (size_t i = 0; read && i < sizeof headers / sizeof *headers; i++)
        if (strcmp(line, headers[i]) == 0) return true;
    return false;
}

static ls_status find_old_rows(npy_file *npy, const char *path) {
    struct stat about;
    npy->has_old_rows = lstat(npy->rows_path, &about) == 0;
    if (!npy->has_old_rows || is_ours(npy->rows_path)) return LS_OK;
    return LS_RAISE(LS_INVALID,
                    "%s: is in the way: names and labels of the rows of %s belong there, and Lockstep has not written "
                    "this file; move it, or write the array under another name",
                    npy->rows_path, path);
}

static ls_status open_rows(npy_file *npy, const char *path) {
    char line[LS_ROW_TEXT_MAX];
    LS_TRY(name_rows(path, npy->rows_path));
    LS_TRY(find_old_rows(npy, path));
    if (!npy->spec->named && !npy->spec->labelled) return LS_OK;
    LS_TRY(ls_file_create(npy->rows_path, &npy->rows));
    ls_file_guard(&npy->rows);
    return write_line(npy, line, ls_row_header(npy->spec, line));
}

static ls_status open_file(const char *path, const ls_sink_spec *spec, void **state) {
    npy_file *npy;
    LS_TRY(ls_alloc(&npy, 1, sizeof *npy, "an output file"));
    *state = npy;
    npy->file.fd = npy->rows.fd = -1;
    npy->spec = spec;
    npy->sample_bytes = ls_shape_count(&spec->shape) * (int64_t)sizeof(float);
    LS_TRY(ls_file_create(path, &npy->file)); /* first: where it cannot be, its name is the one that was given */
    ls_file_guard(&npy->file);
    LS_TRY(open_rows(npy, path));
    return write_header(&npy->file, spec);
}

static ls_status append(void *state, int64_t count, const float *data, const int32_t *labels,
                        const char *const *names) {
    npy_file *npy = state;
    const ls_sink_spec *spec = npy->spec;
    char line[LS_ROW_TEXT_MAX];
    for (int64_t i = 0; i < count && npy->rows.fd >= 0; i++)
        LS_TRY(write_line(npy, line,
                          ls_row_text(spec, spec->named ? names[i] : NULL, spec->labelled ? labels[i] : 0, line)));
    return ls_file_write(&npy->file, data, count * npy->sample_bytes);
}

/* Whenever this ends, no array stands beside the rows of another one: both files are on the disk before either gets
 * its name, and old rows go first. */
static ls_status commit(npy_file *npy) {
    bool has_rows = npy->rows.fd >= 0;
    if (has_rows) LS_TRY(ls_file_flush(&npy->rows));
    LS_TRY(ls_file_flush(&npy->file));
    if (npy->has_old_rows && unlink(npy->rows_path) != 0 && errno != ENOENT)
        return LS_RAISE(LS_ERROR, "%s: cannot be removed: %s", npy->rows_path, strerror(errno));
    LS_TRY(ls_file_commit(&npy->file));
    return has_rows ? ls_file_commit(&npy->rows) : LS_OK;
}

static ls_status close_file(void *state, bool keep) {
    npy_file *npy = state;
    ls_status status = keep ? commit(npy) : LS_OK;
    ls_file_discard(&npy->file);
    ls_file_discard(&npy->rows);
    ls_free(npy);
    return status;
}

const ls_output_format ls_output_npy = {
    .ending = ".npy", .name = "NumPy", .beside = name_rows, .open = open_file, .append = append, .close = close_file};
