/* outputs.c - the table of file formats, and what an output may take the place of. */
#include "report/outputs.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "report/output_format_internal.h"

/* The table of formats: one line each. */
#define FORMATS(X)                                                                                                     \
    X(hdf5)                                                                                                            \
    X(npy)                                                                                                             \
    X(csv)                                                                                                             \
    X(png)

#define DECLARE(name) extern const ls_output_format ls_output_##name;
#define ENTRY(name)   &ls_output_##name,
FORMATS(DECLARE)

static const ls_output_format *const formats[] = {FORMATS(ENTRY) NULL};

struct ls_sink {
    const ls_output_format *format;
    void *state;
    int64_t total, done; /* samples */
};

static ls_status find_format(const char *path, const ls_output_format **out) {
    char all[128] = "";
    for (int i = 0; formats[i]; i++) {
        *out = formats[i];
        if (ls_path_ends(path, formats[i]->ending)) return LS_OK;
        size_t used = strlen(all);
        (void)snprintf(all + used, sizeof all - used, "%s%s (%s)", i > 0 ? ", " : "", formats[i]->ending,
                       formats[i]->name);
    }
    return LS_RAISE(LS_INVALID, "%s: the name must end in one of %s", path, all);
}

ls_status ls_sink_open(const char *path, const ls_sink_spec *spec, ls_sink **out) {
    const ls_output_format *format;
    ls_sink *sink;
    char place[LS_PATH_MAX];
    *out = NULL;
    LS_TRY(find_format(path, &format));
    LS_TRY(ls_file_follow(path, place));
    LS_TRY(ls_file_check_folder_of(place));
    LS_TRY(ls_alloc(&sink, 1, sizeof *sink, "an output file"));
    *sink = (ls_sink){.format = format, .total = spec->total};
    ls_status status = format->open(place, spec, &sink->state);
    if (status == LS_OK)
        *out = sink;
    else
        (void)ls_sink_close(sink, false);
    return status;
}

static ls_status fail_input(const char *input, const char *output) {
    return LS_RAISE(LS_INVALID, "%s is to be read, and %s would take its place; write the result under another name",
                    input, output);
}

ls_status ls_sink_check_input(const char *path, const char *input) {
    const ls_output_format *format;
    char place[LS_PATH_MAX], second[LS_PATH_MAX];
    LS_TRY(find_format(path, &format));
    LS_TRY(ls_file_follow(path, place));
    if (ls_file_is_same(place, input)) return fail_input(input, path);
    if (format->beside == NULL) return LS_OK;
    LS_TRY(format->beside(place, second));
    return ls_file_is_same(second, input) ? fail_input(input, second) : LS_OK;
}

/* Outputs are float32, and pictures that were imported are uint8: those took somebody's time. Whatever else has the
 * name is replaced, as an output that is made again must be. */
ls_status ls_sink_check_imported(const char *path) {
    ls_dataset *dataset;
    if (!ls_path_ends(path, ".h5") || ls_dataset_open(&path, 1, &dataset) != LS_OK) return LS_OK;
    bool imported = ls_dataset_get_info(dataset)->element == LS_ELEMENT_UINT8;
    ls_dataset_close(dataset);
    if (!imported) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s is there already, and is a data set of pictures; give another name, or --overwrite",
                    path);
}

ls_status ls_sink_append(ls_sink *sink, int64_t count, const float *data, const int32_t *labels,
                         const char *const *names) {
    assert(sink->done + count <= sink->total);
    sink->done += count;
    return sink->format->append(sink->state, count, data, labels, names);
}

ls_status ls_sink_close(ls_sink *sink, bool keep) {
    if (sink == NULL) return LS_OK;
    assert(!keep || sink->done == sink->total);
    ls_status status = sink->state ? sink->format->close(sink->state, keep) : LS_OK;
    ls_free(sink);
    return status;
}
