/* image_resize.c - resizes pictures: each output pixel is a weighted mean of pixels, first over rows, then over
 * columns. The sums are in float, in a fixed order, and rounded once, so that the result is the same everywhere. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "data/image.h"

const char *const ls_fit_names[] = {"crop", "stretch", "pad", NULL};

/* Along one axis: the part of the picture that is used, and the output pixels that it becomes. */
typedef struct axis {
    int64_t source;      /* pixels of the whole picture */
    double from, extent; /* the part that is used */
    int64_t to, count;   /* its first output pixel, and how many */
} axis;

/* The pixels that make output pixel i: count[i] from first[i] on, with weights from weight[i * most] on. */
typedef struct taps {
    int64_t most;
    int64_t *first, *count;
    float *weight;
} taps;

static void taps_release(taps *t) {
    ls_free(t->first);
    ls_free(t->count);
    ls_free(t->weight);
}

/* Where the picture shrinks, output pixel i covers its interval [begin, end). */
static void cover(const axis *a, int64_t i, taps *t) {
    double begin = a->from + a->extent * (double)i / (double)a->count;
    double end = a->from + a->extent * (double)(i + 1) / (double)a->count;
    int64_t first = (int64_t)begin, last = (int64_t)fmin(ceil(end), (double)a->source) - 1;
    t->first[i] = first;
    t->count[i] = last - first + 1;
    for (int64_t k = first; k <= last; k++) {
        double covered = fmin(end, (double)(k + 1)) - fmax(begin, (double)k);
        t->weight[i * t->most + k - first] = (float)(covered / (end - begin));
    }
}

/* Where the picture grows, output pixel i lies between the centres of two pixels; at the edge, on the last one. */
static void interpolate(const axis *a, int64_t i, taps *t) {
    double centre = a->from + a->extent * ((double)i + 0.5) / (double)a->count - 0.5;
    double place = fmin(fmax(centre, 0), (double)(a->source - 1));
    int64_t first = (int64_t)place;
    double beyond = place - (double)first;
    t->first[i] = first;
    t->count[i] = beyond > 0 ? 2 : 1;
    t->weight[i * t->most] = (float)(1 - beyond);
    t->weight[i * t->most + 1] = (float)beyond;
}

static ls_status taps_init(const axis *a, taps *t) {
    double scale = a->extent / (double)a->count;
    *t = (taps){.most = scale < 1 ? 2 : (int64_t)scale + 3};
    LS_TRY(ls_alloc(&t->first, a->count, sizeof *t->first, "resizing"));
    LS_TRY(ls_alloc(&t->count, a->count, sizeof *t->count, "resizing"));
    LS_TRY(ls_alloc(&t->weight, a->count * t->most, sizeof *t->weight, "resizing"));
    for (int64_t i = 0; i < a->count; i++) {
        if (scale < 1)
            interpolate(a, i, t);
        else
            cover(a, i, t);
    }
    return LS_OK;
}

/* The middle part of the right proportions. It begins at a whole pixel, so that an axis that is not scaled stays sharp.
 */
static void crop(axis *a, double scale) {
    a->extent = scale * (double)a->count;
    a->from = floor((double)a->source / 2 - a->extent / 2);
    if (a->from < 0) a->from = 0; /* by rounding */
}

static void pad(axis *a, double scale) {
    int64_t whole = a->count;
    a->count = (int64_t)fmax(1, fmin(floor((double)a->source / scale + 0.5), (double)whole));
    a->to = (whole - a->count) / 2;
}

static void place(axis *rows, axis *columns, ls_fit fit) {
    double by_rows = (double)rows->source / (double)rows->count;
    double by_columns = (double)columns->source / (double)columns->count;
    if (fit == LS_FIT_CROP) {
        crop(rows, fmin(by_rows, by_columns));
        crop(columns, fmin(by_rows, by_columns));
    } else if (fit == LS_FIT_PAD) {
        pad(rows, fmax(by_rows, by_columns));
        pad(columns, fmax(by_rows, by_columns));
    }
}

/* sum[x]: the weighted sum of the picture's rows for output row i, at the picture's width. */
static void blend_rows(const ls_image *image, const taps *rows, int64_t i, float *sum) {
    int64_t stride = image->w * image->c;
    memset(sum, 0, (size_t)stride * sizeof *sum);
    for (int64_t k = 0; k < rows->count[i]; k++) {
        const uint8_t *row = image->pixels + (rows->first[i] + k) * stride;
        float weight = rows->weight[i * rows->most + k];
        for (int64_t x = 0; x < stride; x++) sum[x] += weight * (float)row[x];
    }
}

static void blend_columns(const float *row, const taps *columns, int64_t count, int64_t c, uint8_t *out) {
    for (int64_t i = 0; i < count; i++) {
        const float *weight = columns->weight + i * columns->most;
        for (int64_t channel = 0; channel < c; channel++) {
            const float *value = row + columns->first[i] * c + channel;
            float sum = 0;
            for (int64_t k = 0; k < columns->count[i]; k++) sum += weight[k] * value[k * c];
            out[i * c + channel] =
                (uint8_t)fminf(sum + 0.5f, UINT8_MAX); /* the sum of a million weights may exceed 1 */
        }
    }
}

ls_status ls_image_resize(const ls_image *image, int64_t h, int64_t w, ls_fit fit, ls_image *out) {
    axis rows = {.source = image->h, .extent = (double)image->h, .count = h};
    axis columns = {.source = image->w, .extent = (double)image->w, .count = w};
    place(&rows, &columns, fit);
    taps row_taps = {0}, column_taps = {0};
    float *sum = NULL;
    *out = (ls_image){.h = h, .w = w, .c = image->c};
    ls_status status;
    if (LS_FAILED(status = taps_init(&rows, &row_taps))) goto done;
    if (LS_FAILED(status = taps_init(&columns, &column_taps))) goto done;
    if (LS_FAILED(status = ls_alloc(&sum, image->w * image->c, sizeof *sum, "resizing"))) goto done;
    if (LS_FAILED(status = ls_alloc(&out->pixels, h * w * out->c, 1, "a picture"))) goto done;
    for (int64_t i = 0; i < rows.count; i++) {
        blend_rows(image, &row_taps, i, sum);
        blend_columns(sum, &column_taps, columns.count, out->c,
                      out->pixels + ((rows.to + i) * w + columns.to) * out->c);
    }
done:
    taps_release(&row_taps);
    taps_release(&column_taps);
    ls_free(sum);
    return status;
}
