/* conv_tiles.c - convolutions as matrix products without a matrix: the rows of a tile are pixels, each a pointer into
 * the padded picture, where a row of a patch (columns and channels) is contiguous. So a kernel row is one segment of a
 * tile's sum. After E. Georganas et al., "Anatomy of high-performance deep learning convolutions on SIMD
 * architectures", SC 2018. */
#include "tensor/activation_internal.h"
#include "tensor/conv_pass_internal.h"
#include "tensor/panels_internal.h"
#include "tensor/tiles_internal.h"

enum { STEP_FLOATS = 49152 }; /* of a panel: the kernel rows that stay in the second-level cache from tile to tile */

typedef struct blocking {
    const ls_conv_pass *pass;
    int64_t steps;          /* of a whole sum */
    int64_t band, bands;    /* rows of outputs a task */
    float *packed;          /* the kernel in panels */
    int64_t *a_row, *c_row; /* of a band's pixels */
    float *private;         /* a thread's band of the picture */
    int64_t packed_floats, table_floats, private_floats;
} blocking;

static blocking blocking_of(const ls_conv_pass *pass, int64_t rows, float *scratch) {
    const ls_picture *picture = &pass->picture;
    blocking n = {.pass = pass, .steps = picture->kernel_h * picture->kernel_w * picture->c};
    n.band = ls_conv_band(pass, rows, picture->padded_w * picture->c * picture->stride_h);
    n.bands = ls_ceil_div(pass->out_h, n.band);
    n.packed_floats = n.steps * ls_packed_columns(pass->o);
    n.table_floats = ls_round_up(2 * n.band * pass->out_w, LS_COLUMNS_ALIGN); /* of int64_t */
    n.private_floats = ls_round_up(ls_picture_band_floats(picture, n.band), LS_COLUMNS_ALIGN);
    if (scratch == NULL) return n;
    n.packed = scratch;
    n.a_row = (int64_t *)(void *)(scratch + n.packed_floats);
    n.c_row = (int64_t *)(void *)(scratch + n.packed_floats + n.table_floats);
    n.private = scratch + n.packed_floats + 2 * n.table_floats;
    return n;
}

static void fill_tables(const blocking *n) {
    const ls_picture *picture = &n->pass->picture;
    for (int64_t i = 0, pixel = 0; i < n->band; i++)
        for (int64_t j = 0; j < n->pass->out_w; j++, pixel++) {
            n->a_row[pixel] = (i * picture->stride_h * picture->padded_w + j * picture->stride_w) * picture->c;
            n->c_row[pixel] = i * n->pass->out_row + j * n->pass->out_column;
        }
}

static void pack_task(void *context, int64_t task, int thread) {
    (void)thread;
    const blocking *n = context;
    const ls_conv_pass *pass = n->pass;
    int64_t panels = ls_panel_count(pass->o), tap = task / panels;
    int64_t c = pass->picture.c, a = tap / pass->picture.kernel_w, b = tap % pass->picture.kernel_w;
    ls_panel panel = ls_panel_at(pass->o, task % panels);
    ls_matrix w = {pass->w + pass->w_begin + a * pass->tap_row + b * pass->tap_column, pass->w_stride,
                   pass->transposed};
    ls_panel_pack(&panel, c, ls_matrix_part(w, 0, panel.begin),
                  n->packed + panel.begin * n->steps + tap * c * panel.row_floats);
}

/* One panel of the outputs of a band: kernel rows in blocks that stay in the cache from tile to tile. */
static void multiply_panel(const blocking *n, int64_t p, const float *band, int64_t pixels, float *y) {
    const ls_conv_pass *pass = n->pass;
    const ls_picture *picture = &pass->picture;
    ls_panel panel = ls_panel_at(pass->o, p);
    int64_t steps = picture->kernel_w * picture->c, kernel_row_floats = steps * panel.row_floats;
    int64_t kernel_rows = ls_max(1, STEP_FLOATS / ls_max(1, kernel_row_floats)), begin = 0;
    do { /* a kernel without rows still writes its zeros */
        int64_t end = ls_min(picture->kernel_h, begin + kernel_rows);
        bool last = end == picture->kernel_h;
        ls_tile tile = {.segments = end - begin,
                        .steps = steps,
                        .a = band + begin * picture->padded_w * picture->c,
                        .a_row = n->a_row,
                        .a_segment = picture->padded_w * picture->c,
                        .a_step = 1,
                        .b = n->packed + panel.begin * n->steps + begin * kernel_row_floats,
                        .b_segment = kernel_row_floats,
                        .b_step = panel.row_floats,
                        .c = y + panel.begin,
                        .c_row = n->c_row,
                        .columns = panel.columns,
                        .resume = begin > 0,
                        .bias = last && pass->bias != NULL ? pass->bias + panel.begin : NULL,
                        .relu = last && pass->activation == LS_ACTIVATION_RELU};
        ls_tiles_run(&tile, pixels, begin == 0, NULL);
        begin = end;
    } while (begin < picture->kernel_h);
}

static void band_task(void *context, int64_t task, int thread) {
    const blocking *n = context;
    const ls_conv_pass *pass = n->pass;
    int64_t row = task / n->bands, begin = task % n->bands * n->band, height = ls_min(n->band, pass->out_h - begin);
    float *y = pass->y + pass->out_begin + row * pass->out_picture + begin * pass->out_row;
    const float *band =
        ls_picture_band(&pass->picture, pass->x, row, 0, begin, height, n->private + thread * n->private_floats);
    for (int64_t p = 0; p < ls_panel_count(pass->o); p++) multiply_panel(n, p, band, height * pass->out_w, y);
    if (ls_activation_is_late(pass->activation)) ls_activation_apply(pass->activation, height * pass->out_row, y, y);
}

void ls_conv_tiles_run(ls_pool *pool, const ls_conv_pass *pass, int64_t rows, float *scratch) {
    blocking n = blocking_of(pass, rows, scratch);
    fill_tables(&n);
    int64_t taps = pass->picture.kernel_h * pass->picture.kernel_w;
    ls_pool_run(pool, taps * ls_panel_count(pass->o), pack_task, &n);
    ls_pool_run(pool, rows * n.bands, band_task, &n);
}

int64_t ls_conv_tiles_scratch(const ls_conv_pass *pass, int64_t rows, int threads) {
    blocking n = blocking_of(pass, rows, NULL);
    return n.packed_floats + 2 * n.table_floats + threads * n.private_floats;
}
