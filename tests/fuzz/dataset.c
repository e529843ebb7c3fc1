/* dataset.c - an HDF5 file as a data set: opened, described, and its first samples read with labels and names. HDF5
 * itself is not instrumented: what is found in it are crashes and hangs. */
#include <assert.h>
#include <string.h>

#include "base/integers.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "targets.h"

enum { SAMPLES = 40, SAMPLE_BYTES = 1 << 20 };

static void read_samples(ls_dataset *dataset, const ls_dataset_info *info) {
    static ls_sample_name names[SAMPLES];
    int32_t labels[SAMPLES];
    void *data = NULL;
    const int64_t count = ls_min(info->count, SAMPLES);
    if (info->sample_bytes > SAMPLE_BYTES || ls_alloc(&data, count, (size_t)info->sample_bytes, "samples") != LS_OK)
        return;
    const ls_status status = ls_dataset_read(dataset, info->count - count, count, data, info->labelled ? labels : NULL);
    for (int64_t i = 0; status == LS_OK && info->labelled && i < count; i++)
        assert(labels[i] >= 0 && labels[i] < info->classes);
    if (info->named && ls_dataset_read_names(dataset, 0, count, names) == LS_OK)
        for (int64_t i = 0; i < count; i++) assert(strlen(names[i]) <= LS_SAMPLE_NAME_MAX);
    ls_free(data);
}

void fuzz_dataset(const uint8_t *data, size_t size) {
    const char *path = fuzz_file(data, size);
    ls_dataset *dataset;
    if (ls_dataset_open(&path, 1, &dataset) != LS_OK) return;
    const ls_dataset_info *info = ls_dataset_get_info(dataset);
    assert(info->count > 0 && info->sample_bytes > 0 && info->block_samples > 0);
    for (int i = 0; i < info->classes; i++) {
        const char *name = ls_dataset_class_name(dataset, i);
        assert(!name || strlen(name) < size);
    }
    read_samples(dataset, info);
    ls_dataset_close(dataset);
}
