/* import_cifar10.c - imports CIFAR-10's binary batches (https://www.cs.toronto.edu/~kriz/cifar.html): records of a
 * label and three planes, red, green, blue. */
#include <inttypes.h>

#include "base/integers.h"
#include "base/memory.h"
#include "data/gzip_internal.h"
#include "data/importers_internal.h"
#include "store/data_format.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, CHANNELS = 3, RECORD_BYTES = 1 + CHANNELS * PLANE, CLASSES = 10 };

/* A batch has no header with its size, and a megabyte of gzip may become a gigabyte. All of CIFAR-10 would be 184 MB.
 */
static const int64_t batch_bytes_max = INT64_C(512) << 20;

static const char *const class_names[CLASSES] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                                 "dog",      "frog",       "horse", "ship", "truck"};

typedef struct cifar_source {
    int batches;
    int64_t *begin; /* [batches + 1] the first sample of each batch, and the number of all */
    ls_bytes *batch;
} cifar_source;

static ls_status read_batch(const char *path, ls_bytes *batch) {
    LS_TRY(ls_gzip_read(path, batch_bytes_max + 1, batch));
    if (batch->count > batch_bytes_max)
        return LS_RAISE(LS_INVALID, "%s: has more than %" PRId64 " MiB; a batch of CIFAR-10 has less", path,
                        batch_bytes_max >> 20);
    if (batch->count == 0 || batch->count % RECORD_BYTES != 0)
        return LS_RAISE(LS_INVALID, "%s: has %" PRId64 " bytes, not a multiple of the %d of a CIFAR-10 record", path,
                        batch->count, RECORD_BYTES);
    for (int64_t at = 0; at < batch->count; at += RECORD_BYTES)
        if (batch->data[at] >= CLASSES)
            return LS_RAISE(LS_INVALID, "%s: record %" PRId64 " has label %d; CIFAR-10 has 0 to %d", path,
                            at / RECORD_BYTES, batch->data[at], CLASSES - 1);
    return LS_OK;
}

static ls_status read_batches(const char *const *files, int count, cifar_source *source) {
    LS_TRY(ls_alloc(&source->batch, count, sizeof *source->batch, "CIFAR-10's batches"));
    LS_TRY(ls_alloc(&source->begin, count + 1, sizeof *source->begin, "CIFAR-10's batches"));
    for (; source->batches < count; source->batches++) {
        int i = source->batches;
        ls_status status = read_batch(files[i], &source->batch[i]);
        if (status != LS_OK) {
            ls_free(source->batch[i].data);
            return status;
        }
        source->begin[i + 1] = source->begin[i] + source->batch[i].count / RECORD_BYTES;
    }
    return LS_OK;
}

static uint64_t hash_of(const cifar_source *source) {
    uint64_t hash = 0;
    for (int i = 0; i < source->batches; i++)
        hash += ls_sample_hash(source->batch[i].data, source->batch[i].count, 0, i);
    return hash;
}

static void close_cifar(void *context) {
    cifar_source *source = context;
    for (int i = 0; i < source->batches; i++) ls_free(source->batch[i].data);
    ls_free(source->batch);
    ls_free(source->begin);
    ls_free(source);
}

static ls_status open_cifar(const ls_source_request *request, void **out, ls_source_info *info) {
    const char *const *files = request->files;
    int count = request->count;
    if (count == 0) return LS_RAISE(LS_INVALID, "cifar10 takes the names of one or more batch files");
    cifar_source *source;
    LS_TRY(ls_alloc(&source, 1, sizeof *source, "a CIFAR-10 import"));
    ls_status status = read_batches(files, count, source);
    if (status != LS_OK) {
        close_cifar(source);
        return status;
    }
    *info = (ls_source_info){
        .count = source->begin[count],
        .hash = hash_of(source),
        .shape = {3, {SIDE, SIDE, CHANNELS}},
        .element = LS_ELEMENT_UINT8,
        .labelled = true,
        .classes = CLASSES,
        .class_names = class_names,
    };
    *out = source;
    return LS_OK;
}

static ls_status sample_cifar(void *context, int64_t index, void *data, int32_t *label, const char **name) {
    const cifar_source *source = context;
    int64_t batch = ls_find_run(source->begin, source->batches, index);
    const uint8_t *record = source->batch[batch].data + (index - source->begin[batch]) * RECORD_BYTES;
    uint8_t *pixels = data;
    for (int i = 0; i < PLANE; i++)
        for (int c = 0; c < CHANNELS; c++) pixels[i * CHANNELS + c] = record[1 + c * PLANE + i];
    *label = record[0];
    *name = NULL;
    return LS_OK;
}

static const ls_option options[] = {LS_OPTIONS_END};

const ls_importer_type ls_import_cifar10 = {
    .name = "cifar10",
    .usage = "BATCH.bin...",
    .help = "CIFAR-10's binary batches, plain or gzipped",
    .options = options,
    .open = open_cifar,
    .sample = sample_cifar,
    .close = close_cifar,
};
