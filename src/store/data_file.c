/* data_file.c - opens a data file, checks its header, and reads its samples. The file may be anybody's, so nothing that
 * it says is believed. Each rank opens it by itself, without MPI. */
#include "store/data_file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/integers.h"
#include "base/memory.h"
#include "store/data_array_internal.h"
#include "store/data_check_internal.h"
#include "store/data_format.h"
#include "store/data_labels_internal.h"
#include "store/hdf5.h"
#include "store/writer.h"

/* The most bytes of all samples: sums and products of what a file says cannot overflow. */
static const int64_t DATA_BYTES_MAX = INT64_C(1) << 50;

/* --- opening in HDF5 --- */

ls_status ls_data_file_fail(const ls_data_file *file, const char *damage) {
    const char *words = ls_hdf5_system_reason();
    if (words != NULL) return LS_RAISE(LS_ERROR, "%s: cannot be read: %s", file->path, words);
    return LS_RAISE(LS_INVALID, "%s: %s; import it again (HDF5: %s)", file->path, damage, ls_hdf5_reason());
}

static ls_status fail_damaged(const ls_data_file *file) { return ls_data_file_fail(file, "is damaged or cut short"); }

static ls_status fail_foreign(const ls_data_file *file, const char *what) {
    return LS_RAISE(LS_INVALID, "%s: %s; make a data set with 'lockstep import'", file->path, what);
}

static ls_status check_readable(const ls_data_file *file) {
    LS_TRY(ls_file_check_regular(file->path));
    if (access(file->path, R_OK) != 0)
        return LS_RAISE(ls_fault_of(errno), "%s: cannot be read: %s", file->path, strerror(errno));
    return LS_OK;
}

/* Whether another program holds the lock that HDF5 takes on a file that it writes. */
static bool is_being_written(const ls_data_file *file) {
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    bool taken = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0) close(fd);
    return taken;
}

static ls_status fail_open(const ls_data_file *file) {
    bool noted = strstr(ls_hdf5_reason(), "already open for") != NULL;
    if (ls_hdf5_fault() == LS_INVALID && is_being_written(file))
        return LS_RAISE(LS_INVALID, "%s: another program has it open for writing; close it there first (HDF5: %s)",
                        file->path, ls_hdf5_reason());
    if (!noted) return fail_damaged(file);
    return LS_RAISE(LS_INVALID,
                    "%s: the program that wrote it did not close it: it was killed, or is still running. Write the "
                    "file again, or, if "
                    "it is complete, clear its mark with 'h5clear -s' of HDF5's tools",
                    file->path);
}

/* The file is not locked: some file systems have no locks, and a data set is never written again under its name. */
ls_status ls_data_file_open_hdf5(ls_data_file *file) {
    struct stat about;
    void *handle = NULL;
    LS_TRY(check_readable(file));
    htri_t is = H5Fis_hdf5(file->path);
    if (is == 0 || (is < 0 && ls_hdf5_fault() == LS_INVALID)) return fail_foreign(file, "is not an HDF5 file");
    if (is < 0) return fail_damaged(file);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_sec2(access);
    H5Pset_file_locking(access, false, true);
    file->hdf5 = H5Fopen(file->path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    if (file->hdf5 < 0) return fail_open(file);
    if (H5Fget_vfd_handle(file->hdf5, H5P_DEFAULT, &handle) >= 0 && handle != NULL) file->fd = *(const int *)handle;
    if (fstat(file->fd, &about) != 0) return LS_RAISE(LS_ERROR, "%s: cannot be read: %s", file->path, strerror(errno));
    file->bytes = (int64_t)about.st_size;
    return LS_OK;
}

void ls_data_file_close_hdf5(ls_data_file *file) {
    if (file->data >= 0) H5Dclose(file->data);
    if (file->hdf5 >= 0) H5Fclose(file->hdf5);
    file->data = file->hdf5 = H5I_INVALID_HID;
    file->fd = -1;
}

static ls_status open_data(ls_data_file *file) {
    LS_TRY(ls_data_file_open_hdf5(file));
    LS_TRY(ls_data_array_find(file, LS_DATA_SET, "the array of samples"));
    LS_TRY(ls_data_array_open(file, LS_DATA_SET, &file->data));
    file->layout = ls_data_array_layout(file->data);
    return LS_OK;
}

/* --- the header --- */

static ls_status fail_type(const ls_data_file *file) {
    char text[LS_DATA_LIST_MAX];
    (void)ls_data_array_describe(file->data, "it is", text, sizeof text);
    return LS_RAISE(LS_INVALID,
                    "%s: " LS_DATA_SET
                    " must be of type uint8 or float32; %s. Write it again as one of the two, with h5py for example "
                    "with x.astype('float32')",
                    file->path, text);
}

static ls_status read_element(ls_data_file *file) {
    hid_t type = H5Dget_type(file->data);
    H5T_class_t class = H5Tget_class(type);
    size_t bytes = H5Tget_size(type);
    bool is_unsigned = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE;
    H5Tclose(type);
    if (class == H5T_FLOAT && bytes == sizeof(float))
        file->info.element = LS_ELEMENT_FLOAT32;
    else if (is_unsigned && bytes == 1)
        file->info.element = LS_ELEMENT_UINT8;
    else
        return fail_type(file);
    return LS_OK;
}

static ls_status check_claim(const ls_data_file *file) {
    const ls_dataset_info *info = &file->info;
    if (ls_data_array_fits(file, (double)(info->count * info->sample_bytes))) return LS_OK;
    return LS_RAISE(LS_INVALID,
                    "%s: is damaged or cut short: %" PRId64 " samples of %" PRId64 " bytes cannot be in %" PRId64
                    " bytes; import it again",
                    file->path, info->count, info->sample_bytes, file->bytes);
}

static ls_status read_shape(ls_data_file *file) {
    ls_dataset_info *info = &file->info;
    hsize_t dim[H5S_MAX_RANK];
    hid_t space = H5Dget_space(file->data);
    int dims = H5Sget_simple_extent_dims(space, dim, NULL);
    H5Sclose(space);
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

bool ls_data_file_read_raw(const ls_data_file *file, int64_t first, int64_t count, void *out) {
    const ls_shape *shape = &file->info.shape;
    hsize_t dim[1 + LS_DIMS_MAX] = {(hsize_t)count}, start[1 + LS_DIMS_MAX] = {(hsize_t)first};
    for (int d = 0; d < shape->dims; d++) dim[1 + d] = (hsize_t)shape->dim[d];
    /* Memory of the same rank as the selection: HDF5 is many times slower between different ones. */
    hid_t memory = H5Screate_simple(1 + shape->dims, dim, NULL), space = H5Dget_space(file->data);
    hid_t type = file->info.element == LS_ELEMENT_UINT8 ? H5T_NATIVE_UINT8 : H5T_NATIVE_FLOAT;
    bool ok = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, dim, NULL) >= 0 &&
              H5Dread(file->data, type, memory, space, H5P_DEFAULT, out) >= 0;
    H5Sclose(space);
    H5Sclose(memory);
    return ok;
}

/* The block size of a file that does not record one: its chunk, or what Lockstep would choose. */
static int64_t natural_block(const ls_data_file *file) {
    if (file->layout.chunked) return (int64_t)file->layout.chunk[0]; /* HDF5 allows less than 2^32 */
    return ls_writer_block_samples(
        &(ls_writer_spec){.shape = file->info.shape, .element = file->info.element, .max_count = file->info.count});
}

/* The recorded size counts, not the chunk's: the result of training depends on it, and must not change when h5repack
 * changes the chunks. It may exceed the number of samples, since it is chosen before some samples fail to import. */
static ls_status read_block_size(ls_data_file *file) {
    int64_t block = natural_block(file);
    LS_TRY(ls_data_read_integer(file, LS_DATA_BLOCK, &block));
    if (block < 1) return LS_RAISE(LS_INVALID, "%s: attribute " LS_DATA_BLOCK " must be at least 1", file->path);
    file->info.block_samples = ls_min(block, file->info.count);
    return LS_OK;
}

/* --- reading --- */

/* Under the lock. HDF5 reads zeros past the end of a file that was cut, so its size is checked afterwards. */
static ls_status read_checked(ls_data_file *file, int64_t first, int64_t count, void *data) {
    if (!ls_data_file_read_raw(file, first, count, data)) {
        char damage[96];
        if (count == 1)
            snprintf(damage, sizeof damage, "sample %" PRId64 " is damaged", first);
        else
            snprintf(damage, sizeof damage, "samples %" PRId64 " to %" PRId64 " are damaged", first, first + count - 1);
        return ls_data_file_fail(file, damage);
    }
    LS_TRY(ls_data_check_size(file, first, count));
    return ls_data_check_samples(file, first, count, data);
}

/* Under the lock. Samples of one block. It is read as a whole, since only whole blocks can be checked. */
static ls_status read_part(ls_data_file *file, int64_t first, int64_t count, char *data) {
    const ls_dataset_info *info = &file->info;
    int64_t begin = first / info->block_samples * info->block_samples;
    int64_t samples = ls_min(info->block_samples, info->count - begin);
    char *block;
    LS_TRY(ls_alloc(&block, samples, (size_t)info->sample_bytes, "a block of a data set"));
    ls_status status = read_checked(file, begin, samples, block);
    if (status == LS_OK)
        memcpy(data, block + (first - begin) * info->sample_bytes, (size_t)(count * info->sample_bytes));
    ls_free(block);
    return status;
}

/* Under the lock. */
static ls_status read_samples(ls_data_file *file, int64_t first, int64_t count, char *data) {
    int64_t block = file->info.block_samples;
    while (count > 0) {
        bool to_end = first + count == file->info.count;
        int64_t whole = to_end ? count : count / block * block, rest = block - first % block;
        int64_t samples = first % block == 0 && whole > 0 ? whole : ls_min(rest, count);
        if (samples == whole && first % block == 0)
            LS_TRY(read_checked(file, first, samples, data));
        else
            LS_TRY(read_part(file, first, samples, data));
        first += samples;
        count -= samples;
        data += samples * file->info.sample_bytes;
    }
    return LS_OK;
}

ls_status ls_data_file_read(ls_data_file *file, int64_t first, int64_t count, void *data) {
    ls_hdf5_lock();
    ls_status status = read_samples(file, first, count, data);
    ls_hdf5_unlock();
    return status;
}

/* Adds the hashes of samples spread over the file. Samples that HDF5 decodes together are read together, and once. */
static ls_status hash_probes(ls_data_file *file, uint64_t *content) {
    const ls_dataset_info *info = &file->info;
    int64_t probes = ls_min(info->count, LS_FINGERPRINT_PROBES), unit = ls_data_array_unit(file), first = 0, end = 0;
    char *data;
    LS_TRY(ls_alloc(&data, unit, (size_t)info->sample_bytes, "the samples of a fingerprint"));
    ls_status status = LS_OK;
    for (int64_t p = 0; p < probes && status == LS_OK; p++) {
        int64_t i = (int64_t)((__extension__(unsigned __int128) p) * (uint64_t)info->count / (uint64_t)probes);
        if (i >= end) {
            first = i / unit * unit;
            end = ls_min(first + unit, info->count);
            status = read_checked(file, first, end - first, data);
        }
        *content += ls_sample_hash(data + (i - first) * info->sample_bytes, info->sample_bytes, 0, i);
    }
    ls_free(data);
    return status;
}

/* The fingerprint of a file that has none: from the labels, some samples (all would take too long), and the block size,
 * which the order of training depends on and nothing else records. */
static ls_status make_fingerprint(ls_data_file *file) {
    ls_dataset_info *info = &file->info;
    uint64_t content = 0;
    LS_TRY(hash_probes(file, &content));
    if (file->labels != NULL)
        content += ls_sample_hash(file->labels, info->count * (int64_t)sizeof *file->labels, 0, info->count);
    content += ls_sample_hash(&info->block_samples, sizeof info->block_samples, 0, info->count + 1);
    ls_fingerprint_text(&info->shape, info->element, info->count, content, info->fingerprint);
    return LS_OK;
}

static ls_status read_fingerprint(ls_data_file *file) {
    char **texts;
    int64_t count;
    LS_TRY(ls_data_read_texts(file, LS_DATA_FINGERPRINT, 1, &texts, &count));
    if (texts == NULL) return LS_OK;
    bool fits = strlen(texts[0]) < LS_FINGERPRINT_MAX;
    file->fingerprinted = true;
    if (fits) memcpy(file->info.fingerprint, texts[0], strlen(texts[0]) + 1);
    ls_data_free_texts(texts, count);
    return fits ? LS_OK : LS_RAISE(LS_INVALID, "%s: attribute " LS_DATA_FINGERPRINT " is too long", file->path);
}

static ls_status read_header(ls_data_file *file) {
    int64_t format = LS_DATA_FORMAT_VERSION;
    LS_TRY(open_data(file));
    LS_TRY(ls_data_read_integer(file, LS_DATA_FORMAT, &format));
    if (format != LS_DATA_FORMAT_VERSION)
        return LS_RAISE(LS_INVALID, "%s: is of format %" PRId64 ", and this Lockstep reads %d; use a newer one",
                        file->path, format, LS_DATA_FORMAT_VERSION);
    LS_TRY(read_element(file));
    LS_TRY(read_shape(file));
    return read_block_size(file);
}

static ls_status read_contents(ls_data_file *file) {
    LS_TRY(read_fingerprint(file));
    LS_TRY(ls_data_check_load(file));
    LS_TRY(ls_data_labels_load(file));
    LS_TRY(ls_data_names_find(file));
    LS_TRY(ls_data_check_written(file));
    return file->fingerprinted ? LS_OK : make_fingerprint(file);
}

static ls_status read_under_lock(ls_data_file *file, ls_status (*read)(ls_data_file *)) {
    ls_hdf5_lock();
    ls_status status = read(file);
    /* A failed disk or network may have looked like something that the file lacks. */
    if (ls_hdf5_system_reason() != NULL) status = ls_data_file_fail(file, "");
    ls_hdf5_unlock();
    return status;
}

ls_status ls_data_file_open_header(const char *path, ls_data_file *file) {
    *file = (ls_data_file){.hdf5 = H5I_INVALID_HID, .data = H5I_INVALID_HID, .fd = -1, .path = strdup(path)};
    if (file->path == NULL) return LS_RAISE(LS_ERROR, "%s: no memory for its name", path);
    return read_under_lock(file, read_header);
}

ls_status ls_data_file_load(ls_data_file *file) { return read_under_lock(file, read_contents); }

ls_status ls_data_file_open(const char *path, ls_data_file **out) {
    ls_data_file *file;
    *out = NULL;
    LS_TRY(ls_alloc(&file, 1, sizeof *file, "a data file"));
    ls_status status = ls_data_file_open_header(path, file);
    if (status == LS_OK) status = ls_data_file_load(file);
    if (status == LS_OK)
        *out = file;
    else
        ls_data_file_close(file);
    return status;
}

void ls_data_file_close(ls_data_file *file) {
    if (file == NULL) return;
    ls_data_file_release(file);
    ls_free(file);
}

const char *ls_data_file_path(const ls_data_file *file) { return file->path; }

const ls_dataset_info *ls_data_file_info(const ls_data_file *file) { return &file->info; }

const int32_t *ls_data_file_labels(const ls_data_file *file) { return file->labels; }

const char *const *ls_data_file_class_names(const ls_data_file *file, int64_t *count) {
    *count = file->class_name_count;
    return (const char *const *)file->class_names;
}

void ls_data_file_release(ls_data_file *file) {
    ls_hdf5_lock();
    ls_data_file_close_hdf5(file);
    ls_hdf5_unlock();
    ls_data_free_texts(file->class_names, file->class_name_count);
    for (int i = 0; i < file->part_count; i++) free(file->parts[i].path);
    free(file->parts);
    ls_free(file->block_hash);
    ls_free(file->labels);
    free((char *)file->path);
}

ls_status ls_data_file_read_names(ls_data_file *file, int64_t first, int64_t count, ls_sample_name *names) {
    ls_hdf5_lock();
    ls_status status = ls_data_names_read(file, first, count, names);
    ls_hdf5_unlock();
    return status;
}

int64_t ls_data_file_blocks(const ls_data_file *file) {
    return (file->info.count + file->info.block_samples - 1) / file->info.block_samples;
}
