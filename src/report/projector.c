/* projector.c - the files of TensorBoard's projector, as texts and one picture. */
#include "report/projector.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/image.h"

#define CODES    "projector-codes.tsv"
#define LABELS   "projector-labels.tsv"
#define PICTURES "projector-pictures.png"
#define CONFIG   "projector_config.pbtxt"

enum { PICTURE_SIDE_MAX = 8192 /* what browsers take as a texture; TensorBoard's documentation */ };

/* --- texts --- */

typedef ls_status (*print_fn)(const ls_projection *p, FILE *out);

static ls_status write_text(const ls_projection *p, const char *name, print_fn print) {
    char path[LS_PATH_MAX], *text = NULL;
    size_t bytes;
    LS_TRY(ls_path_join(p->folder, name, path));
    FILE *out = open_memstream(&text, &bytes);
    ls_status status = out ? print(p, out) : LS_OK;
    bool whole = out && !ferror(out);
    if (out && fclose(out) != 0) whole = false;
    if (status == LS_OK && !whole) status = LS_RAISE(LS_ERROR, "no memory for %s", path);
    if (status == LS_OK) status = ls_file_write_text(path, text);
    free(text);
    return status;
}

static ls_status print_codes(const ls_projection *p, FILE *out) {
    for (int64_t i = 0; i < p->samples * p->width; i++)
        fprintf(out, "%.9g%c", (double)p->codes[i], (i + 1) % p->width == 0 ? '\n' : '\t');
    return LS_OK;
}

static void print_label(const ls_dataset *dataset, int32_t label, FILE *out) {
    const char *name = ls_dataset_class_name(dataset, label);
    if (name != NULL)
        ls_utf8_print(name, out);
    else
        fprintf(out, "%" PRId32, label);
}

static void print_sample(const ls_projection *p, const int32_t *label, const char *name, FILE *out) {
    if (label) print_label(p->dataset, *label, out);
    if (label && name) (void)fputc('\t', out);
    if (name != NULL) ls_utf8_print(name, out);
    (void)fputc('\n', out);
}

static ls_status print_span(const ls_projection *p, const ls_span *span, int32_t *labels, ls_sample_name *names,
                            FILE *out) {
    if (labels) LS_TRY(ls_dataset_read(p->dataset, span->first, span->count, NULL, labels));
    if (names) LS_TRY(ls_dataset_read_names(p->dataset, span->first, span->count, names));
    for (int64_t i = 0; i < span->count; i++) print_sample(p, labels ? labels + i : NULL, names ? names[i] : NULL, out);
    return LS_OK;
}

/* A line a sample. Two columns have a heading; one has none. */
static ls_status print_labels(const ls_projection *p, FILE *out) {
    const ls_dataset_info *info = ls_dataset_get_info(p->dataset);
    int32_t *labels = NULL;
    ls_sample_name *names = NULL;
    ls_status status = LS_OK;
    if (info->labelled && info->named) fputs("label\tname\n", out);
    if (info->labelled) status = ls_alloc(&labels, p->samples, sizeof *labels, "labels");
    if (status == LS_OK && info->named) status = ls_alloc(&names, p->samples, sizeof *names, "names of samples");
    for (int64_t i = 0; status == LS_OK && i < p->count; i++) status = print_span(p, &p->spans[i], labels, names, out);
    ls_free(labels);
    ls_free(names);
    return status;
}

static bool has_labels(const ls_projection *p) {
    const ls_dataset_info *info = ls_dataset_get_info(p->dataset);
    return info->labelled || info->named;
}

/* --- pictures: in rows of as many as there are rows --- */

static int64_t side_of(const ls_projection *p) { return (int64_t)ceil(sqrt((double)p->samples)); }

static bool has_pictures(const ls_projection *p) {
    const ls_dataset_info *info = ls_dataset_get_info(p->dataset);
    const ls_shape *shape = &info->shape;
    return info->element == LS_ELEMENT_UINT8 && shape->dims == 3 && (shape->dim[2] == 1 || shape->dim[2] == 3) &&
           side_of(p) * shape->dim[0] <= PICTURE_SIDE_MAX && side_of(p) * shape->dim[1] <= PICTURE_SIDE_MAX;
}

static void put_picture(const uint8_t *pixels, const ls_shape *shape, int64_t y0, int64_t x0, ls_image *image) {
    int64_t line = shape->dim[1] * shape->dim[2];
    for (int64_t y = 0; y < shape->dim[0]; y++)
        memcpy(image->pixels + ((y0 + y) * image->w + x0) * image->c, pixels + y * line, (size_t)line);
}

static ls_status fill_pictures(const ls_projection *p, uint8_t *samples, ls_image *image) {
    const ls_dataset_info *info = ls_dataset_get_info(p->dataset);
    int64_t side = side_of(p), done = 0;
    for (int64_t s = 0; s < p->count; s++) {
        LS_TRY(ls_dataset_read(p->dataset, p->spans[s].first, p->spans[s].count, samples, NULL));
        for (int64_t i = 0; i < p->spans[s].count; i++, done++)
            put_picture(samples + i * info->sample_bytes, &info->shape, done / side * info->shape.dim[0],
                        done % side * info->shape.dim[1], image);
    }
    return LS_OK;
}

static ls_status write_pictures(const ls_projection *p) {
    const ls_dataset_info *info = ls_dataset_get_info(p->dataset);
    char path[LS_PATH_MAX];
    ls_image image = {
        .h = side_of(p) * info->shape.dim[0], .w = side_of(p) * info->shape.dim[1], .c = info->shape.dim[2]};
    uint8_t *samples = NULL;
    LS_TRY(ls_path_join(p->folder, PICTURES, path));
    ls_status status = ls_alloc(&image.pixels, image.h * image.w * image.c, 1, "the projector's pictures");
    if (status == LS_OK) status = ls_alloc(&samples, p->samples, (size_t)info->sample_bytes, "samples");
    if (status == LS_OK) status = fill_pictures(p, samples, &image);
    if (status == LS_OK) status = ls_image_write_png(path, &image);
    ls_free(samples);
    ls_image_release(&image);
    return status;
}

/* --- what refers to them: protobuf's text format, which protobuf-c does not write --- */

static ls_status print_config(const ls_projection *p, FILE *out) {
    const ls_shape *shape = &ls_dataset_get_info(p->dataset)->shape;
    fputs("embeddings {\n  tensor_name: \"code\"\n  tensor_path: \"" CODES "\"\n", out);
    if (has_labels(p)) fputs("  metadata_path: \"" LABELS "\"\n", out);
    if (has_pictures(p))
        fprintf(out,
                "  sprite { image_path: \"" PICTURES "\" single_image_dim: %" PRId64 " single_image_dim: %" PRId64
                " }\n",
                shape->dim[1], shape->dim[0]);
    fputs("}\n", out);
    return LS_OK;
}

static ls_status remove_config(const ls_projection *p) {
    char path[LS_PATH_MAX];
    LS_TRY(ls_path_join(p->folder, CONFIG, path));
    if (unlink(path) == 0 || errno == ENOENT) return LS_OK;
    return LS_RAISE(LS_ERROR, "cannot remove %s: %s", path, strerror(errno));
}

/* Nothing refers to the others while they are of two sets. */
ls_status ls_projector_write(const ls_projection *p) {
    LS_TRY(remove_config(p));
    LS_TRY(write_text(p, CODES, print_codes));
    if (has_labels(p)) LS_TRY(write_text(p, LABELS, print_labels));
    if (has_pictures(p)) LS_TRY(write_pictures(p));
    return write_text(p, CONFIG, print_config);
}
