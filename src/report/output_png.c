/* output_png.c - an output as a grid of pictures, drawn when all are there. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/output_format_internal.h"

typedef struct png_file {
    char path[LS_PATH_MAX];
    const ls_sink_spec *spec;
    int64_t done;
    float *data; /* [total][shape] */
} png_file;

static ls_status open_file(const char *path, const ls_sink_spec *spec, void **state) {
    png_file *png;
    LS_TRY(ls_alloc(&png, 1, sizeof *png, "an output file"));
    *state = png;
    (void)strncpy(png->path, path, sizeof png->path - 1);
    png->spec = spec;
    return ls_alloc(&png->data, spec->total * ls_shape_count(&spec->shape), sizeof(float), "the pictures of a grid");
}

static ls_status append(void *state, int64_t count, const float *data, const int32_t *labels,
                        const char *const *names) {
    (void)labels, (void)names;
    png_file *png = state;
    int64_t floats = ls_shape_count(&png->spec->shape);
    memcpy(png->data + png->done * floats, data, (size_t)(count * floats) * sizeof *data);
    png->done += count;
    return LS_OK;
}

static ls_status close_file(void *state, bool keep) {
    png_file *png = state;
    const ls_sink_spec *spec = png->spec;
    ls_grid_row row = {.data = png->data, .shape = spec->shape, .low = spec->low, .high = spec->high};
    ls_status status = keep ? ls_grid_write(png->path, &row, 1, spec->total, spec->across) : LS_OK;
    ls_free(png->data);
    ls_free(png);
    return status;
}

const ls_output_format ls_output_png = {
    .ending = ".png", .name = "a picture", .open = open_file, .append = append, .close = close_file};
