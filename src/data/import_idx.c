/* import_idx.c - imports IDX files, the format of MNIST and its relatives (http://yann.lecun.com/exdb/mnist): two zero
 * bytes, the type of an element, the number of dimensions; then the dimensions and the elements, big-endian. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "data/gzip_internal.h"
#include "data/importers_internal.h"
#include "store/data_format.h"

enum { TYPE_UINT8 = 0x08, TYPE_FLOAT32 = 0x0D, MAGIC_BYTES = 4, DIM_BYTES = 4 };
enum { HEADER_BYTES_MAX = MAGIC_BYTES + DIM_BYTES * LS_DIMS_MAX };

typedef struct idx_file {
    const char *path;
    int type, dims;
    int64_t dim[LS_DIMS_MAX];
    int64_t element_bytes, sample_bytes;
    ls_bytes bytes;       /* the whole file */
    const uint8_t *items; /* the elements, in bytes */
} idx_file;

typedef struct idx_source {
    idx_file images, labels; /* labels.items is NULL without labels */
} idx_source;

static uint32_t big_endian(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The magic number and the dimensions, from the first bytes of the file. */
static ls_status parse_header(const ls_bytes *head, idx_file *file) {
    const uint8_t *p = head->data;
    bool magic = head->count >= MAGIC_BYTES && p[0] == 0 && p[1] == 0;
    if (!magic || (p[2] != TYPE_UINT8 && p[2] != TYPE_FLOAT32) || p[3] < 1 || p[3] > LS_DIMS_MAX)
        return LS_RAISE(LS_INVALID, "%s: not an IDX file of bytes or floats with 1 to %d dimensions", file->path,
                        LS_DIMS_MAX);
    file->type = p[2];
    file->dims = p[3];
    if (head->count < MAGIC_BYTES + DIM_BYTES * file->dims)
        return LS_RAISE(LS_INVALID, "%s: ends within its header", file->path);
    file->element_bytes = file->type == TYPE_FLOAT32 ? 4 : 1;
    file->sample_bytes = file->element_bytes;
    for (int d = 0; d < file->dims; d++) {
        file->dim[d] = big_endian(p + MAGIC_BYTES + DIM_BYTES * d);
        if (file->dim[d] == 0) return LS_RAISE(LS_INVALID, "%s: has a dimension of 0", file->path);
        if (d > 0 && __builtin_mul_overflow(file->sample_bytes, file->dim[d], &file->sample_bytes))
            return LS_RAISE(LS_INVALID, "%s: its dimensions are too large", file->path);
    }
    return LS_OK;
}

static ls_status read_header(idx_file *file) {
    ls_bytes head;
    LS_TRY(ls_gzip_read(file->path, HEADER_BYTES_MAX, &head));
    ls_status status = parse_header(&head, file);
    ls_free(head.data);
    return status;
}

/* Asks for one byte more than the header says, to see that the file ends there. */
static ls_status read_idx(const char *path, idx_file *file) {
    file->path = path;
    LS_TRY(read_header(file));
    int64_t header = MAGIC_BYTES + DIM_BYTES * file->dims;
    int64_t expected;
    if (__builtin_mul_overflow(file->dim[0], file->sample_bytes, &expected) ||
        __builtin_add_overflow(expected, header + 1, &expected))
        return LS_RAISE(LS_INVALID, "%s: its dimensions are too large", path);
    LS_TRY(ls_gzip_check_length(path, expected));
    LS_TRY(ls_gzip_read(path, expected--, &file->bytes));
    if (file->bytes.count != expected)
        return LS_RAISE(
            LS_INVALID, "%s: has %s bytes than the %" PRId64 " that its header says (%" PRId64 " items of %" PRId64 ")",
            path, file->bytes.count < expected ? "fewer" : "more", expected, file->dim[0], file->sample_bytes);
    file->items = file->bytes.data + header;
    return LS_OK;
}

static ls_status read_labels(const char *path, idx_source *source) {
    idx_file *labels = &source->labels;
    LS_TRY(read_idx(path, labels));
    if (labels->dims != 1 || labels->type != TYPE_UINT8)
        return LS_RAISE(LS_INVALID, "%s: labels must be bytes in one dimension; the order is IMAGES LABELS", path);
    if (labels->dim[0] == source->images.dim[0]) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: has %" PRId64 " labels for the %" PRId64 " samples of %s", path, labels->dim[0],
                    source->images.dim[0], source->images.path);
}

static ls_status read_images(const char *path, idx_file *images) {
    LS_TRY(read_idx(path, images));
    if (images->dims > 1) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: holds one number a sample, as labels do; the order is IMAGES LABELS", path);
}

/* A sample of two dimensions is a grey picture, and gets its channel. */
static ls_shape sample_shape(const idx_file *images) {
    ls_shape shape = {.dims = images->dims - 1, .dim = {1, 1, 1, 1}};
    for (int d = 1; d < images->dims; d++) shape.dim[d - 1] = images->dim[d];
    if (shape.dims == 2) shape.dims = 3;
    return shape;
}

static uint64_t hash_of(const idx_file *file) {
    return ls_sample_hash(file->bytes.data, file->bytes.count, file->dims, 0);
}

static void describe(const idx_source *source, ls_source_info *info) {
    *info = (ls_source_info){
        .count = source->images.dim[0],
        .hash = hash_of(&source->images) + hash_of(&source->labels),
        .shape = sample_shape(&source->images),
        .element = source->images.type == TYPE_FLOAT32 ? LS_ELEMENT_FLOAT32 : LS_ELEMENT_UINT8,
        .labelled = source->labels.items != NULL,
    };
    for (int64_t i = 0; info->labelled && i < info->count; i++)
        if (source->labels.items[i] >= info->classes) info->classes = source->labels.items[i] + 1;
}

static void close_idx(void *context) {
    idx_source *source = context;
    ls_free(source->images.bytes.data);
    ls_free(source->labels.bytes.data);
    ls_free(source);
}

static ls_status open_idx(const ls_source_request *request, void **out, ls_source_info *info) {
    const char *const *files = request->files;
    int count = request->count;
    if (count != 1 && count != 2) return LS_RAISE(LS_INVALID, "idx takes IMAGES or IMAGES LABELS, not %d files", count);
    idx_source *source;
    LS_TRY(ls_alloc(&source, 1, sizeof *source, "an IDX import"));
    ls_status status = read_images(files[0], &source->images);
    if (status == LS_OK && count == 2) status = read_labels(files[1], source);
    if (status != LS_OK) {
        close_idx(source);
        return status;
    }
    describe(source, info);
    *out = source;
    return LS_OK;
}

static ls_status sample_idx(void *context, int64_t index, void *data, int32_t *label, const char **name) {
    const idx_source *source = context;
    int64_t bytes = source->images.sample_bytes;
    const uint8_t *item = source->images.items + index * bytes;
    *name = NULL;
    *label = source->labels.items != NULL ? source->labels.items[index] : 0;
    if (source->images.type == TYPE_UINT8) {
        memcpy(data, item, (size_t)bytes);
        return LS_OK;
    }
    for (int64_t i = 0; i < bytes; i += 4) {
        uint32_t bits = big_endian(item + i);
        memcpy((uint8_t *)data + i, &bits, sizeof bits);
    }
    return LS_OK;
}

static const ls_option options[] = {LS_OPTIONS_END};

const ls_importer_type ls_import_idx = {
    .name = "idx",
    .usage = "IMAGES [LABELS]",
    .help = "IDX files, plain or gzipped, such as MNIST's",
    .options = options,
    .open = open_idx,
    .sample = sample_idx,
    .close = close_idx,
};
