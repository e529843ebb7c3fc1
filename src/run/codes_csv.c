/* codes_csv.c - codes out of text, as spreadsheets and other programs write it (RFC 4180); see codes.h.
 *
 * A record is read at a time: fields are separated by commas, semicolons or tabs, whichever the first line has, and may
 * stand in quotes; a line ends with LF, CR LF or CR. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "run/codes.h"

/* What a number takes at most, and what labels and names beside the numbers do. */
enum { NUMBER_BYTES = 64, OTHER_BYTES = 64 << 10, SNIFF_BYTES = 1 << 16, SKIPPED_MAX = 8, SHOWN_MAX = 40 };

typedef struct csv_table {
    const char *path;
    FILE *file;
    char separator;
    char *text;                /* of the record: its fields, each ended by a zero */
    int64_t bytes, room, most; /* most: a line that is longer is no code */
    int64_t *field;            /* [fields] where each begins in text */
    int64_t fields, field_room;
    int64_t line, lines;          /* where the record begins; how many were read */
    int64_t skipped[SKIPPED_MAX]; /* columns that are no part of the code: labels, names, numbers of rows */
    int skips;
    int64_t number_room; /* numbers that there is memory for */
} csv_table;

ls_status ls_codes_open_file(const char *path, FILE **out) {
    LS_TRY(ls_file_check_regular(path));
    *out = fopen(path, "rb");
    if (*out) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: cannot be opened: %s", path, strerror(errno));
}

/* --- numbers --- */

/* The whole of it is one number, with spaces around it or without. */
static bool is_number(const char *text, float *out) {
    char *end;
    *out = strtof(text, &end);
    return end != text && end[strspn(end, " \t\r\n")] == '\0';
}

static ls_status parse_number(const char *text, float *out) {
    if (is_number(text, out) && isfinite(*out)) return LS_OK;
    if (text[strspn(text, " \t")] == '\0') return LS_RAISE(LS_INVALID, "a number is missing");
    return LS_RAISE(LS_INVALID, "'%.*s' is not a number%s", SHOWN_MAX, text,
                    strchr(text, ',') ? "; numbers are written with a point, as 0.5" : "");
}

static ls_status check_count(int64_t found, int64_t count) {
    if (found == count) return LS_OK;
    return LS_RAISE(LS_INVALID, "%" PRId64 " %s, but a code has %" PRId64, found, ls_plural(found, "number", "numbers"),
                    count);
}

ls_status ls_codes_parse(const char *text, int64_t count, float *out) {
    char *copy = strdup(text), *next = copy;
    if (copy == NULL) return LS_RAISE(LS_ERROR, "no memory for a code");
    ls_status status = LS_OK;
    int64_t found = 0;
    for (char *field; status == LS_OK && (field = strsep(&next, ",")); found++) {
        float number;
        status = parse_number(field, &number);
        if (status == LS_OK && found < count) out[found] = number;
    }
    free(copy);
    return status == LS_OK ? check_count(found, count) : status;
}

/* --- records --- */

static ls_status add_byte(csv_table *csv, char byte) {
    if (csv->bytes == csv->most) return LS_RAISE(LS_INVALID, "the line is too long for a code");
    LS_TRY(ls_grow(&csv->text, &csv->room, csv->bytes + 1, 1, "a line of codes"));
    csv->text[csv->bytes++] = byte;
    return LS_OK;
}

static ls_status begin_field(csv_table *csv) {
    LS_TRY(ls_grow(&csv->field, &csv->field_room, csv->fields + 1, sizeof *csv->field, "a line of codes"));
    csv->field[csv->fields++] = csv->bytes;
    return LS_OK;
}

/* The next byte of the file; every end of a line is '\n'. */
static int next_byte(csv_table *csv) {
    int c = getc(csv->file);
    if (c == '\r') {
        int after = getc(csv->file);
        if (after != '\n' && after != EOF) (void)ungetc(after, csv->file);
        c = '\n';
    }
    csv->lines += c == '\n';
    return c;
}

/* What stands in quotes is taken as it is; two quotes in it are one. */
static ls_status read_quoted(csv_table *csv) {
    for (;;) {
        int c = next_byte(csv);
        if (c == EOF) return LS_RAISE(LS_INVALID, "the quotes are not closed");
        if (c == '"') {
            c = getc(csv->file);
            if (c != '"') {
                if (c != EOF) (void)ungetc(c, csv->file);
                return LS_OK;
            }
        }
        LS_TRY(add_byte(csv, (char)c));
    }
}

/* A field up to what ends it, which is *end; spaces before it are not part of it. */
static ls_status read_field(csv_table *csv, int *end) {
    LS_TRY(begin_field(csv));
    int64_t begin = csv->bytes;
    for (;;) {
        int c = *end = next_byte(csv);
        if (c == EOF || c == '\n' || c == csv->separator) break;
        if (c == '\0') return LS_RAISE(LS_INVALID, "here is a zero byte; the file must be text in UTF-8");
        if (c == ' ' && csv->bytes == begin) continue;
        if (c == '"' && csv->bytes == begin)
            LS_TRY(read_quoted(csv));
        else
            LS_TRY(add_byte(csv, (char)c));
    }
    return add_byte(csv, '\0');
}

static const char *field_of(const csv_table *csv, int64_t i) { return csv->text + csv->field[i]; }

static bool is_empty(const csv_table *csv) {
    for (int64_t i = 0; i < csv->fields; i++)
        if (*field_of(csv, i)) return false;
    return true;
}

/* The next line that has something on it; *more: whether there was one. Spreadsheets write lines of separators alone
 * at the end of a table; before a line that has numbers such a one is a code without its numbers. */
static ls_status next_record(csv_table *csv, bool *more) {
    int64_t empty = 0; /* the first of these lines */
    int end = '\n';
    do {
        csv->bytes = csv->fields = 0;
        csv->line = csv->lines + 1;
        do LS_TRY(read_field(csv, &end));
        while (end == csv->separator);
        if (empty == 0 && csv->fields > 1 && is_empty(csv)) empty = csv->line;
    } while (is_empty(csv) && end != EOF);
    *more = !is_empty(csv);
    if (ferror(csv->file)) return LS_RAISE(LS_ERROR, "cannot be read: %s", strerror(errno));
    if (!*more || empty == 0) return LS_OK;
    csv->line = empty;
    return LS_RAISE(LS_INVALID, "a number is missing");
}

/* --- the beginning --- */

/* What separates fields is found in the first line; a byte order mark is passed over. */
static ls_status sniff(csv_table *csv) {
    static const char mark[] = "\xEF\xBB\xBF";
    char head[SNIFF_BYTES + 1];
    const size_t got = fread(head, 1, SNIFF_BYTES, csv->file);
    head[got] = '\0';
    if (ferror(csv->file)) return LS_RAISE(LS_ERROR, "%s: cannot be read: %s", csv->path, strerror(errno));
    if (got >= 2 && (memcmp(head, "\xFF\xFE", 2) == 0 || memcmp(head, "\xFE\xFF", 2) == 0))
        return LS_RAISE(LS_INVALID, "%s: is text in UTF-16; save it as UTF-8", csv->path);
    bool marked = strncmp(head, mark, strlen(mark)) == 0;
    head[strcspn(head, "\r\n")] = '\0';
    csv->separator = strchr(head, ';') ? ';' : !strchr(head, ',') && strchr(head, '\t') ? '\t' : ',';
    if (fseeko(csv->file, marked ? (off_t)strlen(mark) : 0, SEEK_SET) == 0) return LS_OK;
    return LS_RAISE(LS_ERROR, "%s: cannot be read: %s", csv->path, strerror(errno));
}

/* 0, 1, 2, ...: what pandas calls columns that have no names. */
static bool counts_columns(const csv_table *csv, int64_t first) {
    char number[24];
    for (int64_t i = first; i < csv->fields; i++) {
        (void)snprintf(number, sizeof number, "%" PRId64, i - first);
        if (strcmp(field_of(csv, i), number) != 0) return false;
    }
    return csv->fields > first;
}

static bool is_header(const csv_table *csv) {
    float number;
    int64_t first = *field_of(csv, 0) ? 0 : 1;
    if (first == csv->fields) return false;
    if (!is_number(field_of(csv, first), &number)) return true;
    if (!counts_columns(csv, first)) return false;
    ls_log_info("%s:%" PRId64 ": 0, 1, ... are taken for the numbers of the columns; a code would be written 0.0, 1.0",
                csv->path, csv->line);
    return true;
}

/* Columns that are known not to be part of a code: pandas' and R's numbers of rows have no heading. */
static ls_status skip_columns(csv_table *csv) {
    for (int64_t i = 0; i < csv->fields; i++) {
        const char *name = field_of(csv, i);
        bool rows = i == 0 && *name == '\0';
        if (!rows && strcasecmp(name, "label") != 0 && strcasecmp(name, "name") != 0) continue;
        if (csv->skips == SKIPPED_MAX) return LS_RAISE(LS_INVALID, "more than %d columns of labels", SKIPPED_MAX);
        csv->skipped[csv->skips++] = i;
    }
    return LS_OK;
}

/* --- codes --- */

static bool is_skipped(const csv_table *csv, int64_t column) {
    for (int i = 0; i < csv->skips; i++)
        if (csv->skipped[i] == column) return true;
    return false;
}

/* A separator at the end of a line ends its last number; it begins no other. */
static ls_status take_record(csv_table *csv, ls_codes *codes) {
    int64_t numbers = ls_shape_count(&codes->shape), at = codes->count * numbers;
    if (csv->fields == csv->skips + numbers + 1 && !*field_of(csv, csv->fields - 1)) csv->fields--;
    LS_TRY(ls_grow(&codes->data, &csv->number_room, at + numbers, sizeof(float), "codes"));
    int64_t found = 0;
    for (int64_t i = 0; i < csv->fields; i++) {
        float number;
        if (is_skipped(csv, i)) continue;
        LS_TRY(parse_number(field_of(csv, i), &number));
        if (found < numbers) codes->data[at + found] = number;
        found++;
    }
    LS_TRY(check_count(found, numbers));
    codes->count++;
    return LS_OK;
}

static ls_status read_records(csv_table *csv, ls_codes *codes) {
    bool more;
    LS_TRY(next_record(csv, &more));
    if (more && is_header(csv)) {
        LS_TRY(skip_columns(csv));
        LS_TRY(next_record(csv, &more));
    }
    while (more) {
        LS_TRY(take_record(csv, codes));
        LS_TRY(next_record(csv, &more));
    }
    return LS_OK;
}

static ls_status read_csv(csv_table *csv, ls_codes *codes) {
    LS_TRY(sniff(csv));
    if (read_records(csv, codes) != LS_OK) return ls_failure_prefix("%s:%" PRId64 ": ", csv->path, csv->line);
    if (codes->count > 0) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: has no codes", csv->path);
}

ls_status ls_codes_load_csv(const char *path, ls_codes *codes) {
    csv_table csv = {.path = path, .most = NUMBER_BYTES * ls_shape_count(&codes->shape) + OTHER_BYTES};
    LS_TRY(ls_codes_open_file(path, &csv.file));
    ls_status status = read_csv(&csv, codes);
    (void)fclose(csv.file);
    ls_free(csv.text);
    ls_free(csv.field);
    return status;
}
