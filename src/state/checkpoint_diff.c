/* checkpoint_diff.c - where two checkpoints differ; see checkpoint.h. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "state/checkpoint_format_internal.h"
#include "store/seal.h"

enum { PIECE_BYTES = 16 << 20 };

typedef struct side {
    const char *path;
    ls_array_reader *reader;
    ls_array_entry *entries;
    int count;
    float *piece;
} side;

static ls_status open_side(side *s, const char *path) {
    s->path = path;
    LS_TRY(ls_seal_verify(path));
    LS_TRY(ls_array_reader_open(path, &s->reader));
    LS_TRY(ls_array_reader_list(s->reader, &s->entries, &s->count));
    for (int i = 0; i < s->count; i++)
        if (s->entries[i].shape.dims == 0)
            return LS_RAISE(LS_INVALID, "%s: %s has a shape that no array of a checkpoint has", path,
                            s->entries[i].name);
    return LS_OK;
}

static void close_side(side *s) {
    ls_array_reader_close(s->reader);
    ls_free(s->entries);
    ls_free(s->piece);
}

/* --- arrays --- */

typedef struct difference {
    int64_t numbers; /* that differ in any bit */
    double largest;
} difference;

static void compare_numbers(int64_t count, const float *a, const float *b, difference *d) {
    if (memcmp(a, b, (size_t)count * sizeof *a) == 0) return;
    for (int64_t i = 0; i < count; i++) {
        if (memcmp(&a[i], &b[i], sizeof *a) == 0) continue;
        double apart = fabs((double)a[i] - (double)b[i]);
        d->numbers++;
        if (!(apart <= d->largest)) d->largest = isnan(apart) ? HUGE_VAL : apart;
    }
}

static ls_status compare_values(side *a, side *b, const ls_array_entry *entry, difference *d) {
    int64_t rows = entry->shape.dim[0], row_floats = ls_shape_count(&entry->shape) / rows;
    int64_t fit = PIECE_BYTES / (row_floats * (int64_t)sizeof(float)), step = fit > 0 ? fit : 1;
    ls_free(a->piece);
    ls_free(b->piece);
    b->piece = NULL;
    LS_TRY(ls_alloc(&a->piece, step * row_floats, sizeof(float), "a piece of a checkpoint"));
    LS_TRY(ls_alloc(&b->piece, step * row_floats, sizeof(float), "a piece of a checkpoint"));
    for (int64_t row = 0; row < rows; row += step) {
        int64_t now = rows - row < step ? rows - row : step;
        LS_TRY(ls_array_reader_read(a->reader, entry->name, row, now, a->piece));
        LS_TRY(ls_array_reader_read(b->reader, entry->name, row, now, b->piece));
        compare_numbers(now * row_floats, a->piece, b->piece, d);
    }
    return LS_OK;
}

static const ls_array_entry *find_entry(const side *s, const char *name) {
    for (int i = 0; i < s->count; i++)
        if (strcmp(s->entries[i].name, name) == 0) return &s->entries[i];
    return NULL;
}

static ls_status compare_array(side *a, side *b, const ls_array_entry *entry, FILE *out, bool *equal) {
    const ls_array_entry *other = find_entry(b, entry->name);
    char text[2][LS_SHAPE_TEXT_MAX];
    difference d = {0};
    if (other && ls_shape_equal(&entry->shape, &other->shape)) {
        LS_TRY(compare_values(a, b, entry, &d));
        if (d.numbers == 0) return LS_OK;
        fprintf(out, "%s: %" PRId64 " of %" PRId64 " numbers differ, by %.3g at most\n", entry->name, d.numbers,
                ls_shape_count(&entry->shape), d.largest);
    } else if (other) {
        fprintf(out, "%s: %s and %s\n", entry->name, ls_shape_text(&entry->shape, text[0]),
                ls_shape_text(&other->shape, text[1]));
    } else {
        fprintf(out, "%s: only in %s\n", entry->name, a->path);
    }
    *equal = false;
    return LS_OK;
}

static ls_status compare_arrays(side *a, side *b, FILE *out, bool *equal) {
    for (int i = 0; i < a->count; i++) LS_TRY(compare_array(a, b, &a->entries[i], out, equal));
    for (int i = 0; i < b->count; i++) {
        if (find_entry(a, b->entries[i].name)) continue;
        fprintf(out, "%s: only in %s\n", b->entries[i].name, b->path);
        *equal = false;
    }
    return LS_OK;
}

/* --- attributes --- */

/* first: what people count from, where the file counts from 0. */
static ls_status compare_attribute(side *a, side *b, const char *name, ls_number type, int64_t first, FILE *out,
                                   bool *equal) {
    union {
        int64_t integer;
        double real;
    } x, y;
    LS_TRY(ls_array_reader_get_number(a->reader, name, type, &x));
    LS_TRY(ls_array_reader_get_number(b->reader, name, type, &y));
    if (x.integer == y.integer) return LS_OK;
    *equal = false;
    if (type == LS_NUMBER_INT64)
        fprintf(out, "%s: %" PRId64 " and %" PRId64 "\n", name, x.integer + first, y.integer + first);
    else
        fprintf(out, "%s: %.17g and %.17g\n", name, x.real, y.real);
    return LS_OK;
}

static ls_status compare_attributes(side *a, side *b, FILE *out, bool *equal) {
    LS_TRY(compare_attribute(a, b, "lanes", LS_NUMBER_INT64, 0, out, equal));
    for (int f = 0; f < LS_POSITION_FIELDS; f++) {
        const ls_position_field *field = &ls_position_fields[f];
        if (field->offset == offsetof(ls_position, seconds)) continue; /* never the same twice */
        bool from_1 = field->offset == offsetof(ls_position, best_epoch);
        LS_TRY(compare_attribute(a, b, field->name, field->type, from_1, out, equal));
    }
    return LS_OK;
}

ls_status ls_checkpoint_diff(const char *path_a, const char *path_b, FILE *out, bool *equal) {
    side a = {0}, b = {0};
    *equal = true;
    ls_status status = open_side(&a, path_a);
    if (status == LS_OK) status = open_side(&b, path_b);
    if (status == LS_OK) status = compare_attributes(&a, &b, out, equal);
    if (status == LS_OK) status = compare_arrays(&a, &b, out, equal);
    close_side(&a);
    close_side(&b);
    return status;
}
