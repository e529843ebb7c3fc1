/* data_file.c - opens a data file and finds out whether it is one: it may be anybody's. Each rank opens it on its own,
 * without MPI. */
#include "data_file.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data_format.h"
#include "lockstep/file.h"
#include "lockstep/integers.h"
#include "lockstep/memory.h"

enum { FINGERPRINT_PROBES = 64 };

/* Of all samples: sums and products of what a file holds stay far from the end of int64_t. */
static const int64_t DATA_BYTES_MAX = INT64_C(1) << 50;

/* Under the lock, after a call of HDF5 that failed. A disk or network that fails may come back; damage stays. */
static ls_status fail_read(const ls_data_file *file, const char *damage) {
    if (ls_hdf5_fault() == LS_ERROR) return LS_RAISE(LS_ERROR, "%s: cannot be read: %s", file->path, ls_hdf5_reason());
    return LS_RAISE(LS_INVALID, "%s: %s; import it again (HDF5: %s)", file->path, damage, ls_hdf5_reason());
}

static ls_status fail_damaged(const ls_data_file *file) { return fail_read(file, "is damaged or cut short"); }

static ls_status fail_foreign(const ls_data_file *file, const char *what) {
    return LS_RAISE(LS_INVALID, "%s: %s; make a data set with 'lockstep import'", file->path, what);
}

static ls_status check_readable(const ls_data_file *file) {
    LS_TRY(ls_file_check_regular(file->path));
    if (access(file->path, R_OK) != 0)
        return LS_RAISE(LS_INVALID, "%s: cannot be read: %s", file->path, strerror(errno));
    return LS_OK;
}

/* Without locks: some file systems have none, and a data set that has its name is never written again. */
static ls_status open_hdf5(ls_data_file *file) {
    if (H5Fis_hdf5(file->path) <= 0) return fail_foreign(file, "is not an HDF5 file");
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    (void)H5Pset_file_locking(access, false, true);
    file->hdf5 = H5Fopen(file->path, H5F_ACC_RDONLY, access);
    (void)H5Pclose(access);
    if (file->hdf5 < 0) return fail_damaged(file);
    if (H5Lexists(file->hdf5, LS_DATA_SET, H5P_DEFAULT) <= 0) return fail_foreign(file, "has no " LS_DATA_SET);
    file->data = H5Dopen2(file->hdf5, LS_DATA_SET, H5P_DEFAULT);
    return file->data >= 0 ? LS_OK : fail_damaged(file);
}

static ls_status read_element(ls_data_file *file) {
    hid_t type = H5Dget_type(file->data);
    H5T_class_t class = H5Tget_class(type);
    size_t bytes = H5Tget_size(type);
    bool is_unsigned = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE;
    (void)H5Tclose(type);
    if (class == H5T_FLOAT && bytes == sizeof(float))
        file->info.element = LS_ELEMENT_FLOAT32;
    else if (is_unsigned && bytes == 1)
        file->info.element = LS_ELEMENT_UINT8;
    else
        return LS_RAISE(LS_INVALID, "%s: " LS_DATA_SET " must be of type uint8 or float32", file->path);
    return LS_OK;
}

/* What a header claims is no reason to take memory for it: its samples must be in the file, at best compressed as well
 * as deflate can (1032 times). Where they lie in other files there is nothing to compare with. */
static ls_status check_claim(const ls_data_file *file) {
    enum { COMPRESSION_MAX = 2048 };
    hid_t plan = H5Dget_create_plist(file->data);
    bool elsewhere = H5Pget_layout(plan) == H5D_VIRTUAL || H5Pget_external_count(plan) > 0;
    (void)H5Pclose(plan);
    struct stat about;
    if (elsewhere || stat(file->path, &about) != 0) return LS_OK;
    const ls_dataset_info *info = &file->info;
    if (info->count * info->sample_bytes / COMPRESSION_MAX <= (int64_t)about.st_size) return LS_OK;
    return LS_RAISE(LS_INVALID,
                    "%s: is damaged or cut short: %" PRId64 " samples of %" PRId64 " bytes cannot be in %" PRId64
                    " bytes; import it again",
                    file->path, info->count, info->sample_bytes, (int64_t)about.st_size);
}

static ls_status read_shape(ls_data_file *file) {
    ls_dataset_info *info = &file->info;
    hsize_t dim[H5S_MAX_RANK];
    hid_t space = H5Dget_space(file->data);
    int dims = H5Sget_simple_extent_dims(space, dim, NULL);
    (void)H5Sclose(space);
    if (dims < 2 || dims > 1 + LS_DIMS_MAX)
        return LS_RAISE(LS_INVALID, "%s: " LS_DATA_SET " has %d dimensions; it must be [samples, ...] with 2 to %d",
                        file->path, dims, 1 + LS_DIMS_MAX);
    info->shape.dims = dims - 1;
    info->sample_bytes = ls_element_bytes(info->element);
    for (int d = 0; d < dims; d++) {
        if (dim[d] == 0) return LS_RAISE(LS_INVALID, "%s: " LS_DATA_SET " holds no samples", file->path);
        if (d == 0) continue;
        if (dim[d] > (hsize_t)(INT_MAX / info->sample_bytes))
            return LS_RAISE(LS_INVALID, "%s: a sample of " LS_DATA_SET " has 2 GiB or more", file->path);
        info->shape.dim[d - 1] = (int64_t)dim[d];
        info->sample_bytes *= (int64_t)dim[d];
    }
    if (dim[0] > (hsize_t)(DATA_BYTES_MAX / info->sample_bytes))
        return LS_RAISE(LS_INVALID, "%s: " LS_DATA_SET " claims more samples than there can be", file->path);
    info->count = (int64_t)dim[0];
    return check_claim(file);
}

/* *value stays as it is where there is no such attribute. */
static ls_status read_integer(ls_data_file *file, const char *name, int64_t *value) {
    if (H5Aexists(file->hdf5, name) <= 0) return LS_OK;
    hid_t attribute = H5Aopen(file->hdf5, name, H5P_DEFAULT), type = H5Aget_type(attribute),
          space = H5Aget_space(attribute);
    bool ok = H5Tget_class(type) == H5T_INTEGER && H5Sget_simple_extent_npoints(space) == 1 &&
              H5Aread(attribute, H5T_NATIVE_INT64, value) >= 0;
    (void)H5Sclose(space);
    (void)H5Tclose(type);
    (void)H5Aclose(attribute);
    return ok ? LS_OK : LS_RAISE(LS_INVALID, "%s: attribute %s must be an integer", file->path, name);
}

static void free_texts(char **texts, int64_t count) {
    for (int64_t i = 0; texts != NULL && i < count; i++) free(texts[i]);
    ls_free(texts);
}

/* The texts of an attribute, of fixed length (as Lockstep writes them) or variable (as h5py does). */
static bool copy_texts(hid_t attribute, hid_t file_type, hid_t space, int64_t count, char **texts) {
    bool variable = H5Tis_variable_str(file_type) > 0, ok = false;
    hid_t type = H5Tcopy(file_type);
    size_t size = variable ? sizeof(char *) : H5Tget_size(file_type) + 1;
    if (!variable) (void)H5Tset_size(type, size), (void)H5Tset_strpad(type, H5T_STR_NULLTERM);
    char *data = calloc((size_t)count, size);
    if (data != NULL && H5Aread(attribute, type, data) >= 0) {
        ok = true;
        for (int64_t i = 0; i < count; i++) {
            const char *text = variable ? ((char **)data)[i] : data + i * (int64_t)size;
            texts[i] = strdup(text != NULL ? text : "");
            ok &= texts[i] != NULL;
        }
        if (variable) (void)H5Dvlen_reclaim(type, space, H5P_DEFAULT, data);
    }
    free(data);
    (void)H5Tclose(type);
    return ok;
}

/* *texts (free_texts) is NULL where there is no such attribute. */
static ls_status read_texts(ls_data_file *file, const char *name, int64_t limit, char ***texts, int64_t *count) {
    *texts = NULL;
    *count = 0;
    if (H5Aexists(file->hdf5, name) <= 0) return LS_OK;
    hid_t attribute = H5Aopen(file->hdf5, name, H5P_DEFAULT), type = H5Aget_type(attribute),
          space = H5Aget_space(attribute);
    int64_t length = (int64_t)H5Sget_simple_extent_npoints(space);
    ls_status status = LS_OK;
    if (H5Tget_class(type) != H5T_STRING || length < 1 || length > limit)
        status = LS_RAISE(LS_INVALID, "%s: attribute %s must be text", file->path, name);
    else
        status = ls_alloc(texts, length, sizeof **texts, "a data set's attributes");
    *count = length;
    if (status == LS_OK && !copy_texts(attribute, type, space, length, *texts)) status = fail_damaged(file);
    (void)H5Sclose(space);
    (void)H5Tclose(type);
    (void)H5Aclose(attribute);
    return status;
}

/* Under the lock. Samples [first, first + count) of this file. */
static bool read_data(const ls_data_file *file, int64_t first, int64_t count, void *out) {
    const ls_shape *shape = &file->info.shape;
    hsize_t dim[1 + LS_DIMS_MAX] = {(hsize_t)count}, start[1 + LS_DIMS_MAX] = {(hsize_t)first};
    for (int d = 0; d < shape->dims; d++) dim[1 + d] = (hsize_t)shape->dim[d];
    /* Memory of the same rank as the selection: HDF5 is many times slower between different ones. */
    hid_t memory = H5Screate_simple(1 + shape->dims, dim, NULL), space = H5Dget_space(file->data);
    hid_t type = file->info.element == LS_ELEMENT_UINT8 ? H5T_NATIVE_UINT8 : H5T_NATIVE_FLOAT;
    bool ok = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, dim, NULL) >= 0 &&
              H5Dread(file->data, type, memory, space, H5P_DEFAULT, out) >= 0;
    (void)H5Sclose(space);
    (void)H5Sclose(memory);
    return ok;
}

/* As many as the file says, else as the labels show. */
static ls_status read_classes(ls_data_file *file) {
    int32_t largest = 0;
    for (int64_t i = 0; i < file->info.count; i++)
        if (file->labels[i] > largest) largest = file->labels[i];
    int64_t classes = ls_min((int64_t)largest + 1, LS_CLASSES_MAX);
    LS_TRY(read_integer(file, LS_DATA_CLASSES, &classes));
    if (classes < 1 || classes > LS_CLASSES_MAX)
        return LS_RAISE(LS_INVALID, "%s: attribute " LS_DATA_CLASSES " is %" PRId64 "; there must be 1 to %d",
                        file->path, classes, LS_CLASSES_MAX);
    file->info.classes = (int)classes;
    file->info.labelled = true;
    return LS_OK;
}

static ls_status check_labels(ls_data_file *file) {
    const ls_dataset_info *info = &file->info;
    LS_TRY(read_classes(file));
    for (int64_t i = 0; i < info->count; i++)
        if (file->labels[i] < 0 || file->labels[i] >= info->classes)
            return LS_RAISE(LS_INVALID, "%s: label %" PRId32 " of sample %" PRId64 " is not within 0..%d", file->path,
                            file->labels[i], i, info->classes - 1);
    LS_TRY(read_texts(file, LS_DATA_CLASS_NAMES, LS_CLASSES_MAX, &file->class_names, &file->class_name_count));
    if (file->class_names != NULL && file->class_name_count != info->classes)
        return LS_RAISE(LS_INVALID, "%s: %" PRId64 " class names for %d classes", file->path, file->class_name_count,
                        info->classes);
    return LS_OK;
}

/* The length comes first: what a file claims to hold is no reason to take memory for it. */
static ls_status load_labels(ls_data_file *file, hid_t labels) {
    hid_t type = H5Dget_type(labels), space = H5Dget_space(labels);
    hsize_t length = 0;
    bool fit = H5Tget_class(type) == H5T_INTEGER && H5Sget_simple_extent_ndims(space) == 1 &&
               H5Sget_simple_extent_dims(space, &length, NULL) == 1 && length == (hsize_t)file->info.count;
    (void)H5Sclose(space);
    (void)H5Tclose(type);
    if (!fit)
        return LS_RAISE(LS_INVALID, "%s: " LS_DATA_LABELS " must be %" PRId64 " integers, one a sample", file->path,
                        file->info.count);
    LS_TRY(ls_alloc(&file->labels, file->info.count, sizeof *file->labels, "the labels of a data set"));
    if (H5Dread(labels, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, file->labels) < 0) return fail_damaged(file);
    return check_labels(file);
}

/* All labels stay in memory: four bytes a sample. */
static ls_status read_labels(ls_data_file *file) {
    if (H5Lexists(file->hdf5, LS_DATA_LABELS, H5P_DEFAULT) <= 0) return LS_OK;
    hid_t labels = H5Dopen2(file->hdf5, LS_DATA_LABELS, H5P_DEFAULT);
    if (labels < 0) return fail_damaged(file);
    ls_status status = load_labels(file, labels);
    (void)H5Dclose(labels);
    return status;
}

/* Names of another kind, such as texts of variable length, are left alone. */
static bool has_names(const ls_data_file *file) {
    if (H5Lexists(file->hdf5, LS_DATA_NAMES, H5P_DEFAULT) <= 0) return false;
    hid_t names = H5Dopen2(file->hdf5, LS_DATA_NAMES, H5P_DEFAULT);
    if (names < 0) return false;
    hid_t type = H5Dget_type(names), space = H5Dget_space(names);
    hsize_t length = 0;
    bool fit = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
               H5Sget_simple_extent_ndims(space) == 1 && H5Sget_simple_extent_dims(space, &length, NULL) == 1 &&
               length == (hsize_t)file->info.count;
    (void)H5Sclose(space);
    (void)H5Tclose(type);
    (void)H5Dclose(names);
    return fit;
}

/* Of a file that Lockstep did not write: its chunk, or what Lockstep would have chosen. */
static int64_t natural_block(const ls_data_file *file) {
    hsize_t chunk[1 + LS_DIMS_MAX];
    hid_t plan = H5Dget_create_plist(file->data);
    bool chunked = H5Pget_layout(plan) == H5D_CHUNKED && H5Pget_chunk(plan, 1 + LS_DIMS_MAX, chunk) > 0;
    (void)H5Pclose(plan);
    if (chunked) return (int64_t)chunk[0]; /* HDF5 allows less than 2^32 */
    return ls_writer_block_samples(
        &(ls_writer_spec){.shape = file->info.shape, .element = file->info.element, .max_count = file->info.count});
}

/* The recorded size comes first: training is a function of it, and must stay so when h5repack changes the chunks. It
 * may be more than there are samples: it was chosen before some could not be read. */
static ls_status read_block_size(ls_data_file *file) {
    int64_t block = natural_block(file);
    LS_TRY(read_integer(file, LS_DATA_BLOCK, &block));
    if (block < 1) return LS_RAISE(LS_INVALID, "%s: attribute " LS_DATA_BLOCK " must be at least 1", file->path);
    file->info.block_samples = ls_min(block, file->info.count);
    return LS_OK;
}

/* Of a file without one: from the labels and some samples spread over it, for all would take too long, and the size of
 * its blocks, of which the order of training is made and which nothing else records. */
static ls_status make_fingerprint(ls_data_file *file) {
    ls_dataset_info *info = &file->info;
    int64_t probes = ls_min(info->count, FINGERPRINT_PROBES);
    uint64_t content = 0;
    void *sample;
    LS_TRY(ls_alloc(&sample, info->sample_bytes, 1, "a sample"));
    ls_status status = LS_OK;
    for (int64_t p = 0; p < probes && status == LS_OK; p++) {
        int64_t i = (int64_t)((__extension__(unsigned __int128) p) * (uint64_t)info->count / (uint64_t)probes);
        if (!read_data(file, i, 1, sample)) status = fail_damaged(file);
        content += ls_sample_hash(sample, info->sample_bytes, 0, i);
    }
    ls_free(sample);
    if (file->labels != NULL)
        content += ls_sample_hash(file->labels, info->count * (int64_t)sizeof *file->labels, 0, info->count);
    content += ls_sample_hash(&info->block_samples, sizeof info->block_samples, 0, info->count + 1);
    ls_fingerprint_text(&info->shape, info->element, info->count, content, info->fingerprint);
    return status;
}

static ls_status read_fingerprint(ls_data_file *file) {
    char **texts;
    int64_t count;
    LS_TRY(read_texts(file, LS_DATA_FINGERPRINT, 1, &texts, &count));
    if (texts == NULL) return make_fingerprint(file);
    bool fits = strlen(texts[0]) < LS_FINGERPRINT_MAX;
    if (fits) memcpy(file->info.fingerprint, texts[0], strlen(texts[0]) + 1);
    free_texts(texts, count);
    return fits ? LS_OK : LS_RAISE(LS_INVALID, "%s: attribute " LS_DATA_FINGERPRINT " is too long", file->path);
}

/* Under the lock. */
static ls_status read_file(ls_data_file *file) {
    int64_t format = LS_DATA_FORMAT_VERSION;
    LS_TRY(open_hdf5(file));
    LS_TRY(read_integer(file, LS_DATA_FORMAT, &format));
    if (format != LS_DATA_FORMAT_VERSION)
        return LS_RAISE(LS_INVALID, "%s: is of format %" PRId64 ", and this Lockstep reads %d; use a newer one",
                        file->path, format, LS_DATA_FORMAT_VERSION);
    LS_TRY(read_element(file));
    LS_TRY(read_shape(file));
    LS_TRY(read_labels(file));
    file->info.named = has_names(file);
    LS_TRY(read_block_size(file));
    return read_fingerprint(file);
}

ls_status ls_data_file_open(const char *path, ls_data_file *file) {
    *file = (ls_data_file){.hdf5 = H5I_INVALID_HID, .data = H5I_INVALID_HID, .path = strdup(path)};
    if (file->path == NULL) return LS_RAISE(LS_ERROR, "%s: no memory for its name", path);
    LS_TRY(check_readable(file));
    ls_hdf5_lock();
    ls_status status = read_file(file);
    ls_hdf5_unlock();
    return status;
}

void ls_data_file_close(ls_data_file *file) {
    ls_hdf5_lock();
    if (file->data >= 0) (void)H5Dclose(file->data);
    if (file->hdf5 >= 0) (void)H5Fclose(file->hdf5);
    ls_hdf5_unlock();
    free_texts(file->class_names, file->class_name_count);
    ls_free(file->labels);
    free(file->path);
}

ls_status ls_data_file_read(const ls_data_file *file, int64_t first, int64_t count, void *data) {
    ls_hdf5_lock();
    ls_status status = LS_OK;
    if (!read_data(file, first, count, data)) {
        char damage[96];
        (void)snprintf(damage, sizeof damage, "samples %" PRId64 " to %" PRId64 " are damaged", first,
                       first + count - 1);
        status = fail_read(file, damage);
    }
    ls_hdf5_unlock();
    return status;
}

/* Under the lock. */
static bool read_names(const ls_data_file *file, int64_t first, int64_t count, ls_sample_name *names) {
    hsize_t start = (hsize_t)first, length = (hsize_t)count;
    hid_t array = H5Dopen2(file->hdf5, LS_DATA_NAMES, H5P_DEFAULT);
    if (array < 0) return false;
    hid_t file_type = H5Dget_type(array), type = H5Tcopy(file_type);
    hid_t memory = H5Screate_simple(1, &length, NULL), space = H5Dget_space(array);
    bool ok = H5Tset_size(type, sizeof *names) >= 0 && H5Tset_strpad(type, H5T_STR_NULLTERM) >= 0 &&
              H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &length, NULL) >= 0 &&
              H5Dread(array, type, memory, space, H5P_DEFAULT, names) >= 0;
    (void)H5Sclose(space);
    (void)H5Sclose(memory);
    (void)H5Tclose(type);
    (void)H5Tclose(file_type);
    (void)H5Dclose(array);
    return ok;
}

ls_status ls_data_file_read_names(const ls_data_file *file, int64_t first, int64_t count, ls_sample_name *names) {
    ls_hdf5_lock();
    ls_status status = LS_OK;
    if (!read_names(file, first, count, names)) status = fail_read(file, "names are damaged");
    ls_hdf5_unlock();
    return status;
}

int64_t ls_data_file_blocks(const ls_data_file *file) {
    return (file->info.count + file->info.block_samples - 1) / file->info.block_samples;
}
