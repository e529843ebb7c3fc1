/* outputs.c - files of arrays that come in pieces; see outputs.h. */
#include "lockstep/outputs.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "array_file.h"
#include "lockstep/file.h"
#include "lockstep/memory.h"

struct ls_sink {
    ls_file file;
    ls_array_writer *writer; /* NULL: an .npy file */
    int64_t total, done;     /* samples */
    int64_t sample_floats;
};

static ls_status begin_hdf5(ls_sink *sink, const ls_shape *shape) {
    LS_TRY(ls_array_writer_create(&sink->file, 0, &sink->writer));
    LS_TRY(ls_array_writer_add(sink->writer, "/data", sink->total, shape));
    return ls_array_writer_begin(sink->writer);
}

/* https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html: magic, version, length of the header, header,
 * spaces up to a multiple of 64 bytes that ends in a newline. */
static ls_status begin_npy(ls_sink *sink, const ls_shape *shape) {
    char text[256] = "\x93NUMPY\x01"; /* and a zero: version 1.0 */
    const int header = 10, room = (int)sizeof text - header;
    const char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>';
    int used = snprintf(text + header, (size_t)room, "{'descr': '%cf4', 'fortran_order': False, 'shape': (%" PRId64 ",",
                        order, sink->total);
    for (int d = 0; d < shape->dims; d++)
        used += snprintf(text + header + used, (size_t)(room - used), " %" PRId64 ",", shape->dim[d]);
    used += snprintf(text + header + used, (size_t)(room - used), "), }");
    int end = (header + used + 1 + 63) / 64 * 64;
    memset(text + header + used, ' ', (size_t)(end - header - used));
    text[end - 1] = '\n';
    text[8] = (char)((end - header) & 0xff);
    text[9] = (char)((end - header) >> 8);
    return ls_file_write(&sink->file, text, end);
}

static bool ends_with(const char *path, const char *ending) {
    size_t length = strlen(path), tail = strlen(ending);
    return length > tail && strcmp(path + length - tail, ending) == 0;
}

ls_status ls_sink_open(const char *path, int64_t total, const ls_shape *shape, ls_sink **out) {
    ls_sink *sink;
    bool hdf5 = ends_with(path, ".h5");
    *out = NULL;
    if (!hdf5 && !ends_with(path, ".npy"))
        return LS_RAISE(LS_INVALID, "%s: the name must end in .h5 (HDF5) or .npy (NumPy), or for pictures in .png",
                        path);
    LS_TRY(ls_alloc(&sink, 1, sizeof *sink, "an output file"));
    *sink = (ls_sink){.file.fd = -1, .total = total, .sample_floats = ls_shape_count(shape)};
    ls_status status = ls_file_create(path, &sink->file);
    if (status == LS_OK) status = hdf5 ? begin_hdf5(sink, shape) : begin_npy(sink, shape);
    if (status == LS_OK)
        *out = sink;
    else
        (void)ls_sink_close(sink, false);
    return status;
}

ls_status ls_sink_append(ls_sink *sink, int64_t count, const float *data) {
    assert(sink->done + count <= sink->total);
    int64_t first = sink->done;
    sink->done += count;
    if (sink->writer) return ls_array_writer_write(sink->writer, "/data", first, count, data);
    return ls_file_write(&sink->file, data, count * sink->sample_floats * (int64_t)sizeof *data);
}

ls_status ls_sink_close(ls_sink *sink, bool keep) {
    if (!sink) return LS_OK;
    assert(!keep || sink->done == sink->total);
    ls_array_writer_destroy(sink->writer);
    ls_status status = keep ? ls_file_commit(&sink->file) : LS_OK;
    ls_file_discard(&sink->file);
    ls_free(sink);
    return status;
}
