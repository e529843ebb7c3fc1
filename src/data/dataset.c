/* dataset.c - reads data sets. Each rank opens a file on its own, without MPI: it reads what its lanes need, when they
 * need it. */
#include <assert.h>
#include <errno.h>
#include <glob.h>
#include <hdf5.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"
#include "data_format.h"
#include "lockstep/dataset.h"
#include "lockstep/integers.h"
#include "lockstep/memory.h"

enum { KEEP_BYTES = 64 << 20, FINGERPRINT_PROBES = 64 };

typedef struct data_file {
    char *path;
    hid_t hdf5, data;
    ls_dataset_info info; /* of this file alone */
    int32_t *labels;
    char **class_names; /* [class_name_count] or NULL */
    int64_t class_name_count;
    int64_t first_block; /* in the data set */
} data_file;

struct ls_dataset {
    ls_dataset_info info;
    data_file *file;
    int files;
    int64_t *first; /* [files] its first sample in the data set */
    ls_span *blocks;
    int64_t block_count;
    ls_cache *cache;
};

/* --- one file --- */

static const char *const element_names[] = {[LS_ELEMENT_UINT8] = "uint8", [LS_ELEMENT_FLOAT32] = "float32"};

static int64_t blocks_of(const data_file *file) {
    return (file->info.count + file->info.block_samples - 1) / file->info.block_samples;
}

/* Under the lock. */
static ls_status fail_damaged(const data_file *file) {
    return LS_RAISE(LS_INVALID, "%s: is damaged or cut short; import it again (HDF5: %s)", file->path,
                    ls_hdf5_reason());
}

static ls_status fail_foreign(const data_file *file, const char *what) {
    return LS_RAISE(LS_INVALID, "%s: %s; make a data set with 'lockstep import'", file->path, what);
}

static ls_status check_readable(const data_file *file) {
    struct stat info;
    if (stat(file->path, &info) != 0)
        return LS_RAISE(LS_INVALID, "%s: cannot be opened: %s", file->path, strerror(errno));
    if (S_ISDIR(info.st_mode)) return fail_foreign(file, "is a directory, not a data set");
    if (access(file->path, R_OK) != 0)
        return LS_RAISE(LS_INVALID, "%s: cannot be read: %s", file->path, strerror(errno));
    return LS_OK;
}

/* Without locks: some file systems have none, and a data set that has its name is never written again. */
static ls_status open_hdf5(data_file *file) {
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

static ls_status read_element(data_file *file) {
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

static ls_status read_shape(data_file *file) {
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
    if (dim[0] > (hsize_t)(INT64_MAX / info->sample_bytes)) return fail_damaged(file);
    info->count = (int64_t)dim[0];
    return LS_OK;
}

/* *value stays as it is where there is no such attribute. */
static ls_status read_integer(data_file *file, const char *name, int64_t *value) {
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
static ls_status read_texts(data_file *file, const char *name, int64_t limit, char ***texts, int64_t *count) {
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
static bool read_data(const data_file *file, int64_t first, int64_t count, void *out) {
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
static ls_status read_classes(data_file *file) {
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

static ls_status check_labels(data_file *file) {
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
static ls_status load_labels(data_file *file, hid_t labels) {
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
static ls_status read_labels(data_file *file) {
    if (H5Lexists(file->hdf5, LS_DATA_LABELS, H5P_DEFAULT) <= 0) return LS_OK;
    hid_t labels = H5Dopen2(file->hdf5, LS_DATA_LABELS, H5P_DEFAULT);
    if (labels < 0) return fail_damaged(file);
    ls_status status = load_labels(file, labels);
    (void)H5Dclose(labels);
    return status;
}

/* Of a file that Lockstep did not write: its chunk, or what Lockstep would have chosen. */
static int64_t natural_block(const data_file *file) {
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
static ls_status read_block_size(data_file *file) {
    int64_t block = natural_block(file);
    LS_TRY(read_integer(file, LS_DATA_BLOCK, &block));
    if (block < 1) return LS_RAISE(LS_INVALID, "%s: attribute " LS_DATA_BLOCK " must be at least 1", file->path);
    file->info.block_samples = ls_min(block, file->info.count);
    return LS_OK;
}

/* Of a file without one: from the labels and some samples spread over it, for all would take too long, and the size of
 * its blocks, of which the order of training is made and which nothing else records. */
static ls_status make_fingerprint(data_file *file) {
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

static ls_status read_fingerprint(data_file *file) {
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
static ls_status read_file(data_file *file) {
    int64_t format = LS_DATA_FORMAT_VERSION;
    LS_TRY(open_hdf5(file));
    LS_TRY(read_integer(file, LS_DATA_FORMAT, &format));
    if (format != LS_DATA_FORMAT_VERSION)
        return LS_RAISE(LS_INVALID, "%s: is of format %" PRId64 ", and this Lockstep reads %d; use a newer one",
                        file->path, format, LS_DATA_FORMAT_VERSION);
    LS_TRY(read_element(file));
    LS_TRY(read_shape(file));
    LS_TRY(read_labels(file));
    LS_TRY(read_block_size(file));
    return read_fingerprint(file);
}

static ls_status open_file(const char *path, data_file *file) {
    *file = (data_file){.hdf5 = H5I_INVALID_HID, .data = H5I_INVALID_HID, .path = strdup(path)};
    if (file->path == NULL) return LS_RAISE(LS_ERROR, "%s: no memory for its name", path);
    LS_TRY(check_readable(file));
    ls_hdf5_lock();
    ls_status status = read_file(file);
    ls_hdf5_unlock();
    return status;
}

static void close_file(data_file *file) {
    ls_hdf5_lock();
    if (file->data >= 0) (void)H5Dclose(file->data);
    if (file->hdf5 >= 0) (void)H5Fclose(file->hdf5);
    ls_hdf5_unlock();
    free_texts(file->class_names, file->class_name_count);
    ls_free(file->labels);
    free(file->path);
}

/* --- several files as one --- */

/* A pattern's matches in sorted order; one without matches stands for itself. */
static ls_status expand(const char *const *patterns, int count, glob_t *names) {
    *names = (glob_t){0};
    for (int i = 0; i < count; i++) {
        int failure = glob(patterns[i], GLOB_NOCHECK | GLOB_NOESCAPE | (i > 0 ? GLOB_APPEND : 0), NULL, names);
        if (failure != 0) return LS_RAISE(LS_ERROR, "%s: cannot be looked up", patterns[i]);
    }
    return LS_OK;
}

static ls_status check_same(const data_file *a, const data_file *b) {
    char a_text[LS_SHAPE_TEXT_MAX], b_text[LS_SHAPE_TEXT_MAX];
    if (!ls_shape_equal(&a->info.shape, &b->info.shape) || a->info.element != b->info.element)
        return LS_RAISE(LS_INVALID, "%s has samples of %s (%s), but %s of %s (%s); they cannot be one data set",
                        a->path, ls_shape_text(&a->info.shape, a_text), element_names[a->info.element], b->path,
                        ls_shape_text(&b->info.shape, b_text), element_names[b->info.element]);
    if (a->info.labelled != b->info.labelled)
        return LS_RAISE(LS_INVALID, "%s has labels, but %s has none; they cannot be one data set",
                        a->info.labelled ? a->path : b->path, a->info.labelled ? b->path : a->path);
    int64_t both = ls_min(a->class_name_count, b->class_name_count);
    for (int64_t c = 0; c < both; c++)
        if (strcmp(a->class_names[c], b->class_names[c]) != 0)
            return LS_RAISE(LS_INVALID, "class %" PRId64 " is '%s' in %s, but '%s' in %s; they cannot be one data set",
                            c, a->class_names[c], a->path, b->class_names[c], b->path);
    return LS_OK;
}

static ls_status join(ls_dataset *dataset) {
    ls_dataset_info *info = &dataset->info;
    *info = dataset->file[0].info;
    LS_TRY(ls_alloc(&dataset->first, dataset->files, sizeof *dataset->first, "a data set"));
    for (int f = 1; f < dataset->files; f++) {
        data_file *file = &dataset->file[f], *before = file - 1;
        LS_TRY(check_same(&dataset->file[0], file));
        dataset->first[f] = info->count;
        file->first_block = before->first_block + blocks_of(before);
        info->count += file->info.count;
        if (file->info.classes > info->classes) info->classes = file->info.classes;
        ls_fingerprint_join(info->fingerprint, file->info.fingerprint);
    }
    return LS_OK;
}

static ls_status list_blocks(ls_dataset *dataset) {
    const data_file *last = &dataset->file[dataset->files - 1];
    dataset->block_count = last->first_block + blocks_of(last);
    LS_TRY(ls_alloc(&dataset->blocks, dataset->block_count, sizeof *dataset->blocks, "the blocks of a data set"));
    ls_span *span = dataset->blocks;
    for (int f = 0; f < dataset->files; f++) {
        const data_file *file = &dataset->file[f];
        for (int64_t at = 0; at < file->info.count; at += file->info.block_samples, span++) {
            *span = (ls_span){dataset->first[f] + at, ls_min(file->info.block_samples, file->info.count - at)};
        }
    }
    return LS_OK;
}

static ls_status decode_block(void *context, int64_t block, void *data) {
    const ls_dataset *dataset = context;
    const ls_span *span = &dataset->blocks[block];
    return ls_dataset_read(context, span->first, span->count, data, NULL);
}

static ls_status open_all(ls_dataset *dataset, char *const *paths, int files) {
    LS_TRY(ls_alloc(&dataset->file, files, sizeof *dataset->file, "a data set"));
    while (dataset->files < files) {
        dataset->files++;
        LS_TRY(open_file(paths[dataset->files - 1], &dataset->file[dataset->files - 1]));
    }
    LS_TRY(join(dataset));
    LS_TRY(list_blocks(dataset));
    LS_TRY(ls_cache_create(dataset->blocks, dataset->block_count, dataset->info.sample_bytes, decode_block, dataset,
                           &dataset->cache));
    ls_cache_keep(dataset->cache, KEEP_BYTES);
    return LS_OK;
}

ls_status ls_dataset_open(const char *const *paths, int count, ls_dataset **out) {
    assert(count > 0);
    ls_dataset *dataset;
    glob_t names;
    *out = NULL;
    LS_TRY(ls_alloc(&dataset, 1, sizeof *dataset, "a data set"));
    ls_status status = expand(paths, count, &names);
    if (status == LS_OK) status = open_all(dataset, names.gl_pathv, (int)names.gl_pathc);
    globfree(&names);
    if (LS_FAILED(status))
        ls_dataset_close(dataset);
    else
        *out = dataset;
    return status;
}

void ls_dataset_close(ls_dataset *dataset) {
    if (dataset == NULL) return;
    ls_cache_destroy(dataset->cache);
    for (int f = 0; f < dataset->files; f++) close_file(&dataset->file[f]);
    ls_free(dataset->file);
    ls_free(dataset->first);
    ls_free(dataset->blocks);
    ls_free(dataset);
}

/* --- what it says of itself --- */

const ls_dataset_info *ls_dataset_get_info(const ls_dataset *dataset) { return &dataset->info; }

const char *ls_dataset_class_name(const ls_dataset *dataset, int label) {
    for (int f = 0; f < dataset->files; f++)
        if (label >= 0 && label < dataset->file[f].class_name_count) return dataset->file[f].class_names[label];
    return NULL;
}

int ls_dataset_files(const ls_dataset *dataset) { return dataset->files; }

const char *ls_dataset_path(const ls_dataset *dataset, int file) {
    assert(file >= 0 && file < dataset->files);
    return dataset->file[file].path;
}

ls_status ls_dataset_blocks(const ls_dataset *dataset, ls_span **spans, int64_t *count) {
    LS_TRY(ls_alloc(spans, dataset->block_count, sizeof **spans, "the blocks of a data set"));
    memcpy(*spans, dataset->blocks, (size_t)dataset->block_count * sizeof **spans);
    *count = dataset->block_count;
    return LS_OK;
}

/* --- reading --- */

static ls_status read_locked(const data_file *file, int64_t first, int64_t count, void *data) {
    ls_hdf5_lock();
    ls_status status = LS_OK;
    if (!read_data(file, first, count, data))
        status = LS_RAISE(LS_ERROR, "%s: samples %" PRId64 " to %" PRId64 " are damaged; import it again (HDF5: %s)",
                          file->path, first, first + count - 1, ls_hdf5_reason());
    ls_hdf5_unlock();
    return status;
}

ls_status ls_dataset_read(ls_dataset *dataset, int64_t first, int64_t count, void *data, int32_t *labels) {
    assert(first >= 0 && count >= 0 && first + count <= dataset->info.count);
    assert(labels == NULL || dataset->info.labelled);
    char *next = data;
    while (count > 0) {
        int64_t f = ls_find_run(dataset->first, dataset->files, first), at = first - dataset->first[f];
        const data_file *file = &dataset->file[f];
        int64_t part = ls_min(file->info.count - at, count);
        LS_TRY(read_locked(file, at, part, next));
        if (labels != NULL) {
            memcpy(labels, file->labels + at, (size_t)part * sizeof *labels);
            labels += part;
        }
        next += part * dataset->info.sample_bytes;
        first += part;
        count -= part;
    }
    return LS_OK;
}

ls_status ls_dataset_fetch(ls_dataset *dataset, int64_t count, const int64_t *samples, void *data, int32_t *labels) {
    char *next = data;
    assert(labels == NULL || dataset->info.labelled);
    for (int64_t i = 0; i < count; i++, next += dataset->info.sample_bytes) {
        assert(samples[i] >= 0 && samples[i] < dataset->info.count);
        int64_t f = ls_find_run(dataset->first, dataset->files, samples[i]), at = samples[i] - dataset->first[f];
        const data_file *file = &dataset->file[f];
        int64_t size = file->info.block_samples;
        LS_TRY(ls_cache_copy(dataset->cache, file->first_block + at / size, at % size, next));
        if (labels != NULL) labels[i] = file->labels[at];
    }
    return LS_OK;
}

void ls_dataset_keep(ls_dataset *dataset, int64_t bytes) { ls_cache_keep(dataset->cache, bytes); }

ls_status ls_dataset_cache(ls_dataset *dataset, const ls_comm *comm, int64_t limit_bytes, bool *cached) {
    *cached = ls_cache_share(dataset->cache, comm, limit_bytes);
    return LS_OK;
}
