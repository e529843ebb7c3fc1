/* array_reader.c - the reading half of array_file.h. Each public function takes HDF5's lock around a static function
 * that does the work. */
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/memory.h"
#include "store/array_driver_internal.h"
#include "store/array_file.h"
#include "store/hdf5.h"

struct ls_array_reader {
    ls_array_backing backing;
    hid_t id;
    hid_t links; /* properties that refuse links out of the file */
    char path[LS_PATH_MAX];
};

static ls_status fail_read(const ls_array_reader *reader, const char *name) {
    return LS_RAISE(ls_hdf5_fault(), "%s: cannot read %s: %s", reader->path, name, ls_hdf5_reason());
}

/* HDF5 asks this before it follows a link to another file. */
static herr_t refuse_link(const char *from, const char *group, const char *to, const char *name, unsigned *flags,
                          hid_t access, void *context) {
    (void)from, (void)group, (void)to, (void)name, (void)flags, (void)access, (void)context;
    return -1;
}

static ls_status open_hdf5(ls_array_reader *reader) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    ls_status status = ls_array_driver_use(&reader->backing, access);
    reader->links = H5Pcreate(H5P_DATASET_ACCESS);
    H5Pset_elink_cb(reader->links, refuse_link, NULL);
    if (status == LS_OK) {
        reader->id = H5Fopen(reader->path, H5F_ACC_RDONLY, access);
        if (reader->id < 0) status = fail_read(reader, "it as HDF5");
    }
    H5Pclose(access);
    return status;
}

static ls_status open_file(ls_array_reader *reader) {
    struct stat about;
    reader->backing.fd = ls_fd_open(reader->path, O_RDONLY | O_NONBLOCK);
    if (reader->backing.fd < 0 || fstat(reader->backing.fd, &about) != 0)
        return LS_RAISE(LS_ERROR, "%s: cannot be read: %s", reader->path, strerror(errno));
    reader->backing.bytes = about.st_size;
    ls_hdf5_lock();
    ls_status status = open_hdf5(reader);
    ls_hdf5_unlock();
    return status;
}

ls_status ls_array_reader_open(const char *path, ls_array_reader **out) {
    ls_array_reader *reader;
    *out = NULL;
    LS_TRY(ls_alloc(&reader, 1, sizeof *reader, "an open file"));
    *reader = (ls_array_reader){.backing.fd = -1, .id = H5I_INVALID_HID, .links = H5I_INVALID_HID};
    snprintf(reader->path, sizeof reader->path, "%s", path);
    ls_status status = open_file(reader);
    if (status == LS_OK)
        *out = reader;
    else
        ls_array_reader_close(reader);
    return status;
}

void ls_array_reader_close(ls_array_reader *reader) {
    if (reader == NULL) return;
    ls_hdf5_lock();
    if (reader->links >= 0) H5Pclose(reader->links);
    if (reader->id >= 0) H5Fclose(reader->id);
    ls_hdf5_unlock();
    if (reader->backing.fd >= 0) close(reader->backing.fd);
    ls_free(reader);
}

/* --- arrays --- */

/* {0}: a shape that an array of ours cannot have, or that is too large to count. */
static ls_shape make_shape(int dims, const hsize_t *dim) {
    ls_shape shape = {.dims = dims};
    int64_t bytes = sizeof(float);
    if (dims < 1 || dims > LS_DIMS_MAX) return (ls_shape){0};
    for (int d = 0; d < dims; d++) {
        if (dim[d] == 0 || __builtin_mul_overflow(bytes, dim[d], &bytes)) return (ls_shape){0};
        shape.dim[d] = (int64_t)dim[d];
    }
    return shape;
}

static ls_shape shape_of(hid_t array) {
    hsize_t dim[H5S_MAX_RANK];
    hid_t space = H5Dget_space(array);
    int dims = H5Sget_simple_extent_dims(space, dim, NULL);
    H5Sclose(space);
    return make_shape(dims, dim);
}

/* Whether an array is as Lockstep writes it: float32, contiguous, in this file. */
static bool is_plain(hid_t array) {
    hid_t properties = H5Dget_create_plist(array), type = H5Dget_type(array);
    bool plain = properties >= 0 && type >= 0 && H5Pget_layout(properties) == H5D_CONTIGUOUS &&
                 H5Pget_external_count(properties) == 0 && H5Tequal(type, H5T_NATIVE_FLOAT) > 0;
    if (type >= 0) H5Tclose(type);
    if (properties >= 0) H5Pclose(properties);
    return plain;
}

static ls_status open_array(ls_array_reader *reader, const char *name, hid_t *array) {
    *array = H5Dopen2(reader->id, name, reader->links);
    if (*array < 0 && ls_hdf5_fault() == LS_ERROR) return fail_read(reader, name);
    if (*array < 0) return LS_RAISE(LS_INVALID, "%s: has no array %s", reader->path, name);
    if (is_plain(*array)) return LS_OK;
    H5Dclose(*array);
    return LS_RAISE(LS_INVALID, "%s: %s is not an array as checkpoints have it", reader->path, name);
}

static ls_status get_shape(ls_array_reader *reader, const char *name, ls_shape *shape) {
    hid_t array;
    LS_TRY(open_array(reader, name, &array));
    *shape = shape_of(array);
    H5Dclose(array);
    return LS_OK;
}

ls_status ls_array_reader_shape(ls_array_reader *reader, const char *name, ls_shape *shape) {
    ls_hdf5_lock();
    ls_status status = get_shape(reader, name, shape);
    ls_hdf5_unlock();
    return status;
}

static ls_status read_rows(ls_array_reader *reader, const char *name, int64_t first, int64_t rows, float *data) {
    hsize_t start[LS_DIMS_MAX] = {(hsize_t)first}, count[LS_DIMS_MAX];
    hid_t array;
    LS_TRY(open_array(reader, name, &array));
    hid_t in_file = H5Dget_space(array);
    int dims = H5Sget_simple_extent_dims(in_file, count, NULL);
    count[0] = (hsize_t)rows;
    hid_t in_memory = H5Screate_simple(dims, count, NULL);
    herr_t done = H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start, NULL, count, NULL);
    if (done >= 0) done = H5Dread(array, H5T_NATIVE_FLOAT, in_memory, in_file, H5P_DEFAULT, data);
    ls_status status = done >= 0 ? LS_OK : fail_read(reader, name);
    H5Sclose(in_memory);
    H5Sclose(in_file);
    H5Dclose(array);
    return status;
}

ls_status ls_array_reader_read(ls_array_reader *reader, const char *name, int64_t first, int64_t rows, float *data) {
    ls_hdf5_lock();
    ls_status status = read_rows(reader, name, first, rows, data);
    ls_hdf5_unlock();
    return status;
}

typedef struct listing {
    hid_t links;
    ls_array_entry *entries; /* NULL: count only */
    int count;
} listing;

static herr_t list_one(hid_t root, const char *name, const H5L_info_t *info, void *context) {
    (void)info;
    listing *list = context;
    hid_t object = H5Oopen(root, name, list->links);
    if (object < 0) return -1;
    if (H5Iget_type(object) == H5I_DATASET) {
        if (list->entries != NULL) {
            ls_array_entry *entry = &list->entries[list->count];
            snprintf(entry->name, sizeof entry->name, "/%s", name);
            entry->shape = shape_of(object);
        }
        list->count++;
    }
    H5Oclose(object);
    return 0;
}

static ls_status visit(ls_array_reader *reader, listing *list) {
    list->count = 0;
    if (H5Lvisit(reader->id, H5_INDEX_NAME, H5_ITER_INC, list_one, list) >= 0) return LS_OK;
    return fail_read(reader, "the list of arrays");
}

static ls_status list_arrays(ls_array_reader *reader, listing *list) {
    LS_TRY(visit(reader, list));
    LS_TRY(ls_alloc(&list->entries, list->count, sizeof *list->entries, "a list of arrays"));
    return visit(reader, list);
}

ls_status ls_array_reader_list(ls_array_reader *reader, ls_array_entry **entries, int *count) {
    listing list = {.links = reader->links};
    ls_hdf5_lock();
    ls_status status = list_arrays(reader, &list);
    ls_hdf5_unlock();
    if (status != LS_OK) {
        ls_free(list.entries);
        list = (listing){0};
    }
    *entries = list.entries;
    *count = list.count;
    return status;
}

/* --- attributes --- */

static ls_status read_number(ls_array_reader *reader, hid_t attribute, const char *name, ls_number type, void *value) {
    hid_t native = type == LS_NUMBER_INT64 ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
    return H5Aread(attribute, native, value) >= 0 ? LS_OK : fail_read(reader, name);
}

static ls_status read_text(ls_array_reader *reader, hid_t attribute, const char *name, char **text) {
    hid_t type = H5Aget_type(attribute);
    bool fixed = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
    ls_status status = fixed ? LS_OK : LS_RAISE(LS_INVALID, "%s: attribute %s is not a text", reader->path, name);
    if (fixed) status = ls_alloc(text, (int64_t)H5Tget_size(type) + 1, 1, "a text");
    if (status == LS_OK && H5Aread(attribute, type, *text) < 0) {
        status = fail_read(reader, name);
        ls_free(*text);
        *text = NULL;
    }
    H5Tclose(type);
    return status;
}

/* The caller has memory for one value, and H5Aread writes as many as the file has. */
static ls_status check_single(const ls_array_reader *reader, const char *name, hid_t attribute) {
    hid_t space = H5Aget_space(attribute);
    hssize_t values = H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    return values == 1 ? LS_OK : LS_RAISE(LS_INVALID, "%s: attribute %s must be one value", reader->path, name);
}

static ls_status open_attribute(ls_array_reader *reader, const char *name, hid_t *attribute) {
    *attribute = H5Aopen(reader->id, name, H5P_DEFAULT);
    if (*attribute < 0 && ls_hdf5_fault() == LS_ERROR) return fail_read(reader, name);
    if (*attribute < 0) return LS_RAISE(LS_INVALID, "%s: has no attribute %s", reader->path, name);
    ls_status status = check_single(reader, name, *attribute);
    if (status != LS_OK) H5Aclose(*attribute);
    return status;
}

bool ls_array_reader_has(ls_array_reader *reader, const char *name) {
    ls_hdf5_lock();
    bool has = H5Aexists(reader->id, name) != 0; /* if that fails, reading it tells why */
    ls_hdf5_unlock();
    return has;
}

ls_status ls_array_reader_get_number(ls_array_reader *reader, const char *name, ls_number type, void *value) {
    hid_t attribute;
    ls_hdf5_lock();
    ls_status status = open_attribute(reader, name, &attribute);
    if (status == LS_OK) {
        status = read_number(reader, attribute, name, type, value);
        H5Aclose(attribute);
    }
    ls_hdf5_unlock();
    return status;
}

ls_status ls_array_reader_get_text(ls_array_reader *reader, const char *name, char **text) {
    hid_t attribute;
    *text = NULL;
    ls_hdf5_lock();
    ls_status status = open_attribute(reader, name, &attribute);
    if (status == LS_OK) {
        status = read_text(reader, attribute, name, text);
        H5Aclose(attribute);
    }
    ls_hdf5_unlock();
    return status;
}
