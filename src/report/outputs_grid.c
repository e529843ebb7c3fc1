/* outputs_grid.c - rows of pictures as one PNG; see outputs.h. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/integers.h"
#include "base/memory.h"
#include "data/image.h"
#include "report/outputs.h"
#include "report/outputs_text_internal.h"

enum { SIDE_MAX = 96, GAP = 4 }; /* pixels */

/* How a sample's numbers are laid out as a picture: `tiles` pictures of h x w x c in rows of `across`. */
typedef struct layout {
    int64_t h, w, c; /* of a tile; c: 1 or 3 */
    int64_t tiles, across;
    int64_t count;         /* numbers; where they end before the tiles do, the rest is white */
    int64_t height, width; /* of it all */
    int64_t scale;
} layout;

/* The smallest whole number whose square is at least n. */
static int64_t side_of(int64_t n) {
    int64_t side = (int64_t)sqrt((double)n);
    while (side * side < n) side++;
    return side;
}

static bool is_square(int64_t n) { return side_of(n) * side_of(n) == n; }

static layout lay_out_vector(int64_t n) {
    layout l = {.c = !is_square(n) && n % 3 == 0 && is_square(n / 3) ? 3 : 1, .tiles = 1, .across = 1};
    l.w = side_of(n / l.c);
    l.h = (n / l.c + l.w - 1) / l.w;
    return l;
}

static layout lay_out_picture(const ls_shape *shape) {
    layout l = {
        .h = shape->dim[0], .w = shape->dim[1], .c = shape->dims == 3 ? shape->dim[2] : 1, .tiles = 1, .across = 1};
    if (l.c == 1 || l.c == 3) return l;
    l.tiles = l.c;
    l.across = side_of(l.tiles);
    l.c = 1;
    return l;
}

static layout lay_out(const ls_shape *shape) {
    bool picture = shape->dims == 2 || shape->dims == 3;
    layout l = picture ? lay_out_picture(shape) : lay_out_vector(ls_shape_count(shape));
    l.count = ls_shape_count(shape);
    l.height = l.h * ((l.tiles + l.across - 1) / l.across);
    l.width = l.w * l.across;
    int64_t longest = l.height > l.width ? l.height : l.width;
    l.scale = longest < SIDE_MAX ? SIDE_MAX / longest : 1;
    return l;
}

/* The number that is shown at a pixel, or -1: none. Channels of tiles lie interleaved, as the channels of a picture do.
 */
static int64_t number_at(const layout *l, int64_t y, int64_t x, int64_t channel) {
    int64_t tile = y / l->h * l->across + x / l->w;
    int64_t pixel = y % l->h * l->w + x % l->w;
    int64_t number = l->tiles > 1 ? pixel * l->tiles + tile : pixel * l->c + channel;
    return tile < l->tiles && number < l->count ? number : -1;
}

static uint8_t shade(float value, float low, float high) {
    float share = (value - low) / (high - low);
    if (!(share > 0.0f)) return 0; /* NaN is black */
    return share >= 1.0f ? 255 : (uint8_t)lrintf(share * 255.0f);
}

/* Draws one sample with its corner at row y0, column x0. */
static void draw(const layout *l, const ls_grid_row *row, const float *sample, ls_image *image, int64_t y0,
                 int64_t x0) {
    for (int64_t y = 0; y < l->height * l->scale; y++)
        for (int64_t x = 0; x < l->width * l->scale; x++)
            for (int64_t c = 0; c < image->c; c++) {
                int64_t number = number_at(l, y / l->scale, x / l->scale, l->c == 3 ? c : 0);
                if (number < 0) continue;
                image->pixels[((y0 + y) * image->w + x0 + x) * image->c + c] =
                    shade(sample[number], row->low, row->high);
            }
}

static void find_range(ls_grid_row *row, int64_t count) {
    float low = HUGE_VALF, high = -HUGE_VALF;
    for (int64_t i = 0; i < count; i++) {
        if (row->data[i] < low) low = row->data[i];
        if (row->data[i] > high) high = row->data[i];
    }
    row->low = low;
    row->high = high > low ? high : low + 1.0f;
}

/* Where things lie: bands of rows under one another, each of at most `across` pictures a row. */
typedef struct arrangement {
    const layout *layouts; /* [rows] */
    const ls_grid_row *rows;
    int count;
    int64_t pictures, across;
    int64_t margin, column, band; /* pixels: what the labels take, a picture's width and a band's height, with gaps */
} arrangement;

static int64_t row_height(const arrangement *a, int r) {
    int64_t height = a->layouts[r].height * a->layouts[r].scale;
    return a->rows[r].label ? ls_max(height, LS_TEXT_HEIGHT) : height;
}

/* All columns are as wide as the widest picture, a row as high as its own. */
static void measure(arrangement *a, ls_image *image) {
    *image = (ls_image){.c = 1};
    for (int r = 0; r < a->count; r++) {
        const layout *l = &a->layouts[r];
        const char *label = a->rows[r].label;
        a->band += row_height(a, r) + GAP;
        a->column = ls_max(a->column, l->width * l->scale + GAP);
        if (label) a->margin = ls_max(a->margin, ls_text_width(label) + GAP);
        image->c = ls_max(image->c, l->c);
    }
    image->h = GAP + (a->pictures + a->across - 1) / a->across * a->band;
    image->w = GAP + a->margin + ls_min(a->pictures, a->across) * a->column;
}

static void draw_row(const arrangement *a, int r, int64_t y0, ls_image *image) {
    const layout *l = &a->layouts[r];
    ls_grid_row row = a->rows[r];
    if (!(row.low < row.high)) find_range(&row, a->pictures * l->count);
    for (int64_t p = 0; p < a->pictures; p++) {
        int64_t y = y0 + p / a->across * a->band;
        if (row.label && p % a->across == 0)
            ls_text_draw(row.label, y + (row_height(a, r) - LS_TEXT_HEIGHT) / 2, GAP, image);
        draw(l, &row, row.data + p * l->count, image, y, GAP + a->margin + p % a->across * a->column);
    }
}

static ls_status draw_all(const char *path, arrangement *a) {
    ls_image image;
    measure(a, &image);
    int64_t bytes = image.h * image.w * image.c, y = GAP;
    LS_TRY(ls_alloc(&image.pixels, bytes, 1, "a picture"));
    memset(image.pixels, 255, (size_t)bytes);
    for (int r = 0; r < a->count; r++) {
        draw_row(a, r, y, &image);
        y += row_height(a, r) + GAP;
    }
    ls_status status = ls_image_write_png(path, &image);
    ls_image_release(&image);
    return status;
}

ls_status ls_grid_write(const char *path, const ls_grid_row *rows, int count, int64_t pictures, int64_t across) {
    assert(count > 0 && pictures > 0 && across > 0);
    layout *layouts;
    LS_TRY(ls_alloc(&layouts, count, sizeof *layouts, "a picture"));
    for (int r = 0; r < count; r++) layouts[r] = lay_out(&rows[r].shape);
    arrangement a = {.layouts = layouts, .rows = rows, .count = count, .pictures = pictures, .across = across};
    ls_status status = draw_all(path, &a);
    ls_free(layouts);
    return status;
}
