/* array_writer.c - see array_file.h. HDF5 describes the file in memory; what it made is copied to the disk, and the
 * arrays are then written to the places that it set aside for them. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "array_file.h"
#include "lockstep/dataset.h"
#include "lockstep/memory.h"

typedef struct place {
    char *name;
    int64_t offset; /* in the file; -1 before ls_array_writer_begin */
    int64_t rows, row_bytes;
} place;

struct ls_array_writer {
    const ls_file *file;
    int memory; /* descriptor of the memory that HDF5 takes for its file */
    hid_t description;
    int64_t bytes; /* of arrays and texts so far, and the user block */
    int places;
    int64_t room;
    place *place; /* [places], in the order in which they were added */
};

enum { COPY_BYTES = 64 << 10, OVERHEAD_BYTES = 1 << 20 /* more than names and addresses take */ };

/* --- the description --- */

/* HDF5 opens files by name only, and resolves links, so memory has no name to give it. So it opens the new file, and
 * then its descriptor is made to lead to memory. What it has written by then, the superblock, it writes again when it
 * knows the file's length. */
static int divert_to_memory(hid_t description) {
    int *descriptor = NULL;
    int memory = memfd_create("lockstep", MFD_CLOEXEC);
    if (memory < 0) return -1;
    if (H5Fget_vfd_handle(description, H5P_DEFAULT, (void **)&descriptor) >= 0 && dup2(memory, *descriptor) >= 0)
        return memory;
    (void)close(memory);
    return -1;
}

static ls_status fail_describe(const ls_array_writer *writer, const char *name) {
    return LS_RAISE(LS_ERROR, "%s: HDF5 cannot describe %s: %s", writer->file->path, name, ls_hdf5_reason());
}

/* One format, whatever the library's version, so that old readers and new ones can read it. */
static ls_status create_description(ls_array_writer *writer, int64_t user_block_bytes) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
    H5Pset_file_locking(access, false, true);
    H5Pset_userblock(create, (hsize_t)user_block_bytes);
    H5Pset_obj_track_times(create, false); /* of the root group */
    writer->description = H5Fcreate(writer->file->part, H5F_ACC_TRUNC, create, access);
    ls_status status = writer->description >= 0 ? LS_OK : fail_describe(writer, "the file");
    H5Pclose(create);
    H5Pclose(access);
    return status;
}

/* Takes the disk's room beforehand: a full disk or a limit on files is known before HDF5 has anything to write. Only
 * what is new: some file systems walk over the whole range. */
static ls_status reserve(ls_array_writer *writer, const char *name, int64_t bytes) {
    int error;
    do error = fallocate(writer->file->fd, 0, writer->bytes, bytes + OVERHEAD_BYTES) == 0 ? 0 : errno;
    while (error == EINTR); /* a signal to stop came, and this save is why we do not stop at once */
    writer->bytes += bytes;
    if (error == 0 || error == EOPNOTSUPP || error == ENOSYS) return LS_OK;
    return LS_RAISE(LS_ERROR, "%s: no room for %s: %s", writer->file->path, name, strerror(error));
}

static ls_status open_description(ls_array_writer *writer, int64_t user_block_bytes) {
    LS_TRY(reserve(writer, "its description", user_block_bytes));
    LS_TRY(create_description(writer, user_block_bytes));
    writer->memory = divert_to_memory(writer->description);
    if (writer->memory >= 0) return LS_OK;
    return LS_RAISE(LS_ERROR, "%s: no memory to describe it: %s", writer->file->path, strerror(errno));
}

ls_status ls_array_writer_create(const ls_file *file, int64_t user_block_bytes, ls_array_writer **out) {
    ls_array_writer *writer;
    *out = NULL;
    LS_TRY(ls_alloc(&writer, 1, sizeof *writer, "the description of a file"));
    *writer = (ls_array_writer){.file = file, .memory = -1, .description = H5I_INVALID_HID};
    ls_hdf5_lock();
    ls_status status = open_description(writer, user_block_bytes);
    ls_hdf5_unlock();
    if (status == LS_OK)
        *out = writer;
    else
        ls_array_writer_destroy(writer);
    return status;
}

static void close_description(ls_array_writer *writer) {
    ls_hdf5_lock();
    if (writer->description >= 0) H5Fclose(writer->description);
    writer->description = H5I_INVALID_HID;
    ls_hdf5_unlock();
}

void ls_array_writer_destroy(ls_array_writer *writer) {
    if (!writer) return;
    close_description(writer);
    if (writer->memory >= 0) (void)close(writer->memory);
    for (int i = 0; i < writer->places; i++) ls_free(writer->place[i].name);
    ls_free(writer->place);
    ls_free(writer);
}

/* Makes the groups above an array. HDF5 would do it by itself, but with time stamps. */
static ls_status describe_groups(ls_array_writer *writer, const char *name) {
    char path[LS_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", name);
    hid_t create = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(create, false);
    ls_status status = LS_OK;
    for (char *slash = strchr(path + 1, '/'); slash && status == LS_OK; slash = strchr(slash + 1, '/')) {
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

/* Space is set aside now, and not filled, since all of it will be written. */
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
    LS_TRY(reserve(writer, name, bytes));
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
    LS_TRY(reserve(writer, name, (int64_t)strlen(text)));
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
    const char *next = data;
    while (bytes > 0) {
        ssize_t written = pwrite(writer->file->fd, next, (size_t)bytes, offset);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0)
            return LS_RAISE(LS_ERROR, "%s: cannot write %s: %s", writer->file->path, name, strerror(errno));
        next += written;
        offset += written;
        bytes -= written;
    }
    return LS_OK;
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
    if (H5Fflush(writer->description, H5F_SCOPE_LOCAL) < 0) return fail_describe(writer, "the file");
    return LS_OK;
}

static ls_status copy_range(const ls_array_writer *writer, int64_t begin, int64_t end) {
    static const char what[] = "its description";
    char buffer[COPY_BYTES];
    while (begin < end) {
        size_t want = end - begin < COPY_BYTES ? (size_t)(end - begin) : COPY_BYTES;
        ssize_t got = pread(writer->memory, buffer, want, begin);
        if (got <= 0) return LS_RAISE(LS_ERROR, "%s: cannot copy %s", writer->file->path, what);
        LS_TRY(write_at(writer, what, begin, buffer, got));
        begin += got;
    }
    return LS_OK;
}

/* Copies what HDF5 wrote, not the holes that it left for the arrays. */
static ls_status copy_description(const ls_array_writer *writer) {
    int64_t end = lseek(writer->memory, 0, SEEK_END);
    int64_t data = lseek(writer->memory, 0, SEEK_DATA);
    while (data >= 0 && data < end) {
        int64_t hole = lseek(writer->memory, data, SEEK_HOLE);
        LS_TRY(copy_range(writer, data, hole));
        data = lseek(writer->memory, hole, SEEK_DATA);
    }
    if (ftruncate(writer->file->fd, end) == 0) return LS_OK;
    return LS_RAISE(LS_ERROR, "%s: cannot be given its length: %s", writer->file->path, strerror(errno));
}

ls_status ls_array_writer_begin(ls_array_writer *writer) {
    ls_hdf5_lock();
    ls_status status = find_places(writer);
    ls_hdf5_unlock();
    close_description(writer);
    return status == LS_OK ? copy_description(writer) : status;
}

ls_status ls_array_writer_write(ls_array_writer *writer, const char *name, int64_t first, int64_t rows,
                                const float *data) {
    const place *p = writer->place;
    while (p < writer->place + writer->places && strcmp(p->name, name) != 0) p++;
    assert(p < writer->place + writer->places && p->offset >= 0 && first + rows <= p->rows);
    return write_at(writer, name, p->offset + first * p->row_bytes, data, rows * p->row_bytes);
}
