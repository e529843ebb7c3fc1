/* data_check.c - see data_check.h. */
#include "data_check.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "data_array.h"
#include "data_format.h"
#include "lockstep/beat.h"
#include "lockstep/file.h"
#include "lockstep/integers.h"
#include "lockstep/log.h"
#include "lockstep/memory.h"

/* --- the file's size --- */

static ls_status fail_changed(const char *path, int64_t before, int64_t now) {
    return LS_RAISE(LS_INVALID,
                    "%s: had %" PRId64 " bytes when it was opened, and has %" PRId64
                    " now: it was cut short or written while it is read; put the whole file back",
                    path, before, now);
}

static ls_status check_itself(const ls_data_file *file) {
    struct stat about;
    if (fstat(file->fd, &about) != 0) return LS_RAISE(LS_ERROR, "%s: cannot be read: %s", file->path, strerror(errno));
    return (int64_t)about.st_size == file->bytes ? LS_OK
                                                 : fail_changed(file->path, file->bytes, (int64_t)about.st_size);
}

static ls_status check_part(const ls_data_file *file, const ls_data_part *part) {
    struct stat about;
    if (stat(part->path, &about) != 0)
        return LS_RAISE(ls_fault_of(errno), "%s: its part %s cannot be read: %s", file->path, part->path,
                        strerror(errno));
    return (int64_t)about.st_size == part->bytes ? LS_OK
                                                 : fail_changed(part->path, part->bytes, (int64_t)about.st_size);
}

ls_status ls_data_check_size(const ls_data_file *file, int64_t first, int64_t count) {
    LS_TRY(check_itself(file));
    for (const ls_data_part *part = file->parts; part < file->parts + file->part_count; part++)
        if (part->first < first + count && part->end > first) LS_TRY(check_part(file, part));
    return LS_OK;
}

/* Another file of that name is not read: HDF5 has the one that was opened. */
static void warn_of_replacement(ls_data_file *file) {
    struct stat opened, named;
    if (file->was_replaced || fstat(file->fd, &opened) != 0) return;
    if (stat(file->path, &named) == 0 && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino) return;
    file->was_replaced = true;
    ls_log_warn("%s was removed or replaced; this run goes on with the file that it has opened, but could not be "
                "resumed without it",
                file->path);
}

ls_status ls_data_file_check(ls_data_file *file) {
    LS_TRY(ls_data_check_size(file, 0, file->info.count));
    warn_of_replacement(file);
    return LS_OK;
}

/* --- hashes --- */

static uint64_t hash_samples(const ls_data_file *file, int64_t first, int64_t count, const char *data) {
    uint64_t sum = 0;
    int64_t bytes = file->info.sample_bytes;
    for (int64_t i = 0; i < count; i++)
        sum += ls_sample_hash(data + i * bytes, bytes, file->labels != NULL ? file->labels[first + i] : 0, first + i);
    return sum;
}

static bool is_fingerprint(const ls_data_file *file, uint64_t content) {
    char text[LS_FINGERPRINT_MAX];
    ls_fingerprint_text(&file->info.shape, file->info.element, file->info.count, content, text);
    return strcmp(text, file->info.fingerprint) == 0;
}

static ls_status load_hashes(ls_data_file *file, hid_t hashes) {
    hsize_t length = 0;
    int64_t blocks = ls_data_file_blocks(file);
    hid_t type = H5Dget_type(hashes), space = H5Dget_space(hashes);
    bool fit = H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == sizeof *file->block_hash &&
               H5Sget_simple_extent_ndims(space) == 1 && H5Sget_simple_extent_dims(space, &length, NULL) == 1 &&
               length == (hsize_t)blocks;
    (void)H5Sclose(space);
    (void)H5Tclose(type);
    if (!fit)
        return LS_RAISE(LS_INVALID, "%s: " LS_DATA_HASHES " must be %" PRId64 " integers of 64 bits, one a block",
                        file->path, blocks);
    LS_TRY(ls_alloc(&file->block_hash, blocks, sizeof *file->block_hash, "the hashes of a data set"));
    if (H5Dread(hashes, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, file->block_hash) < 0)
        return ls_data_file_fail(file, "is damaged or cut short");
    uint64_t content = 0;
    for (int64_t b = 0; b < blocks; b++) content += file->block_hash[b];
    if (is_fingerprint(file, content)) return LS_OK;
    return LS_RAISE(LS_INVALID,
                    "%s: is damaged: the hashes of its blocks do not add up to its fingerprint; import it again. Who "
                    "changed its samples on purpose deletes the attribute " LS_DATA_FINGERPRINT,
                    file->path);
}

static ls_status find_hashes(ls_data_file *file) {
    hid_t hashes;
    if (!file->fingerprinted) return LS_OK;
    if (!ls_data_array_exists(file, LS_DATA_HASHES)) {
        ls_log_warn(
            "%s was written by an older Lockstep and has no hashes of its blocks: import it again to have every "
            "block checked when it is read",
            file->path);
        return LS_OK;
    }
    LS_TRY(ls_data_array_open(file, LS_DATA_HASHES, &hashes));
    ls_status status = load_hashes(file, hashes);
    (void)H5Dclose(hashes);
    return status;
}

ls_status ls_data_check_load(ls_data_file *file) {
    H5D_space_status_t written;
    LS_TRY(find_hashes(file));
    if (file->block_hash != NULL || file->part_count > 0) return LS_OK;
    if (H5Dget_space_status(file->data, &written) < 0 || written == H5D_SPACE_STATUS_NOT_ALLOCATED)
        return LS_RAISE(LS_INVALID, "%s: the samples of " LS_DATA_SET " were never written", file->path);
    file->is_full = ls_data_array_is_full(file->data, &file->layout);
    return LS_OK;
}

static bool is_zero(const char *data, size_t bytes) {
    return bytes == 0 || (data[0] == 0 && memcmp(data, data + 1, bytes - 1) == 0);
}

static ls_status check_hash(const ls_data_file *file, int64_t block, int64_t count, const char *data) {
    int64_t first = block * file->info.block_samples;
    if (hash_samples(file, first, count, data) == file->block_hash[block]) return LS_OK;
    return LS_RAISE(LS_INVALID,
                    "%s: samples %" PRId64 " to %" PRId64 " are not those that were written%s; import it again",
                    file->path, first, first + count - 1,
                    is_zero(data, (size_t)(count * file->info.sample_bytes))
                        ? ", but zeros: there is a hole in the file, as a broken download or a power cut leave"
                        : "");
}

static ls_status check_hashes(const ls_data_file *file, int64_t first, int64_t count, const char *data) {
    int64_t block = file->info.block_samples;
    for (int64_t end = first + count; first < end; first += block) {
        int64_t samples = ls_min(block, end - first);
        LS_TRY(check_hash(file, first / block, samples, data));
        data += samples * file->info.sample_bytes;
    }
    return LS_OK;
}

/* --- files without hashes --- */

typedef struct search {
    ls_data_file *file;
    int64_t first, count;
    const char *data;
} search;

/* Whether all samples add up to the fingerprint: a whole pass, once, where there are zeros to explain. */
static ls_status check_all(ls_data_file *file) {
    const ls_dataset_info *info = &file->info;
    uint64_t content = 0;
    char *block;
    ls_log_rank("%s has blocks of zeros: it is read once as a whole, to see whether they were written so", file->path);
    LS_TRY(ls_alloc(&block, info->block_samples, (size_t)info->sample_bytes, "a block of a data set"));
    bool ok = true;
    for (int64_t first = 0; first < info->count && ok; first += info->block_samples) {
        int64_t count = ls_min(info->block_samples, info->count - first);
        ok = ls_data_file_read_raw(file, first, count, block);
        if (ok) content += hash_samples(file, first, count, block);
        ls_beat();
    }
    ls_free(block);
    if (!ok) return ls_data_file_fail(file, "is damaged");
    if (is_fingerprint(file, content)) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: is damaged: its samples are not those of its fingerprint; import it again",
                    file->path);
}

static ls_status judge_zeros(const search *s, int64_t first, int64_t count) {
    ls_data_file *file = s->file;
    if (file->zeros_are_known) return LS_OK;
    if (file->fingerprinted && check_all(file) != LS_OK)
        return ls_failure_prefix("samples %" PRId64 " to %" PRId64 " are zeros; ", first, first + count - 1);
    if (!file->fingerprinted && file->layout.summed)
        return LS_RAISE(
            LS_INVALID,
            "%s: samples %" PRId64 " to %" PRId64
            " are zeros with a checksum of zero, as a hole in a file has; write the file again. If they are "
            "zeros by right, compress it (h5repack -f SHUF -f GZIP=1 IN.h5 OUT.h5): then they can be told "
            "from a hole",
            file->path, first, first + count - 1);
    if (!file->fingerprinted)
        ls_log_rank("warning: %s: samples %" PRId64 " to %" PRId64
                    " are all zero, and nothing in the file tells whether they were written so",
                    file->path, first, first + count - 1);
    file->zeros_are_known = true;
    return LS_OK;
}

static bool region_is_zero(const char *data, const hsize_t *dim, const size_t *stride, int dims) {
    if (dims == 1) return is_zero(data, dim[0] * stride[0]);
    for (hsize_t i = 0; i < dim[0]; i++)
        if (!region_is_zero(data + i * stride[0], dim + 1, stride + 1, dims - 1)) return false;
    return true;
}

/* What was read of the chunk: *whole says whether that is all of it. */
static bool read_is_zero(const search *s, const ls_data_chunk *chunk, bool *whole) {
    const ls_dataset_info *info = &s->file->info;
    size_t stride[1 + LS_DIMS_MAX];
    hsize_t dim[1 + LS_DIMS_MAX];
    memcpy(dim, chunk->dim, sizeof dim);
    stride[chunk->dims - 1] = (size_t)ls_element_bytes(info->element);
    for (int d = chunk->dims - 2; d >= 0; d--) stride[d] = stride[d + 1] * (size_t)info->shape.dim[d];
    int64_t begin = ls_max((int64_t)chunk->offset[0], s->first);
    int64_t end = ls_min((int64_t)(chunk->offset[0] + chunk->dim[0]), s->first + s->count);
    dim[0] = (hsize_t)(end - begin);
    *whole = dim[0] == chunk->dim[0];
    const char *data = s->data + (begin - s->first) * info->sample_bytes;
    for (int d = 1; d < chunk->dims; d++) data += chunk->offset[d] * stride[d];
    return region_is_zero(data, dim, stride, chunk->dims);
}

static ls_status chunk_is_zero(const search *s, const ls_data_chunk *chunk, bool *zero) {
    search whole = *s;
    char *data;
    whole.first = (int64_t)chunk->offset[0];
    whole.count = (int64_t)chunk->dim[0];
    LS_TRY(ls_alloc(&data, whole.count, (size_t)s->file->info.sample_bytes, "a chunk of a data set"));
    whole.data = data;
    bool ok = ls_data_file_read_raw(s->file, whole.first, whole.count, data), all;
    *zero = ok && read_is_zero(&whole, chunk, &all);
    ls_free(data);
    return ok ? LS_OK : ls_data_file_fail(s->file, "is damaged");
}

static ls_status check_chunk(void *context, const ls_data_chunk *chunk) {
    const search *s = context;
    int64_t first = (int64_t)chunk->offset[0], count = (int64_t)chunk->dim[0];
    bool whole;
    if (!s->file->is_full && !ls_data_array_has(s->file->data, &s->file->layout, chunk))
        return LS_RAISE(LS_INVALID,
                        "%s: samples %" PRId64 " to %" PRId64 " were never written (HDF5 would give its fill value)",
                        s->file->path, first, first + count - 1);
    if (s->file->layout.compressed || s->file->zeros_are_known) return LS_OK;
    bool zero = read_is_zero(s, chunk, &whole);
    if (zero && !whole) LS_TRY(chunk_is_zero(s, chunk, &zero));
    return zero ? judge_zeros(s, first, count) : LS_OK;
}

/* Samples that lie in the file as one piece, or in other files. */
static ls_status check_blocks(const search *s) {
    const ls_dataset_info *info = &s->file->info;
    if (s->file->zeros_are_known) return LS_OK;
    for (int64_t first = s->first; first < s->first + s->count; first += info->block_samples) {
        int64_t count = ls_min(info->block_samples, info->count - first);
        bool whole = first % info->block_samples == 0 && first + count <= s->first + s->count;
        const char *data = s->data + (first - s->first) * info->sample_bytes;
        if (whole && is_zero(data, (size_t)(count * info->sample_bytes))) LS_TRY(judge_zeros(s, first, count));
    }
    return LS_OK;
}

ls_status ls_data_check_samples(ls_data_file *file, int64_t first, int64_t count, const void *data) {
    if (file->block_hash != NULL) return check_hashes(file, first, count, data);
    search s = {.file = file, .first = first, .count = count, .data = data};
    if (!file->layout.chunked) return check_blocks(&s);
    return ls_data_array_chunks(&file->layout, first, count, check_chunk, &s);
}
