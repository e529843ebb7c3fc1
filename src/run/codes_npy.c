/* codes_npy.c - codes out of NumPy's files; see codes.h and output_npy.c. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "run/codes.h"

typedef struct npy_array {
    const char *path;
    FILE *file;
    size_t item_bytes; /* 4 or 8 */
    int64_t rows, row_numbers;
} npy_array;

/* "(10, 4, 4, 8)": the rows, and the numbers of each. */
static bool parse_npy_shape(const char *text, npy_array *npy) {
    char *end;
    errno = 0;
    npy->rows = strtoll(text, &end, 10);
    npy->row_numbers = 1;
    while (end != text && *end == ',' && end[1] != ')') {
        text = end + 1;
        if (__builtin_mul_overflow(npy->row_numbers, strtoll(text, &end, 10), &npy->row_numbers)) return false;
    }
    return errno == 0 && end != text && npy->rows > 0 && npy->row_numbers > 0;
}

static ls_status parse_npy_header(const char *header, npy_array *npy) {
    const char *shape = strstr(header, "'shape': (");
    bool f4 = strstr(header, "'descr': '<f4'"), f8 = strstr(header, "'descr': '<f8'");
    npy->item_bytes = f4 ? sizeof(float) : sizeof(double);
    if (!(f4 || f8) || !strstr(header, "'fortran_order': False"))
        return LS_RAISE(LS_INVALID,
                        "%s: must hold float32 or float64, little-endian, in C's order; save "
                        "np.ascontiguousarray(codes, dtype='<f4')",
                        npy->path);
    if (shape && parse_npy_shape(shape + strlen("'shape': ("), npy)) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: is damaged, or has no codes", npy->path);
}

/* Magic, version, and the header's length: two bytes in version 1, four after it. */
static ls_status read_npy_header(npy_array *npy) {
    unsigned char start[12] = {0};
    char header[4096] = "";
    size_t length = 0;
    bool good = fread(start, 1, 10, npy->file) == 10 && memcmp(start, "\x93NUMPY", 6) == 0;
    if (good && start[6] > 1) good = fread(start + 10, 1, 2, npy->file) == 2;
    length = start[8] + 256U * start[9] + 65536U * start[10];
    good = good && length < sizeof header && fread(header, 1, length, npy->file) == length;
    return good ? parse_npy_header(header, npy) : LS_RAISE(LS_INVALID, "%s: is not an .npy file", npy->path);
}

/* Before there is memory for what the header says. */
static ls_status check_npy_length(const npy_array *npy) {
    struct stat info;
    int64_t bytes, at = ftello(npy->file);
    if (fstat(fileno(npy->file), &info) != 0)
        return LS_RAISE(LS_ERROR, "%s: cannot be read: %s", npy->path, strerror(errno));
    if (!__builtin_mul_overflow(npy->rows, npy->row_numbers * (int64_t)npy->item_bytes, &bytes) &&
        bytes <= info.st_size - at)
        return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: is cut short", npy->path);
}

static bool read_npy_number(const npy_array *npy, float *out) {
    double number;
    if (npy->item_bytes == sizeof *out) return fread(out, sizeof *out, 1, npy->file) == 1;
    bool read = fread(&number, sizeof number, 1, npy->file) == 1;
    if (read) *out = (float)number;
    return read;
}

static ls_status read_npy(npy_array *npy, ls_codes *codes) {
    char text[LS_SHAPE_TEXT_MAX];
    LS_TRY(read_npy_header(npy));
    int64_t numbers = ls_shape_count(&codes->shape);
    if (npy->row_numbers != numbers)
        return LS_RAISE(LS_INVALID, "%s: has %" PRId64 " %s a row, but codes are %s", npy->path, npy->row_numbers,
                        ls_plural(npy->row_numbers, "number", "numbers"), ls_shape_text(&codes->shape, text));
    LS_TRY(check_npy_length(npy));
    codes->count = npy->rows;
    LS_TRY(ls_alloc(&codes->data, npy->rows * numbers, sizeof(float), "codes"));
    for (int64_t i = 0; i < npy->rows * numbers; i++)
        if (!read_npy_number(npy, &codes->data[i])) return LS_RAISE(LS_INVALID, "%s: is cut short", npy->path);
    return ls_codes_check(npy->path, codes, 0, npy->rows, codes->data);
}

ls_status ls_codes_load_npy(const char *path, ls_codes *codes) {
    npy_array npy = {.path = path};
    LS_TRY(ls_codes_open_file(path, &npy.file));
    ls_status status = read_npy(&npy, codes);
    (void)fclose(npy.file);
    return status;
}
