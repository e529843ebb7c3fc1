/* conv.c - convolutions as matrix products without a matrix: the rows of a tile are pixels, each a pointer into the
 * padded picture, where the (column, channel) part of a kernel's window is contiguous. So a kernel row is one segment
 * of a tile's sum. After E. Georganas et al., "Anatomy of high-performance deep learning convolutions on SIMD
 * architectures", SC 2018. */
#include "lockstep/conv.h"

#include "tensor/conv_weight.h"
#include "tensor/picture.h"
#include "tensor/product.h"

ls_conv ls_conv_make(int64_t h, int64_t w, int64_t c, int64_t filters, int64_t kernel_h, int64_t kernel_w,
                     int64_t stride_h, int64_t stride_w, bool same) {
    ls_conv conv = {.h = h,
                    .w = w,
                    .c = c,
                    .o = filters,
                    .kernel_h = kernel_h,
                    .kernel_w = kernel_w,
                    .stride_h = stride_h,
                    .stride_w = stride_w};
    ls_window_fit(h, kernel_h, stride_h, same, &conv.out_h, &conv.pad_top);
    ls_window_fit(w, kernel_w, stride_w, same, &conv.out_w, &conv.pad_left);
    return conv;
}

double ls_conv_flops(const ls_conv *conv) {
    return 2.0 * (double)(conv->out_h * conv->out_w * conv->o) * (double)(conv->kernel_h * conv->kernel_w * conv->c);
}

/* ---- One pass: a kernel slides over a picture. The input gradient is some of these, too. ---- */

enum {
    PICTURE_FLOATS = 40960,
    STEP_FLOATS = 49152,
    TASKS = 64
}; /* a band of the picture, and a panel's part, in the second-level cache */

typedef struct pass {
    ls_picture picture;
    int64_t out_h, out_w, o;
    int64_t out_row, out_column, out_picture; /* strides of the output, in floats */
    const float *bias;
    ls_activation activation;
    /* The plan. */
    int64_t band, bands;    /* rows of outputs a task */
    const float *packed;    /* the kernel in panels */
    int64_t *a_row, *c_row; /* of a band's pixels */
    float *private;
    int64_t private_floats;
    /* The call. */
    const float *x;
    float *y;
} pass;

static int64_t pass_steps(const pass *g) { return g->picture.kernel_h * g->picture.kernel_w * g->picture.c; }
static int64_t pass_panels_floats(const pass *g) { return pass_steps(g) * ls_packed_columns(g->o); }

static void pass_plan(pass *g, int64_t rows) {
    int64_t row_floats = max_of(1, g->picture.padded_w * g->picture.c * g->picture.stride_h);
    int64_t wanted = ceil_div(TASKS, max_of(1, rows));
    g->band = max_of(1, min_of(PICTURE_FLOATS / row_floats, ceil_div(g->out_h, wanted)));
    g->bands = ceil_div(g->out_h, g->band);
    g->band = ceil_div(g->out_h, g->bands);
    g->private_floats = round_up(ls_picture_band_floats(&g->picture, g->band), LS_COLUMNS_ALIGN);
}

/* int64_t tables in a scratch of floats. */
static int64_t pass_table_floats(const pass *g) { return 2 * round_up(2 * g->band * g->out_w, LS_COLUMNS_ALIGN); }

static void fill_tables(pass *g, float *scratch) {
    g->a_row = (int64_t *)(void *)scratch;
    g->c_row = (int64_t *)(void *)(scratch + pass_table_floats(g) / 2);
    const ls_picture *picture = &g->picture;
    for (int64_t i = 0, pixel = 0; i < g->band; i++)
        for (int64_t j = 0; j < g->out_w; j++, pixel++) {
            g->a_row[pixel] = (i * picture->stride_h * picture->padded_w + j * picture->stride_w) * picture->c;
            g->c_row[pixel] = i * g->out_row + j * g->out_column;
        }
}

/* One panel of the outputs of a band: kernel rows in blocks that stay in the cache from tile to tile. */
static void multiply_panel(const pass *g, int64_t p, const float *band, int64_t pixels, float *y) {
    const ls_picture *picture = &g->picture;
    ls_panel panel = ls_panel_at(g->o, p);
    int64_t steps = picture->kernel_w * picture->c, kernel_row_floats = steps * panel.row_floats;
    int64_t kernel_rows = max_of(1, STEP_FLOATS / max_of(1, kernel_row_floats)), begin = 0;
    do { /* a kernel without rows still writes its zeros */
        int64_t end = min_of(picture->kernel_h, begin + kernel_rows);
        bool last = end == picture->kernel_h;
        ls_tile tile = {.segments = end - begin,
                        .steps = steps,
                        .a = band + begin * picture->padded_w * picture->c,
                        .a_row = g->a_row,
                        .a_segment = picture->padded_w * picture->c,
                        .a_step = 1,
                        .b = g->packed + panel.begin * pass_steps(g) + begin * kernel_row_floats,
                        .b_segment = kernel_row_floats,
                        .b_step = panel.row_floats,
                        .c = y + panel.begin,
                        .c_row = g->c_row,
                        .columns = panel.columns,
                        .resume = begin > 0,
                        .bias = last && g->bias ? g->bias + panel.begin : NULL,
                        .relu = last && g->activation == LS_ACTIVATION_RELU};
        ls_tiles_run(&tile, pixels);
        begin = end;
    } while (begin < picture->kernel_h);
}

static void pass_task(void *context, int64_t task, int thread) {
    const pass *g = context;
    int64_t row = task / g->bands, begin = task % g->bands * g->band, height = min_of(g->band, g->out_h - begin);
    float *y = g->y + row * g->out_picture + begin * g->out_row;
    const float *band =
        ls_picture_band(&g->picture, g->x, row, 0, begin, height, g->private + thread * g->private_floats);
    for (int64_t p = 0; p < ls_panel_count(g->o); p++) multiply_panel(g, p, band, height * g->out_w, y);
    if (ls_activation_is_late(g->activation)) ls_activation_apply(g->activation, height * g->out_row, y, y);
}

/* ---- Packing of the kernel: panels of all of its taps' rows. ---- */

typedef struct tap_pack {
    const pass *pass;
    const float *w;
    int64_t w_c, w_o;              /* a tap of w is w_c x w_o */
    int64_t first_h, first_w;      /* the tap of w that is first here, and the distance from one to the next: */
    int64_t step_h, step_w, row_w; /* flipped and thinned out for the gradient; row_w: taps in a row of w */
    bool transposed;
    float *out;
} tap_pack;

static void tap_task(void *context, int64_t task, int thread) {
    (void)thread;
    const tap_pack *t = context;
    const pass *g = t->pass;
    int64_t c = g->picture.c, a = task / g->picture.kernel_w, b = task % g->picture.kernel_w;
    int64_t tap = (t->first_h + a * t->step_h) * t->row_w + t->first_w + b * t->step_w;
    ls_matrix w = {t->w + tap * t->w_c * t->w_o, t->w_o, t->transposed};
    for (int64_t p = 0; p < ls_panel_count(g->o); p++) {
        ls_panel panel = ls_panel_at(g->o, p);
        ls_panel_pack(&panel, c, ls_matrix_part(w, 0, panel.begin),
                      t->out + panel.begin * pass_steps(g) + task * c * panel.row_floats);
    }
}

static void pass_run(ls_pool *pool, pass *g, tap_pack taps, int64_t rows, float *scratch) {
    pass_plan(g, rows);
    taps.pass = g;
    taps.out = scratch;
    g->packed = scratch;
    scratch += pass_panels_floats(g);
    fill_tables(g, scratch);
    g->private = scratch + pass_table_floats(g);
    ls_pool_run(pool, g->picture.kernel_h * g->picture.kernel_w, tap_task, &taps);
    ls_pool_run(pool, rows * g->bands, pass_task, g);
}

static int64_t pass_scratch(pass g, int64_t rows, int threads) {
    pass_plan(&g, rows);
    return pass_panels_floats(&g) + pass_table_floats(&g) + threads * g.private_floats;
}

static pass forward_pass(const ls_conv *conv) {
    return (pass){.picture = ls_picture_of(conv),
                  .out_h = conv->out_h,
                  .out_w = conv->out_w,
                  .o = conv->o,
                  .out_row = conv->out_w * conv->o,
                  .out_column = conv->o,
                  .out_picture = conv->out_h * conv->out_w * conv->o};
}

void ls_conv_forward(ls_pool *pool, const ls_conv *conv, int64_t rows, const float *x, const float *w,
                     const float *bias, ls_activation activation, float *y, float *scratch) {
    pass g = forward_pass(conv);
    g.bias = bias;
    g.activation = activation;
    g.x = x;
    g.y = y;
    tap_pack taps = {.w = w, .w_c = conv->c, .w_o = conv->o, .step_h = 1, .step_w = 1, .row_w = conv->kernel_w};
    pass_run(pool, &g, taps, rows, scratch);
    if (activation == LS_ACTIVATION_SOFTMAX)
        ls_activation_forward(pool, activation, rows * conv->out_h * conv->out_w, conv->o, y, y);
}

/* ---- Input gradient: with strides s_h x s_w, the pixels of dx fall into s_h s_w phases, each reached by other taps of
 * the kernel: a convolution of dy, stride 1, with those taps flipped. No zero is ever multiplied. ---- */

typedef struct phase {
    int64_t taps; /* how many taps of the kernel reach the phase: first, first - stride, ... */
    int64_t first;
    int64_t begin, count; /* the phase's pixels: begin, begin + stride, ... */
    int64_t pad;
} phase;

/* Input pixel y with y + pad = q stride + remainder is reached through tap a = remainder + m stride from output q - m.
 */
static phase phase_of(int64_t remainder, int64_t in, int64_t kernel, int64_t stride, int64_t pad) {
    phase p = {.taps = remainder < kernel ? ceil_div(kernel - remainder, stride) : 0};
    int64_t q = pad > remainder ? ceil_div(pad - remainder, stride) : 0; /* of the phase's first pixel in the picture */
    p.first = remainder + (p.taps - 1) * stride;
    p.begin = q * stride + remainder - pad;
    p.count = p.begin < in ? ceil_div(in - p.begin, stride) : 0;
    p.pad = p.taps - 1 - q;
    return p;
}

static pass phase_pass(const ls_conv *conv, phase h, phase w) {
    ls_picture picture = {.h = conv->out_h,
                          .w = conv->out_w,
                          .channels = conv->o,
                          .c = conv->o,
                          .kernel_h = h.taps,
                          .kernel_w = w.taps,
                          .stride_h = 1,
                          .stride_w = 1,
                          .pad_top = h.pad,
                          .pad_left = w.pad};
    ls_picture_fit(&picture, h.count, w.count);
    return (pass){.picture = picture,
                  .out_h = h.count,
                  .out_w = w.count,
                  .o = conv->c,
                  .out_row = conv->stride_h * conv->w * conv->c,
                  .out_column = conv->stride_w * conv->c,
                  .out_picture = conv->h * conv->w * conv->c,
                  .activation = LS_ACTIVATION_LINEAR};
}

void ls_conv_input_gradient(ls_pool *pool, const ls_conv *conv, int64_t rows, const float *dy, const float *w,
                            float *dx, float *scratch) {
    for (int64_t i = 0; i < conv->stride_h; i++)
        for (int64_t j = 0; j < conv->stride_w; j++) {
            phase ph = phase_of(i, conv->h, conv->kernel_h, conv->stride_h, conv->pad_top);
            phase pw = phase_of(j, conv->w, conv->kernel_w, conv->stride_w, conv->pad_left);
            if (ph.count == 0 || pw.count == 0) continue;
            pass g = phase_pass(conv, ph, pw);
            g.x = dy;
            g.y = dx + (ph.begin * conv->w + pw.begin) * conv->c;
            tap_pack taps = {.w = w,
                             .w_c = conv->c,
                             .w_o = conv->o,
                             .first_h = ph.first,
                             .first_w = pw.first,
                             .step_h = -conv->stride_h,
                             .step_w = -conv->stride_w,
                             .row_w = conv->kernel_w,
                             .transposed = true};
            pass_run(pool, &g, taps, rows, scratch);
        }
}

int64_t ls_conv_scratch(const ls_conv *conv, int64_t max_rows, int threads, int lanes) {
    /* Fewer rows make narrower bands, never wider ones. */
    int64_t floats = pass_scratch(forward_pass(conv), max_rows, threads);
    for (int64_t i = 0; i < conv->stride_h; i++)
        for (int64_t j = 0; j < conv->stride_w; j++) {
            phase ph = phase_of(i, conv->h, conv->kernel_h, conv->stride_h, conv->pad_top);
            phase pw = phase_of(j, conv->w, conv->kernel_w, conv->stride_w, conv->pad_left);
            if (ph.count == 0 || pw.count == 0) continue;
            floats = max_of(floats, pass_scratch(phase_pass(conv, ph, pw), max_rows, threads));
        }
    return max_of(floats, ls_conv_weight_gradient_scratch(conv, threads, lanes));
}
