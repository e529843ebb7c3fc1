/* targets.c - see targets.h. */
#include "targets.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/integers.h"
#include "base/memory.h"

const fuzz_target fuzz_targets[] = {
    {"config", fuzz_config},
    {"set", fuzz_set},
    {"idx", fuzz_idx},
    {"gzip", fuzz_gzip},
    {"cifar10", fuzz_cifar10},
    {"jpeg", fuzz_jpeg},
    {"png", fuzz_png},
    {"exif", fuzz_exif},
    {"npy", fuzz_npy},
    {"csv", fuzz_csv},
    {"dataset", fuzz_dataset},
    {"checkpoint", fuzz_checkpoint},
    {NULL, NULL},
};

const fuzz_target *fuzz_find(const char *name) {
    for (const fuzz_target *target = fuzz_targets; target->name; target++)
        if (strcmp(target->name, name) == 0) return target;
    return NULL;
}

static char path[4096];

static void remove_file(void) { (void)unlink(path); }

const char *fuzz_file(const uint8_t *data, size_t size) {
    const char *folder = getenv("TMPDIR");
    if (!*path) {
        (void)snprintf(path, sizeof path, "%s/lockstep-fuzz-%ld.h5", folder ? folder : "/tmp", (long)getpid());
        (void)atexit(remove_file);
    }
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        abort();
    }
    return path;
}

char *fuzz_text(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (!text) abort();
    if (size > 0) memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

void fuzz_import(const ls_importer_type *type, const char *const *files, int count) {
    enum { SAMPLES = 1000, SAMPLE_BYTES = 16 << 20 };
    char record[4096] = {0};
    void *source, *data = NULL;
    ls_source_info info;
    assert(type->options_bytes <= sizeof record);
    ls_options_init(type->options, record);
    static const ls_comm alone = {.size = 1, .host_size = 1};
    const ls_source_request request = {.comm = &alone, .options = record, .seed = 1, .files = files, .count = count};
    if (type->open(&request, &source, &info) != LS_OK) return;
    const int64_t bytes = ls_shape_count(&info.shape) * ls_element_bytes(info.element);
    assert(info.count > 0 && bytes > 0);
    if (bytes <= SAMPLE_BYTES && ls_alloc(&data, bytes, 1, "a sample") == LS_OK)
        for (int64_t i = 0; i < ls_min(info.count, SAMPLES); i++) {
            int32_t label = 0;
            const char *name;
            if (type->sample(source, i, data, &label, &name) == LS_OK)
                assert(!info.labelled || (label >= 0 && label < info.classes));
        }
    ls_free(data);
    type->close(source);
}
