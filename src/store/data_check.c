/* data_check.c - holds what was read against hashes where the file has some, and searches it for holes where it has
 * none. */
#include "store/data_check_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/beat.h"
#include "base/file.h"
#include "base/integers.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/data_array_internal.h"
#include "store/data_format.h"
#include "store/data_labels_internal.h"

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

/* A new file of the same name is not read: HDF5 still has the one that was opened. */
static void warn_of_replacement(ls_data_file *file) {
    struct stat opened, named;
    if (file->was_replaced || fstat(file->fd, &opened) != 0) return;
    if (stat(file->path, &named) == 0 && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino) return;
    file->was_replaced = true;
    ls_log_warn("%s was removed or replaced; this run continues with the file that it has opened, but could not be "
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
    H5Sclose(space);
    H5Tclose(type);
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

ls_status ls_data_check_load(ls_data_file *file) {
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
    H5Dclose(hashes);
    return status;
}

/* Whether the array was written at all. The parts of a virtual one were checked when it was opened. */
static ls_status check_written(const ls_data_file *file, hid_t array, const char *name, const char *rows) {
    H5D_space_status_t written;
    for (int i = 0; i < file->part_count; i++)
        if (strcmp(file->parts[i].array, name) == 0) return LS_OK;
    if (H5Dget_space_status(array, &written) >= 0 && written != H5D_SPACE_STATUS_NOT_ALLOCATED) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: the %s of %s were never written", file->path, rows, name);
}

ls_status ls_data_check_written(ls_data_file *file) {
    if (file->block_hash != NULL) return LS_OK;
    LS_TRY(check_written(file, file->data, LS_DATA_SET, "samples"));
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

/* A search for holes in rows of an array that were just read. */
typedef struct search {
    ls_data_file *file;
    const char *name, *rows; /* of the array; the word for its rows in messages */
    hid_t array;
    const ls_data_layout *layout;
    int64_t element_bytes; /* in memory */
    int64_t block;         /* without chunks, this many rows are looked at together */
    int64_t enough;        /* this many rows are not all zero by chance */
    bool is_full;
    bool *told;     /* whether the warning was given */
    bool by_all;    /* every rank reads the same rows */
    bool is_hashed; /* the fingerprint covers these rows */
    bool (*read)(const struct search *, int64_t first, int64_t count, void *data);
    int64_t first, count;
    const char *data;
} search;

/* Holds all samples against the fingerprint. That is a pass over the whole file, made once, if zeros were found. */
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

/* Whether the fingerprint can tell a hole from zeros. */
static bool is_decided(const search *s) { return s->file->fingerprinted && s->is_hashed; }

/* Whether zeros need no more attention: the fingerprint was checked, or the warning was given. summed: the zeros have a
 * checksum, which a hole has too. */
static bool is_settled(const search *s, bool summed) {
    return is_decided(s) ? s->file->is_proven : !summed && *s->told;
}

static ls_status judge_zeros(const search *s, bool summed, int64_t first, int64_t count) {
    const char *path = s->file->path;
    if (is_settled(s, summed)) return LS_OK;
    if (is_decided(s)) {
        if (check_all(s->file) != LS_OK)
            return ls_failure_prefix("%s %" PRId64 " to %" PRId64 " are zeros; ", s->rows, first, first + count - 1);
        s->file->is_proven = true;
        return LS_OK;
    }
    if (summed)
        return LS_RAISE(
            LS_INVALID,
            "%s: %s %" PRId64 " to %" PRId64
            " are zeros with a checksum of zero, as a hole in a file has; write the file again. If they are "
            "zeros by right, compress it (h5repack -f SHUF -f GZIP=1 IN.h5 OUT.h5): then they can be told "
            "from a hole",
            path, s->rows, first, first + count - 1);
    static const char words[] = "are all zero, and nothing in the file tells whether they were written so";
    int64_t last = first + count - 1;
    if (s->by_all)
        ls_log_warn("%s: %s %" PRId64 " to %" PRId64 " %s", path, s->rows, first, last, words);
    else
        ls_log_rank("warning: %s: %s %" PRId64 " to %" PRId64 " %s", path, s->rows, first, last, words);
    *s->told = true;
    return LS_OK;
}

static bool region_is_zero(const char *data, const hsize_t *dim, const size_t *stride, int dims) {
    if (dims == 1) return is_zero(data, dim[0] * stride[0]);
    for (hsize_t i = 0; i < dim[0]; i++)
        if (!region_is_zero(data + i * stride[0], dim + 1, stride + 1, dims - 1)) return false;
    return true;
}

static int64_t row_bytes(const search *s) {
    int64_t bytes = s->element_bytes;
    for (int d = 1; d < s->layout->dims; d++) bytes *= (int64_t)s->layout->extent[d];
    return bytes;
}

/* Whether the part of the chunk that was read is zero; *whole: that part is the whole chunk. */
static bool read_is_zero(const search *s, const ls_data_chunk *chunk, bool *whole) {
    size_t stride[1 + LS_DIMS_MAX];
    hsize_t dim[1 + LS_DIMS_MAX];
    memcpy(dim, chunk->dim, sizeof dim);
    stride[chunk->dims - 1] = (size_t)s->element_bytes;
    for (int d = chunk->dims - 2; d >= 0; d--) stride[d] = stride[d + 1] * (size_t)s->layout->extent[d + 1];
    int64_t begin = ls_max((int64_t)chunk->offset[0], s->first);
    int64_t end = ls_min((int64_t)(chunk->offset[0] + chunk->dim[0]), s->first + s->count);
    dim[0] = (hsize_t)(end - begin);
    *whole = dim[0] == chunk->dim[0];
    const char *data = s->data + (begin - s->first) * row_bytes(s);
    for (int d = 1; d < chunk->dims; d++) data += chunk->offset[d] * stride[d];
    return region_is_zero(data, dim, stride, chunk->dims);
}

static ls_status chunk_is_zero(const search *s, const ls_data_chunk *chunk, bool *zero) {
    search whole = *s;
    char *data;
    whole.first = (int64_t)chunk->offset[0];
    whole.count = (int64_t)chunk->dim[0];
    LS_TRY(ls_alloc(&data, whole.count, (size_t)row_bytes(s), "a chunk of a data set"));
    whole.data = data;
    bool ok = s->read(&whole, whole.first, whole.count, data), all;
    *zero = ok && read_is_zero(&whole, chunk, &all);
    ls_free(data);
    return ok ? LS_OK : ls_data_file_fail(s->file, "is damaged");
}

/* A compressed chunk is no hole: compressed zeros are other bytes. Few rows, as at an end, may be zero by chance. */
static ls_status check_zeros(const search *s, const ls_data_layout *layout, int64_t enough,
                             const ls_data_chunk *chunk) {
    int64_t first = (int64_t)chunk->offset[0], count = (int64_t)chunk->dim[0];
    bool whole, summed = layout->summed && count >= enough;
    if (layout->compressed || is_settled(s, summed)) return LS_OK;
    bool zero = read_is_zero(s, chunk, &whole);
    if (zero && !whole) LS_TRY(chunk_is_zero(s, chunk, &zero));
    return zero ? judge_zeros(s, summed, first, count) : LS_OK;
}

static ls_status check_chunk(void *context, const ls_data_chunk *chunk) {
    const search *s = context;
    int64_t first = (int64_t)chunk->offset[0], count = (int64_t)chunk->dim[0];
    if (!s->is_full && !ls_data_array_has(s->array, s->layout, chunk))
        return LS_RAISE(LS_INVALID,
                        "%s: %s %" PRId64 " to %" PRId64 " were never written (HDF5 would give its fill value)",
                        s->file->path, s->rows, first, first + count - 1);
    return check_zeros(s, s->layout, s->enough, chunk);
}

/* Rows that are not in chunks, or not in order in the parts of a virtual array. */
static ls_status check_blocks(const search *s, bool summed, int64_t first, int64_t end) {
    if (is_settled(s, summed)) return LS_OK;
    int64_t bytes = row_bytes(s), rows = (int64_t)s->layout->extent[0];
    for (first = (first + s->block - 1) / s->block * s->block; first < end; first += s->block) {
        int64_t count = ls_min(s->block, rows - first);
        bool whole = first + count <= s->first + s->count;
        if (whole && is_zero(s->data + (first - s->first) * bytes, (size_t)(count * bytes)))
            LS_TRY(judge_zeros(s, summed, first, count));
    }
    return LS_OK;
}

typedef struct part_search {
    const search *s;
    const ls_data_part *part;
} part_search;

/* A chunk of a part, as rows of the virtual array. Rows that the virtual array does not use are not looked at. */
static ls_status check_part_chunk(void *context, const ls_data_chunk *of_part) {
    const part_search *p = context;
    ls_data_chunk chunk = *of_part;
    int64_t first = (int64_t)chunk.offset[0] + p->part->shift, end = first + (int64_t)chunk.dim[0];
    first = ls_max(first, p->part->first);
    end = ls_min(end, p->part->end);
    chunk.offset[0] = (hsize_t)first;
    chunk.dim[0] = (hsize_t)(end - first);
    int64_t half = ((int64_t)of_part->dim[0] + 1) / 2;
    return check_zeros(p->s, &p->part->layout, ls_max(p->s->enough, half), &chunk);
}

static ls_status check_part_zeros(const search *s, const ls_data_part *part) {
    int64_t first = ls_max(s->first, part->first), end = ls_min(s->first + s->count, part->end);
    part_search p = {.s = s, .part = part};
    if (first >= end || part->layout.compressed) return LS_OK;
    if (!part->in_order || !part->layout.chunked) return check_blocks(s, part->layout.summed, first, end);
    return ls_data_array_chunks(&part->layout, first - part->shift, end - first, check_part_chunk, &p);
}

static ls_status check_rows(search *s) {
    bool is_map = false;
    for (const ls_data_part *part = s->file->parts; part < s->file->parts + s->file->part_count; part++) {
        if (strcmp(part->array, s->name) != 0) continue;
        is_map = true;
        LS_TRY(check_part_zeros(s, part));
    }
    if (is_map) return LS_OK;
    if (!s->layout->chunked) return check_blocks(s, false, s->first, s->first + s->count);
    return ls_data_array_chunks(s->layout, s->first, s->count, check_chunk, s);
}

static bool read_samples(const search *s, int64_t first, int64_t count, void *data) {
    return ls_data_file_read_raw(s->file, first, count, data);
}

ls_status ls_data_check_samples(ls_data_file *file, int64_t first, int64_t count, const void *data) {
    if (file->block_hash != NULL) return check_hashes(file, first, count, data);
    search s = {.file = file,
                .name = LS_DATA_SET,
                .rows = "samples",
                .array = file->data,
                .layout = &file->layout,
                .element_bytes = ls_element_bytes(file->info.element),
                .block = file->info.block_samples,
                .is_full = file->is_full,
                .told = &file->told_of_samples,
                .is_hashed = true,
                .read = read_samples,
                .first = first,
                .count = count,
                .data = data};
    return check_rows(&s);
}

enum { LABELS_ENOUGH = 16 };

/* A hole is at least a page of a disk, so fewer numbers than fill one are not searched. */
static int64_t page_rows(const ls_data_layout *layout) {
    enum { PAGE = 4096 };
    return ls_min(ls_max(PAGE / layout->element_bytes, 1), ls_max((int64_t)layout->extent[0], 1));
}

static bool copy_labels(const search *s, int64_t first, int64_t count, void *data) {
    memcpy(data, s->file->labels + first, (size_t)count * sizeof *s->file->labels);
    return true;
}

ls_status ls_data_check_labels(ls_data_file *file, hid_t labels) {
    if (file->block_hash != NULL) return LS_OK;
    LS_TRY(check_written(file, labels, LS_DATA_LABELS, "labels"));
    ls_data_layout layout = ls_data_array_layout(labels);
    bool told = false;
    search s = {.file = file,
                .name = LS_DATA_LABELS,
                .rows = "labels",
                .array = labels,
                .layout = &layout,
                .element_bytes = sizeof *file->labels,
                .block = page_rows(&layout),
                .enough = LABELS_ENOUGH,
                .is_full = ls_data_array_is_full(labels, &layout),
                .told = &told,
                .by_all = true,
                .is_hashed = true,
                .read = copy_labels,
                .count = file->info.count,
                .data = (const char *)file->labels};
    return check_rows(&s);
}

static bool read_names(const search *s, int64_t first, int64_t count, void *data) {
    return ls_data_names_read_raw(s->array, first, count, data);
}

ls_status ls_data_check_names(ls_data_file *file, hid_t names, int64_t first, int64_t count, ls_sample_name *read) {
    LS_TRY(check_written(file, names, LS_DATA_NAMES, "names"));
    ls_data_layout layout = ls_data_array_layout(names);
    search s = {.file = file,
                .name = LS_DATA_NAMES,
                .rows = "names",
                .array = names,
                .layout = &layout,
                .element_bytes = sizeof *read,
                .block = page_rows(&layout),
                .is_full = ls_data_array_is_full(names, &layout),
                .told = &file->told_of_names,
                .read = read_names,
                .first = first,
                .count = count,
                .data = (const char *)read};
    return check_rows(&s);
}
