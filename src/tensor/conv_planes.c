/* conv_planes.c - convolutions with few filters: vectors of pixels in place of vectors of filters.
 *
 * A band of the padded picture is transposed to one plane a channel. Pixel q of a plane (rows end to end, padding
 * included) under tap (a, b) is then q + a padded_w + b: a tile's columns are consecutive q, its rows filters, and a
 * step reads the next plane. What it computes for the q that are padding is thrown away. */
#include <string.h>

#include "tensor/activation_internal.h"
#include "tensor/cache_internal.h"
#include "tensor/conv_pass_internal.h"
#include "tensor/panels_internal.h"
#include "tensor/tiles_internal.h"

enum { PLANES_MIN = 4 }; /* fewer channels make sums too short */

typedef struct blocking {
    const ls_conv_pass *pass;
    int64_t band, bands; /* rows of outputs a task */
    int64_t plane;       /* floats of a channel of the band */
    int64_t result;      /* floats of a filter of the result */
    float *private;
    int64_t private_floats;
} blocking;

bool ls_conv_planes_suit(const ls_conv_pass *pass, int width) {
    const ls_picture *picture = &pass->picture;
    return 2 * pass->o <= width && picture->c >= PLANES_MIN && picture->stride_h == 1 && picture->stride_w == 1;
}

static blocking blocking_of(const ls_conv_pass *pass, int64_t rows, float *scratch) {
    const ls_picture *picture = &pass->picture;
    blocking n = {.pass = pass, .private = scratch};
    n.band = ls_conv_band(pass, rows, picture->padded_w * picture->c);
    n.bands = ls_ceil_div(pass->out_h, n.band);
    n.result = ls_packed_columns((n.band - 1) * picture->padded_w + pass->out_w);
    /* A vector may begin at the last pixel of the last tap. */
    n.plane = ls_packed_columns((picture->kernel_h - 1) * picture->padded_w + picture->kernel_w + n.result);
    n.private_floats = picture->c * n.plane + pass->o * n.result;
    return n;
}

/* The rows of the picture under outputs [begin, begin + height), a plane a channel, with zeros around. Transposing
 * reads four pixels at once, no stream that hardware foresees: the next row is asked for. */
static void fill_planes(const blocking *n, int64_t row, int64_t begin, int64_t height, float *planes) {
    const ls_picture *picture = &n->pass->picture;
    int64_t c = picture->c, first = ls_max(-picture->pad_left, 0), left = ls_max(picture->pad_left, 0);
    int64_t count = ls_min(picture->w - first, picture->padded_w - left), top = begin - picture->pad_top;
    const float *x = n->pass->x + (row * picture->h * picture->w + first) * c;
    memset(planes, 0, (size_t)(c * n->plane) * sizeof *planes);
    for (int64_t i = ls_max(top, 0); i < ls_min(top + height + picture->kernel_h - 1, picture->h); i++) {
        ls_prefetch_next(x + (i + 1) * picture->w * c, picture->w * c);
        ls_transpose(c, count, x + i * picture->w * c, c, planes + (i - top) * picture->padded_w + left, n->plane);
    }
}

/* Filters x pixels [q, q + columns), kernel row after kernel row. */
static void multiply(const blocking *n, const float *planes, int64_t q, int64_t columns, float *result) {
    const ls_conv_pass *pass = n->pass;
    const ls_picture *picture = &pass->picture;
    int64_t a_row[LS_TILE_ROWS_MAX], c_row[LS_TILE_ROWS_MAX], a = 0;
    for (int64_t p = 0; p < pass->o; p++) {
        a_row[p] = pass->transposed ? p * pass->w_stride : p;
        c_row[p] = p * n->result;
    }
    do { /* a kernel without rows still writes its zeros */
        bool last = a + 1 >= picture->kernel_h;
        ls_tile tile = {.segments = picture->kernel_h ? picture->kernel_w : 0,
                        .steps = picture->c,
                        .a = pass->w + pass->w_begin + a * pass->tap_row,
                        .a_row = a_row,
                        .a_segment = pass->tap_column,
                        .a_step = pass->transposed ? 1 : pass->w_stride,
                        .b = planes + a * picture->padded_w + q,
                        .b_segment = 1,
                        .b_step = n->plane,
                        .c = result + q,
                        .c_row = c_row,
                        .columns = columns,
                        .resume = a > 0,
                        .row_bias = last ? pass->bias : NULL,
                        .relu = last && pass->activation == LS_ACTIVATION_RELU};
        ls_tiles_run(&tile, pass->o, false, NULL);
    } while (++a < picture->kernel_h);
}

/* Columns of the widest tile that is as high as there are filters. */
static int64_t tile_columns(int64_t o) {
    const ls_tile_kernels *kernels = ls_tile_kernels_get();
    int vectors = kernels->vectors;
    while (vectors > 1 && kernels->rows[vectors] < o) vectors--;
    return vectors * kernels->width;
}

static void band_task(void *context, int64_t task, int thread) {
    const blocking *n = context;
    const ls_conv_pass *pass = n->pass;
    int64_t row = task / n->bands, begin = task % n->bands * n->band, height = ls_min(n->band, pass->out_h - begin);
    float *planes = n->private + thread * n->private_floats, *result = planes + pass->picture.c * n->plane;
    fill_planes(n, row, begin, height, planes);
    int64_t pixels = ls_round_up((height - 1) * pass->picture.padded_w + pass->out_w, ls_tile_kernels_get()->width);
    int64_t columns = tile_columns(pass->o);
    for (int64_t q = 0; q < pixels; q += columns) multiply(n, planes, q, ls_min(columns, pixels - q), result);

    float *y = pass->y + pass->out_begin + row * pass->out_picture + begin * pass->out_row;
    for (int64_t i = 0; i < height; i++)
        ls_transpose(pass->out_w, pass->o, result + i * pass->picture.padded_w, n->result, y + i * pass->out_row,
                     pass->out_column);
    if (ls_activation_is_late(pass->activation)) ls_activation_apply(pass->activation, height * pass->out_row, y, y);
}

void ls_conv_planes_run(ls_pool *pool, const ls_conv_pass *pass, int64_t rows, float *scratch) {
    blocking n = blocking_of(pass, rows, scratch);
    ls_pool_run(pool, rows * n.bands, band_task, &n);
}

int64_t ls_conv_planes_scratch(const ls_conv_pass *pass, int64_t rows, int threads) {
    return threads * blocking_of(pass, rows, NULL).private_floats;
}
