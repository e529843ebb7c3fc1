/* array_writer.c - the writing half of array_file.h. HDF5 makes the file in memory, without the arrays' data. Its bytes
 * are copied to the disk, and the arrays are written to the places that HDF5 has reserved for them. */
#include <assert.h>
#include <errno.h>
#include <hdf5.h>
#include <stdio.h>
#include <string.h>

#include "base/descriptor.h"
#include "base/integers.h"
#include "base/memory.h"
#include "store/array_driver_internal.h"
#include "store/array_file.h"
#include "store/hdf5.h"

typedef struct place {
    char *name;
    int64_t offset; /* in the file; -1 before ls_array_writer_begin */
    int64_t rows, row_bytes;
} place;

struct ls_array_writer {
    const ls_file *file;
    ls_array_backing backing; /* the bytes that HDF5 writes */
    hid_t description;
    int places;
    int64_t room;
    place *place; /* [places], in the order in which they were added */
};

/* --- the description --- */

static ls_status fail_describe(const ls_array_writer *writer, const char *name) {
    return LS_RAISE(LS_ERROR, "%s: HDF5 cannot describe %s: %s", writer->file->path, name, ls_hdf5_reason());
}

/* The format does not depend on the library's version, so that old and new readers can read it. */
static ls_status open_description(ls_array_writer *writer, int64_t user_block_bytes) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
    H5Pset_userblock(create, (hsize_t)user_block_bytes);
    H5Pset_obj_track_times(create, false); /* of the root group */
    ls_status status = ls_array_driver_use(&writer->backing, access);
    if (status == LS_OK) {
        writer->description = H5Fcreate(writer->file->part, H5F_ACC_TRUNC, create, access);
        if (writer->description < 0) status = fail_describe(writer, "the file");
    }
    H5Pclose(create);
    H5Pclose(access);
    return status;
}

ls_status ls_array_writer_create(const ls_file *file, int64_t user_block_bytes, ls_array_writer **out) {
    ls_array_writer *writer;
    *out = NULL;
    LS_TRY(ls_alloc(&writer, 1, sizeof *writer, "the description of a file"));
    *writer = (ls_array_writer){.file = file, .backing.fd = -1, .description = H5I_INVALID_HID};
    ls_hdf5_lock();
    ls_status status = open_description(writer, user_block_bytes);
    ls_hdf5_unlock();
    if (status == LS_OK)
        *out = writer;
    else
        ls_array_writer_destroy(writer);
    return status;
}

/* HDF5 writes most of the description only when it closes the file. */
static ls_status close_description(ls_array_writer *writer) {
    herr_t closed = H5Fclose(writer->description);
    writer->description = H5I_INVALID_HID;
    if (closed < 0) return fail_describe(writer, "the file");
    if (!writer->backing.lost) return LS_OK;
    return LS_RAISE(LS_ERROR, "%s: no memory for its description", writer->file->path);
}

void ls_array_writer_destroy(ls_array_writer *writer) {
    if (writer == NULL) return;
    ls_hdf5_lock();
    if (writer->description >= 0) H5Fclose(writer->description);
    ls_hdf5_unlock();
    ls_array_memory_release(&writer->backing.memory);
    for (int i = 0; i < writer->places; i++) ls_free(writer->place[i].name);
    ls_free(writer->place);
    ls_free(writer);
}

/* Makes the groups above an array. HDF5 could do that itself, but only with time stamps. */
static ls_status describe_groups(ls_array_writer *writer, const char *name) {
    char path[LS_PATH_MAX];
    snprintf(path, sizeof path, "%s", name);
    hid_t create = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(create, false);
    ls_status status = LS_OK;
    for (char *slash = strchr(path + 1, '/'); slash != NULL && status == LS_OK; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (H5Lexists(writer->description, path, H5P_DEFAULT) <= 0) {
            hid_t group = H5Gcreate2(writer->description, path, H5P_DEFAULT, create, H5P_DEFAULT);
            if (group >= 0)
                H5Gclose(group);
            else
                status = fail_describe(writer, path);
        }
        *slash = '/';
    }
    H5Pclose(create);
    return status;
}

/* The space is reserved now. It is not filled, since all of it will be written. */
static ls_status describe_array(ls_array_writer *writer, const char *name, int64_t rows, const ls_shape *shape) {
    LS_TRY(describe_groups(writer, name));
    hsize_t dim[1 + LS_DIMS_MAX] = {(hsize_t)rows};
    int dims = rows > 0 ? 1 : 0;
    for (int d = 0; d < shape->dims; d++) dim[dims++] = (hsize_t)shape->dim[d];
    hid_t space = H5Screate_simple(dims, dim, NULL), create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(create, false);
    H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(create, H5D_FILL_TIME_NEVER);
    hid_t array = H5Dcreate2(writer->description, name, H5T_NATIVE_FLOAT, space, H5P_DEFAULT, create, H5P_DEFAULT);
    ls_status status = array >= 0 ? LS_OK : fail_describe(writer, name);
    if (array >= 0) H5Dclose(array);
    H5Pclose(create);
    H5Sclose(space);
    return status;
}

static ls_status remember(ls_array_writer *writer, const char *name, int64_t rows, int64_t bytes) {
    LS_TRY(ls_grow(&writer->place, &writer->room, writer->places + 1, sizeof *writer->place, "a list of arrays"));
    place *last = &writer->place[writer->places];
    int64_t length = (int64_t)strlen(name) + 1;
    LS_TRY(ls_alloc(&last->name, length, 1, "an array's name"));
    memcpy(last->name, name, (size_t)length);
    last->offset = -1;
    last->rows = rows;
    last->row_bytes = bytes / rows;
    writer->places++;
    return LS_OK;
}

ls_status ls_array_writer_add(ls_array_writer *writer, const char *name, int64_t rows, const ls_shape *shape) {
    int64_t bytes = (rows > 0 ? rows : 1) * ls_shape_count(shape) * (int64_t)sizeof(float);
    ls_hdf5_lock();
    ls_status status = describe_array(writer, name, rows, shape);
    ls_hdf5_unlock();
    return status == LS_OK ? remember(writer, name, rows > 0 ? rows : shape->dim[0], bytes) : status;
}

static ls_status put(ls_array_writer *writer, const char *name, hid_t type, const void *value) {
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(writer->description, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool good = attribute >= 0 && H5Awrite(attribute, type, value) >= 0;
    ls_status status = good ? LS_OK : fail_describe(writer, name);
    if (attribute >= 0) H5Aclose(attribute);
    H5Sclose(space);
    return status;
}

ls_status ls_array_writer_put_number(ls_array_writer *writer, const char *name, ls_number type, const void *value) {
    ls_hdf5_lock();
    ls_status status = put(writer, name, type == LS_NUMBER_INT64 ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE, value);
    ls_hdf5_unlock();
    return status;
}

ls_status ls_array_writer_put_text(ls_array_writer *writer, const char *name, const char *text) {
    ls_hdf5_lock();
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, strlen(text) + 1);
    H5Tset_cset(type, H5T_CSET_UTF8);
    ls_status status = put(writer, name, type, text);
    H5Tclose(type);
    ls_hdf5_unlock();
    return status;
}

/* --- the file --- */

static ls_status write_at(const ls_array_writer *writer, const char *name, int64_t offset, const void *data,
                          int64_t bytes) {
    if (ls_fd_write_at(writer->file->fd, data, bytes, offset)) return LS_OK;
    return LS_RAISE(LS_ERROR, "%s: cannot write %s: %s", writer->file->path, name, strerror(errno));
}

static ls_status find_places(ls_array_writer *writer) {
    for (int i = 0; i < writer->places; i++) {
        place *p = &writer->place[i];
        hid_t array = H5Dopen2(writer->description, p->name, H5P_DEFAULT);
        haddr_t offset = array >= 0 ? H5Dget_offset(array) : HADDR_UNDEF;
        if (array >= 0) H5Dclose(array);
        if (offset == HADDR_UNDEF) return fail_describe(writer, p->name);
        p->offset = (int64_t)offset;
    }
    return LS_OK;
}

/* So a full disk or a limit on files is found before anything is written. */
static ls_status reserve(const ls_array_writer *writer) {
    if (ls_fd_reserve(writer->file->fd, writer->backing.bytes)) return LS_OK;
    return LS_RAISE(LS_ERROR, "%s: no room for its %lld bytes: %s", writer->file->path,
                    (long long)writer->backing.bytes, strerror(errno));
}

static ls_status copy_description(const ls_array_writer *writer) {
    const ls_array_memory *memory = &writer->backing.memory;
    for (int64_t i = 0; i < memory->pages; i++) {
        const ls_array_page *page = &memory->page[i];
        int64_t bytes = ls_min(LS_ARRAY_PAGE_BYTES, writer->backing.bytes - page->at);
        LS_TRY(write_at(writer, "its description", page->at, page->bytes, bytes));
    }
    return LS_OK;
}

ls_status ls_array_writer_begin(ls_array_writer *writer) {
    ls_hdf5_lock();
    ls_status status = find_places(writer);
    if (status == LS_OK) status = close_description(writer);
    ls_hdf5_unlock();
    if (status == LS_OK) status = reserve(writer);
    return status == LS_OK ? copy_description(writer) : status;
}

ls_status ls_array_writer_write(ls_array_writer *writer, const char *name, int64_t first, int64_t rows,
                                const float *data) {
    const place *p = writer->place;
    while (p < writer->place + writer->places && strcmp(p->name, name) != 0) p++;
    assert(p < writer->place + writer->places && p->offset >= 0 && first + rows <= p->rows);
    return write_at(writer, name, p->offset + first * p->row_bytes, data, rows * p->row_bytes);
}
