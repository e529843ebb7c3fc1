/* dataset.c - several data files as one data set. Each rank opens it by itself and reads what its lanes need, when they
 * need it; nothing here is collective but the shared cache. */
#include <assert.h>
#include <glob.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/integers.h"
#include "base/memory.h"
#include "data/arrays.h"
#include "data/cache_internal.h"
#include "data/dataset.h"
#include "store/data_file.h"
#include "store/data_format.h"
#include "store/data_probe.h"

enum { KEEP_BYTES = 64 << 20 };

struct ls_dataset {
    ls_dataset_info info;
    ls_arrays arrays;    /* count 0: the samples are in files */
    ls_data_file **file; /* [files] */
    int files;
    int64_t *first;       /* [files] its first sample in the data set */
    int64_t *first_block; /* [files] and its first block */
    ls_span *blocks;
    int64_t block_count;
    ls_cache *cache;
};

/* --- opening --- */

/* Makes a pattern that matches only this name. */
static ls_status escape(const char *name, char **pattern) {
    LS_TRY(ls_alloc(pattern, 2 * (int64_t)strlen(name) + 1, 1, "the name of a file"));
    char *to = *pattern;
    for (; *name != '\0'; name++) {
        if (strchr("*?[]\\", *name) != NULL) *to++ = '\\';
        *to++ = *name;
    }
    return LS_OK;
}

static ls_status look_up(const char *pattern, int flags, glob_t *names) {
    if (glob(pattern, flags | GLOB_NOCHECK, NULL, names) == 0) return LS_OK;
    return LS_RAISE(LS_ERROR, "%s: cannot be looked up", pattern);
}

/* The matches of all patterns, each in sorted order. A pattern without matches stands for itself, and so does the name
 * of an existing file, even with pattern characters in it. */
static ls_status expand(const char *const *patterns, int count, glob_t *names) {
    *names = (glob_t){0};
    for (int i = 0; i < count; i++) {
        int append = i > 0 ? GLOB_APPEND : 0;
        char *exact = NULL;
        if (access(patterns[i], F_OK) == 0) LS_TRY(escape(patterns[i], &exact));
        ls_status status =
            exact != NULL ? look_up(exact, append, names) : look_up(patterns[i], append | GLOB_NOESCAPE, names);
        ls_free(exact);
        LS_TRY(status);
    }
    return LS_OK;
}

static ls_status check_classes(const ls_data_file *a, const ls_data_file *b) {
    int64_t a_count, b_count;
    const char *const *a_name = ls_data_file_class_names(a, &a_count);
    const char *const *b_name = ls_data_file_class_names(b, &b_count);
    for (int64_t c = 0; c < ls_min(a_count, b_count); c++)
        if (strcmp(a_name[c], b_name[c]) != 0)
            return LS_RAISE(LS_INVALID, "class %" PRId64 " is '%s' in %s, but '%s' in %s; they cannot be one data set",
                            c, a_name[c], ls_data_file_path(a), b_name[c], ls_data_file_path(b));
    return LS_OK;
}

static ls_status check_same(const ls_data_file *a, const ls_data_file *b) {
    const char *a_path = ls_data_file_path(a), *b_path = ls_data_file_path(b);
    const ls_dataset_info *a_info = ls_data_file_info(a), *b_info = ls_data_file_info(b);
    char a_text[LS_SHAPE_TEXT_MAX], b_text[LS_SHAPE_TEXT_MAX];
    if (!ls_shape_equal(&a_info->shape, &b_info->shape) || a_info->element != b_info->element)
        return LS_RAISE(LS_INVALID, "%s has samples of %s (%s), but %s of %s (%s); they cannot be one data set", a_path,
                        ls_shape_text(&a_info->shape, a_text), ls_element_name(a_info->element), b_path,
                        ls_shape_text(&b_info->shape, b_text), ls_element_name(b_info->element));
    if (a_info->labelled != b_info->labelled)
        return LS_RAISE(LS_INVALID, "%s has labels, but %s has none; they cannot be one data set",
                        a_info->labelled ? a_path : b_path, a_info->labelled ? b_path : a_path);
    return check_classes(a, b);
}

static ls_status join(ls_dataset *dataset) {
    ls_dataset_info *info = &dataset->info;
    *info = *ls_data_file_info(dataset->file[0]);
    LS_TRY(ls_alloc(&dataset->first, dataset->files, sizeof *dataset->first, "a data set"));
    LS_TRY(ls_alloc(&dataset->first_block, dataset->files, sizeof *dataset->first_block, "a data set"));
    dataset->block_count = ls_data_file_blocks(dataset->file[0]);
    for (int f = 1; f < dataset->files; f++) {
        const ls_data_file *file = dataset->file[f];
        const ls_dataset_info *next = ls_data_file_info(file);
        LS_TRY(check_same(dataset->file[0], file));
        dataset->first[f] = info->count;
        dataset->first_block[f] = dataset->block_count;
        dataset->block_count += ls_data_file_blocks(file);
        info->count += next->count;
        info->classes = (int)ls_max(info->classes, next->classes);
        info->named = info->named && next->named;
        ls_fingerprint_join(info->fingerprint, next->fingerprint);
    }
    return LS_OK;
}

static ls_status list_blocks(ls_dataset *dataset) {
    LS_TRY(ls_alloc(&dataset->blocks, dataset->block_count, sizeof *dataset->blocks, "the blocks of a data set"));
    ls_span *span = dataset->blocks;
    for (int f = 0; f < dataset->files; f++) {
        const ls_dataset_info *info = ls_data_file_info(dataset->file[f]);
        for (int64_t at = 0; at < info->count; at += info->block_samples)
            *span++ = (ls_span){dataset->first[f] + at, ls_min(info->block_samples, info->count - at)};
    }
    return LS_OK;
}

static ls_status decode_block(void *context, int64_t block, void *data) {
    const ls_dataset *dataset = context;
    const ls_span *span = &dataset->blocks[block];
    return ls_dataset_read(context, span->first, span->count, data, NULL);
}

static ls_status check_matches(char *const *paths, int files) {
    for (int i = 0; i < files; i++)
        if (strpbrk(paths[i], "*?[") != NULL && access(paths[i], F_OK) != 0)
            return LS_RAISE(LS_INVALID, "%s: no file matches", paths[i]);
    return LS_OK;
}

static ls_status open_all(ls_dataset *dataset, char *const *paths, int files) {
    LS_TRY(ls_alloc(&dataset->file, files, sizeof *dataset->file, "a data set"));
    LS_TRY(check_matches(paths, files));
    while (dataset->files < files) {
        LS_TRY(ls_data_file_open(paths[dataset->files], &dataset->file[dataset->files]));
        dataset->files++;
    }
    LS_TRY(join(dataset));
    LS_TRY(list_blocks(dataset));
    LS_TRY(ls_cache_create(dataset->blocks, dataset->block_count, dataset->info.sample_bytes, decode_block, dataset,
                           &dataset->cache));
    ls_cache_keep(dataset->cache, KEEP_BYTES);
    return LS_OK;
}

ls_status ls_dataset_try(const char *const *paths, int count) {
    glob_t names;
    ls_status status = expand(paths, count, &names);
    if (status == LS_OK) status = check_matches(names.gl_pathv, (int)names.gl_pathc);
    if (status == LS_OK) status = ls_data_probe(names.gl_pathv, (int)names.gl_pathc);
    globfree(&names);
    return status;
}

ls_status ls_dataset_open(const char *const *paths, int count, ls_dataset **out) {
    *out = NULL;
    LS_TRY(ls_dataset_try(paths, count));
    return ls_dataset_open_tried(paths, count, out);
}

ls_status ls_dataset_open_tried(const char *const *paths, int count, ls_dataset **out) {
    assert(count > 0);
    ls_dataset *dataset;
    glob_t names;
    *out = NULL;
    LS_TRY(ls_alloc(&dataset, 1, sizeof *dataset, "a data set"));
    ls_status status = expand(paths, count, &names);
    if (status == LS_OK) status = open_all(dataset, names.gl_pathv, (int)names.gl_pathc);
    globfree(&names);
    if (status != LS_OK)
        ls_dataset_close(dataset);
    else
        *out = dataset;
    return status;
}

/* --- of samples in memory, which have no files --- */

ls_status ls_dataset_of_arrays(const ls_arrays *arrays, ls_dataset **out) {
    enum { BLOCK_SAMPLES = 64 };
    int64_t x = ls_shape_count(&arrays->x_shape), y = arrays->y != NULL ? ls_shape_count(&arrays->y_shape) : 0;
    ls_dataset *dataset;
    *out = NULL;
    LS_TRY(ls_alloc(&dataset, 1, sizeof *dataset, "a data set"));
    dataset->arrays = *arrays;
    dataset->info = (ls_dataset_info){.count = arrays->count,
                                      .shape = y == 0 ? arrays->x_shape : (ls_shape){.dims = 1, .dim = {x + y}},
                                      .element = LS_ELEMENT_FLOAT32,
                                      .sample_bytes = (x + y) * (int64_t)sizeof(float),
                                      .block_samples = BLOCK_SAMPLES};
    dataset->block_count = (arrays->count + BLOCK_SAMPLES - 1) / BLOCK_SAMPLES;
    ls_status status = ls_alloc(&dataset->blocks, dataset->block_count, sizeof *dataset->blocks, "a data set");
    for (int64_t b = 0; status == LS_OK && b < dataset->block_count; b++) {
        int64_t first = b * BLOCK_SAMPLES;
        dataset->blocks[b] = (ls_span){first, ls_min(BLOCK_SAMPLES, arrays->count - first)};
    }
    if (LS_FAILED(status))
        ls_dataset_close(dataset);
    else
        *out = dataset;
    return status;
}

static const char memory_name[] = "the arrays"; /* for messages, in place of a path */

static bool is_in_memory(const ls_dataset *dataset) { return dataset->arrays.count > 0; }

static void copy_sample(const ls_arrays *arrays, int64_t sample, float *out) {
    int64_t x = ls_shape_count(&arrays->x_shape), y = ls_shape_count(&arrays->y_shape);
    memcpy(out, arrays->x + sample * x, (size_t)x * sizeof *out);
    if (arrays->y != NULL) memcpy(out + x, arrays->y + sample * y, (size_t)y * sizeof *out);
}

void ls_dataset_close(ls_dataset *dataset) {
    if (dataset == NULL) return;
    ls_cache_destroy(dataset->cache);
    for (int f = 0; f < dataset->files; f++) ls_data_file_close(dataset->file[f]);
    ls_free(dataset->file);
    ls_free(dataset->first);
    ls_free(dataset->first_block);
    ls_free(dataset->blocks);
    ls_free(dataset);
}

/* --- about the data set --- */

const ls_dataset_info *ls_dataset_get_info(const ls_dataset *dataset) { return &dataset->info; }

const char *ls_dataset_class_name(const ls_dataset *dataset, int label) {
    for (int f = 0; f < dataset->files; f++) {
        int64_t count;
        const char *const *name = ls_data_file_class_names(dataset->file[f], &count);
        if (label >= 0 && label < count) return name[label];
    }
    return NULL;
}

int ls_dataset_files(const ls_dataset *dataset) { return dataset->files; }

const char *ls_dataset_path(const ls_dataset *dataset, int file) {
    if (is_in_memory(dataset)) return memory_name;
    assert(file >= 0 && file < dataset->files);
    return ls_data_file_path(dataset->file[file]);
}

const char *ls_dataset_file_fingerprint(const ls_dataset *dataset, int file) {
    assert(file >= 0 && file < dataset->files);
    return ls_data_file_info(dataset->file[file])->fingerprint;
}

const char *ls_dataset_locate(const ls_dataset *dataset, int64_t sample, int64_t *at) {
    assert(sample >= 0 && sample < dataset->info.count);
    *at = sample;
    if (is_in_memory(dataset)) return memory_name;
    int64_t f = ls_find_run(dataset->first, dataset->files, sample);
    *at = sample - dataset->first[f];
    return ls_data_file_path(dataset->file[f]);
}

ls_status ls_dataset_blocks(const ls_dataset *dataset, ls_span **spans, int64_t *count) {
    LS_TRY(ls_alloc(spans, dataset->block_count, sizeof **spans, "the blocks of a data set"));
    memcpy(*spans, dataset->blocks, (size_t)dataset->block_count * sizeof **spans);
    *count = dataset->block_count;
    return LS_OK;
}

ls_status ls_dataset_check_files(ls_dataset *dataset) {
    for (int f = 0; f < dataset->files; f++) LS_TRY(ls_data_file_check(dataset->file[f]));
    return LS_OK;
}

/* --- reading --- */

ls_status ls_dataset_read(ls_dataset *dataset, int64_t first, int64_t count, void *data, int32_t *labels) {
    assert(first >= 0 && count >= 0 && first + count <= dataset->info.count);
    assert(labels == NULL || dataset->info.labelled);
    char *next = data;
    if (is_in_memory(dataset)) {
        for (int64_t i = 0; i < count; i++, next += dataset->info.sample_bytes)
            copy_sample(&dataset->arrays, first + i, (float *)(void *)next);
        return LS_OK;
    }
    while (count > 0) {
        int64_t f = ls_find_run(dataset->first, dataset->files, first), at = first - dataset->first[f];
        ls_data_file *file = dataset->file[f];
        int64_t part = ls_min(ls_data_file_info(file)->count - at, count);
        if (next != NULL) {
            LS_TRY(ls_data_file_read(file, at, part, next));
            next += part * dataset->info.sample_bytes;
        }
        if (labels != NULL) {
            memcpy(labels, ls_data_file_labels(file) + at, (size_t)part * sizeof *labels);
            labels += part;
        }
        first += part;
        count -= part;
    }
    return LS_OK;
}

ls_status ls_dataset_read_names(ls_dataset *dataset, int64_t first, int64_t count, ls_sample_name *names) {
    assert(dataset->info.named && first >= 0 && count >= 0 && first + count <= dataset->info.count);
    while (count > 0) {
        int64_t f = ls_find_run(dataset->first, dataset->files, first), at = first - dataset->first[f];
        ls_data_file *file = dataset->file[f];
        int64_t part = ls_min(ls_data_file_info(file)->count - at, count);
        LS_TRY(ls_data_file_read_names(file, at, part, names));
        names += part;
        first += part;
        count -= part;
    }
    return LS_OK;
}

/* The file that holds a sample, the number of the sample in it, and its block. */
static const ls_data_file *find_block(const ls_dataset *dataset, int64_t sample, int64_t *block, int64_t *in_file) {
    assert(sample >= 0 && sample < dataset->info.count);
    int64_t f = ls_find_run(dataset->first, dataset->files, sample);
    const ls_data_file *file = dataset->file[f];
    *in_file = sample - dataset->first[f];
    *block = dataset->first_block[f] + *in_file / ls_data_file_info(file)->block_samples;
    return file;
}

ls_status ls_dataset_fetch(ls_dataset *dataset, int64_t count, const int64_t *samples, void *data, int32_t *labels) {
    char *next = data;
    assert(labels == NULL || dataset->info.labelled);
    for (int64_t i = 0; i < count; i++, next += dataset->info.sample_bytes) {
        int64_t block, in_file;
        if (is_in_memory(dataset)) {
            copy_sample(&dataset->arrays, samples[i], (float *)(void *)next);
            continue;
        }
        const ls_data_file *file = find_block(dataset, samples[i], &block, &in_file);
        LS_TRY(ls_cache_copy(dataset->cache, block, in_file % ls_data_file_info(file)->block_samples, next));
        if (labels != NULL) labels[i] = ls_data_file_labels(file)[in_file];
    }
    return LS_OK;
}

ls_status ls_dataset_read_ahead(ls_dataset *dataset, int64_t count, const int64_t *samples, int64_t *bytes) {
    *bytes = 0;
    for (int64_t i = 0; i < count && !is_in_memory(dataset); i++) {
        int64_t block, in_file;
        bool decoded;
        (void)find_block(dataset, samples[i], &block, &in_file);
        LS_TRY(ls_cache_read_ahead(dataset->cache, block, &decoded));
        if (decoded) *bytes += dataset->blocks[block].count * dataset->info.sample_bytes;
    }
    return LS_OK;
}

void ls_dataset_keep(ls_dataset *dataset, int64_t bytes) {
    if (!is_in_memory(dataset)) ls_cache_keep(dataset->cache, bytes);
}

int64_t ls_dataset_cache(ls_dataset *dataset, const ls_comm *comm, int64_t limit_bytes) {
    if (is_in_memory(dataset)) return dataset->info.count * dataset->info.sample_bytes; /* all are there already */
    return ls_cache_share(dataset->cache, comm, limit_bytes);
}
