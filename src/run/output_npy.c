/* output_npy.c - an output as NumPy saves arrays.
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lockstep/file.h"
#include "lockstep/memory.h"
#include "output_format.h"

typedef struct npy_file {
    ls_file file;
    int64_t sample_bytes;
} npy_file;

/* Magic, version, length of the header, header, spaces up to a multiple of 64 bytes that ends in a newline. */
static ls_status write_header(ls_file *file, const ls_sink_spec *spec) {
    char text[256] = "\x93NUMPY\x01"; /* and a zero: version 1.0 */
    const int header = 10, room = (int)sizeof text - header;
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

static ls_status open_file(const char *path, const ls_sink_spec *spec, void **state) {
    npy_file *npy;
    LS_TRY(ls_alloc(&npy, 1, sizeof *npy, "an output file"));
    *state = npy;
    npy->file.fd = -1;
    npy->sample_bytes = ls_shape_count(&spec->shape) * (int64_t)sizeof(float);
    LS_TRY(ls_file_create(path, &npy->file));
    ls_file_guard(&npy->file);
    return write_header(&npy->file, spec);
}

static ls_status append(void *state, int64_t count, const float *data, const int32_t *labels,
                        const char *const *names) {
    (void)labels, (void)names;
    npy_file *npy = state;
    return ls_file_write(&npy->file, data, count * npy->sample_bytes);
}

static ls_status close_file(void *state, bool keep) {
    npy_file *npy = state;
    ls_status status = keep ? ls_file_commit(&npy->file) : LS_OK;
    ls_file_discard(&npy->file);
    ls_free(npy);
    return status;
}

const ls_output_format ls_output_npy = {
    .ending = ".npy", .name = "NumPy", .open = open_file, .append = append, .close = close_file};
