/* conv_weight_winograd.c - dw = G^T [sum over pieces of (B^T d B) . (A dy A^T)] G.
 *
 * Outputs are cut into pieces of m_h x m_w, a sample's row after row. The transforms of a chunk of pieces lie in the
 * second-level cache, [point][piece][channel], and are multiplied a point at a time. A chunk's sums are chains that
 * start at zero and are then added to those of the chunks before: their rounding stays below that of one long chain,
 * which makes up for what the transforms lose. With strides s the kernel falls into s_h s_w phases of taps a, a + s,
 * ..., each a convolution of stride 1 on every s-th pixel of the picture. */
#include "tensor/conv_weight_winograd.h"

#include <string.h>

#include "tensor/product.h"
#include "tensor/winograd.h"

enum {
    CHANNELS = 64,
    FILTERS = LS_TILE_COLUMNS_MAX,
    CHUNK = 56,             /* pieces */
    TRANSFORM = 12,         /* products that a transformed number costs, as measured */
    PAD = LS_COLUMNS_ALIGN, /* between points, whose numbers would else meet in a few sets of the cache */
};

/* One axis of a phase: taps first, first + stride, ..., r of them. */
typedef struct axis {
    int64_t first, stride, pad;
    ls_winograd_form form;
    int64_t m, r, n;
} axis;

static axis axis_of(int64_t kernel, int64_t stride, int64_t pad, int64_t first) {
    axis a = {.first = first, .stride = stride, .pad = pad, .form = 0, .m = 1, .n = 1};
    a.r = ceil_div(kernel - first, stride);
    while (a.form < LS_WINOGRAD_FORMS && ls_winograd[a.form].r != a.r) a.form++;
    if (a.form < LS_WINOGRAD_FORMS) a.m = ls_winograd[a.form].m, a.n = ls_winograd[a.form].n;
    return a;
}

/* A phase of the kernel, and where its sums are made. */
typedef struct phase {
    const ls_winograd_gradient *block;
    axis h, w;
    int64_t across, pieces, points;          /* pieces of a row, pieces of a sample, and n_h n_w */
    int64_t x_floats, dy_floats, sum_floats; /* from point to point */
    float *x, *dy, *sums;                    /* the transforms of a chunk; sums[point][channel][FILTERS] */
} phase;

static phase phase_of(const ls_conv *conv, int64_t index) {
    phase p = {.h = axis_of(conv->kernel_h, conv->stride_h, conv->pad_top, index / conv->stride_w),
               .w = axis_of(conv->kernel_w, conv->stride_w, conv->pad_left, index % conv->stride_w)};
    p.across = ceil_div(conv->out_w, p.w.m);
    p.pieces = p.across * ceil_div(conv->out_h, p.h.m);
    p.points = p.h.n * p.w.n;
    p.x_floats = CHUNK * ls_winograd_gradient_channels(conv) + PAD;
    p.dy_floats = CHUNK * ls_min(FILTERS, conv->o) + PAD;
    p.sum_floats = ls_winograd_gradient_channels(conv) * FILTERS + PAD;
    return p;
}

static phase phase_begin(const ls_winograd_gradient *block, int64_t index) {
    phase p = phase_of(block->conv, index);
    p.block = block;
    p.x = block->scratch;
    p.dy = p.x + p.points * p.x_floats;
    p.sums = p.dy + p.points * p.dy_floats;
    return p;
}

static int64_t phases_of(const ls_conv *conv) { return conv->stride_h * conv->stride_w; }

int64_t ls_winograd_gradient_channels(const ls_conv *conv) { return ls_min(CHANNELS, conv->c); }

int64_t ls_winograd_gradient_scratch(const ls_conv *conv) {
    int64_t floats = 0;
    for (int64_t i = 0; i < phases_of(conv); i++) {
        phase p = phase_of(conv, i);
        floats = ls_max(floats, p.points * (p.x_floats + p.dy_floats + p.sum_floats));
    }
    return floats;
}

/* Both axes have the same form, or one of them a single tap. */
static bool has_form(const phase *p) {
    if (p->h.r == 1 && p->w.r == 1) return true;
    if (p->h.r == 1) return p->w.form < LS_WINOGRAD_FORMS;
    if (p->w.r == 1) return p->h.form < LS_WINOGRAD_FORMS;
    return p->h.form == p->w.form && p->h.form < LS_WINOGRAD_FORMS;
}

/* What a sample costs, in multiplications. Sums are transformed once a lane; of small lanes that is once in a few
 * samples. */
static int64_t cost_of(const phase *p, int64_t channels, int64_t filters) {
    int64_t products = p->pieces * channels * filters, transforms = p->pieces * TRANSFORM * (channels + filters);
    return p->points * (products + transforms + channels * filters);
}

bool ls_winograd_gradient_suits(const ls_conv *conv) {
    int64_t channels = ls_winograd_gradient_channels(conv), filters = ls_min(FILTERS, conv->o), cost = 0;
    if (conv->c % LS_COLUMNS_ALIGN || conv->o % LS_COLUMNS_ALIGN) return false;
    if (conv->kernel_h < conv->stride_h || conv->kernel_w < conv->stride_w) return false;
    for (int64_t i = 0; i < phases_of(conv); i++) {
        phase p = phase_of(conv, i);
        if (!has_form(&p)) return false;
        cost += cost_of(&p, channels, filters);
    }
    return cost < conv->out_h * conv->out_w * conv->kernel_h * conv->kernel_w * channels * filters;
}

static void transform(const phase *p, ls_winograd_part part, int64_t channels, const float *const *in,
                      float *const *out) {
    ls_winograd_piece job = {.channels = channels, .in = in, .out = out};
    bool down = p->h.form < LS_WINOGRAD_FORMS, across = p->w.form < LS_WINOGRAD_FORMS;
    if (down || across)
        ls_winograd_kernels_get()->run[down ? p->h.form : p->w.form][part][down + across](&job);
    else
        memcpy(out[0], in[0], (size_t)channels * sizeof *out[0]);
}

/* What lies outside of a picture. */
static const float zeros[CHANNELS > FILTERS ? CHANNELS : FILTERS];

/* The pixels that a piece is made of. */
typedef struct piece {
    const float *x[LS_WINOGRAD_POINTS_MAX], *dy[LS_WINOGRAD_POINTS_MAX];
} piece;

/* Pixel (top + i step, left + j step) of a sample for i < height, j < width. */
static void window_of(const float *sample, int64_t h, int64_t w, int64_t c, int64_t top, int64_t left, int64_t step_h,
                      int64_t step_w, int64_t height, int64_t width, const float **out) {
    for (int64_t i = 0; i < height; i++) {
        int64_t y = top + i * step_h;
        for (int64_t j = 0; j < width; j++) {
            int64_t z = left + j * step_w;
            bool inside = y >= 0 && y < h && z >= 0 && z < w;
            *out++ = inside ? sample + (y * w + z) * c : zeros;
        }
    }
}

static void ask(int64_t count, const float *const *pixel, int64_t channels) {
    for (int64_t k = 0; k < count; k++)
        for (int64_t c = 0; c < channels; c += LS_COLUMNS_ALIGN) __builtin_prefetch(pixel[k] + c);
}

/* Piece `index`, numbered over all samples. */
static void piece_of(const phase *p, int64_t index, piece *out) {
    const ls_winograd_gradient *block = p->block;
    const ls_conv *conv = block->conv;
    int64_t row = index / p->pieces, i = index % p->pieces / p->across * p->h.m,
            j = index % p->pieces % p->across * p->w.m;
    window_of(block->x + row * conv->h * conv->w * conv->c + block->channel, conv->h, conv->w, conv->c,
              i * p->h.stride + p->h.first - p->h.pad, j * p->w.stride + p->w.first - p->w.pad, p->h.stride,
              p->w.stride, p->h.n, p->w.n, out->x);
    window_of(block->dy + row * conv->out_h * conv->out_w * conv->o + block->filter, conv->out_h, conv->out_w, conv->o,
              i, j, 1, 1, p->h.m, p->w.m, out->dy);
    ask(p->points, out->x, block->channels);
    ask(p->h.m * p->w.m, out->dy, block->filters);
}

/* Pieces [first, end). */
static void transform_chunk(const phase *p, int64_t first, int64_t end) {
    piece of[2];
    float *x[LS_WINOGRAD_POINTS_MAX], *dy[LS_WINOGRAD_POINTS_MAX];
    for (int64_t k = 0; k < p->points; k++) x[k] = p->x + k * p->x_floats, dy[k] = p->dy + k * p->dy_floats;
    piece_of(p, first, &of[first % 2]);
    for (int64_t i = first; i < end; i++) {
        if (i + 1 < end) piece_of(p, i + 1, &of[(i + 1) % 2]);
        transform(p, LS_WINOGRAD_INPUT, p->block->channels, of[i % 2].x, x);
        transform(p, LS_WINOGRAD_OUTPUT_GRADIENT, p->block->filters, of[i % 2].dy, dy);
        for (int64_t k = 0; k < p->points; k++) x[k] += p->block->channels, dy[k] += p->block->filters;
    }
}

/* Some channels of pixels that will be needed: asked for, a few at a time, while others are multiplied, as they may
 * come from memory. */
typedef struct stream {
    const float *next, *end;
    int64_t stride, channels, pixels; /* floats of a pixel, and used ones; pixels at a time */
} stream;

/* The pixels that pieces [first, end) read, more or less, of pictures of `pixels`; they are asked for in `times`. */
static stream stream_of(const phase *p, const float *picture, int64_t pixels, int64_t stride, int64_t channels,
                        int64_t first, int64_t end, int64_t times) {
    int64_t from = first * pixels / p->pieces, to = end * pixels / p->pieces;
    return (stream){picture + from * stride, picture + to * stride, stride, channels, ceil_div(to - from, times)};
}

static void stream_ask(stream *s) {
    for (int64_t i = 0; i < s->pixels && s->next < s->end; i++, s->next += s->stride)
        for (int64_t c = 0; c < s->channels; c += LS_COLUMNS_ALIGN) __builtin_prefetch(s->next + c, 0, 3);
}

/* Adds products to sums: tiles of channels of a panel of filters of a point. */
typedef struct products {
    const phase *p;
    const float *x, *dy; /* of point 0 */
    ls_tile tile;
    int64_t a_row[LS_TILE_ROWS_MAX], c_row[LS_TILE_ROWS_MAX];
    stream ask_x, ask_dy; /* what will be needed then */
} products;

/* begun: there are sums already. */
static void products_init(products *m, const phase *p, bool begun) {
    *m = (products){.p = p, .x = p->x, .dy = p->dy};
    for (int64_t i = 0; i < LS_TILE_ROWS_MAX; i++) m->a_row[i] = i, m->c_row[i] = i * FILTERS;
    m->tile = (ls_tile){.segments = 1, .a_row = m->a_row, .c_row = m->c_row, .add = begun};
}

static int64_t tiles_of(int64_t channels, ls_panel panel) {
    const ls_tile_kernels *kernels = ls_tile_kernels_get();
    return ceil_div(channels, kernels->rows[panel.row_floats / kernels->lanes]);
}

static void multiply_panel(products *m, int64_t point, ls_panel panel) {
    const ls_tile_kernels *kernels = ls_tile_kernels_get();
    const phase *p = m->p;
    int64_t channels = p->block->channels, tiles = tiles_of(channels, panel);
    ls_tile *tile = &m->tile;
    tile->b = m->dy + point * p->dy_floats + panel.begin;
    tile->columns = panel.row_floats;
    for (int64_t t = 0, begin = 0, end; t < tiles; t++, begin = end) {
        end = (t + 1) * channels / tiles;
        tile->a = m->x + point * p->x_floats + begin;
        tile->c = p->sums + point * p->sum_floats + begin * FILTERS + panel.begin;
        kernels->run[panel.row_floats / kernels->lanes][end - begin](tile);
        stream_ask(&m->ask_x);
        stream_ask(&m->ask_dy);
    }
}

static void multiply(products *m) {
    int64_t filters = m->p->block->filters;
    for (int64_t point = 0; point < m->p->points; point++)
        for (int64_t i = 0; i < ls_panel_count(filters); i++) multiply_panel(m, point, ls_panel_at(filters, i));
}

/* `count` transformed pieces, while pieces [next, end) are asked for. */
static void multiply_chunk(const phase *p, int64_t count, bool begun, int64_t next, int64_t end) {
    const ls_winograd_gradient *block = p->block;
    const ls_conv *conv = block->conv;
    products m;
    products_init(&m, p, begun);
    m.tile.steps = count;
    m.tile.a_step = block->channels;
    m.tile.b_step = block->filters;
    int64_t times =
        p->points * ls_panel_count(block->filters) * tiles_of(block->channels, ls_panel_at(block->filters, 0));
    m.ask_x = stream_of(p, block->x + block->channel, conv->h * conv->w, conv->c, block->channels, next, end, times);
    m.ask_dy =
        stream_of(p, block->dy + block->filter, conv->out_h * conv->out_w, conv->o, block->filters, next, end, times);
    multiply(&m);
}

static void add_pieces(const phase *p, int64_t begin, int64_t end) {
    int64_t chunks = ceil_div(end - begin, CHUNK);
    for (int64_t i = 0; i < chunks; i++) {
        int64_t first = begin + i * (end - begin) / chunks, next = begin + (i + 1) * (end - begin) / chunks;
        transform_chunk(p, first, next);
        multiply_chunk(p, next - first, i > 0, next, ls_min(next + CHUNK, end));
    }
}

/* A phase of one tap that reads no padding: nothing is transformed, and pixels are multiplied where they are. */
static bool is_plain(const phase *p) {
    const ls_conv *conv = p->block->conv;
    int64_t top = p->h.first - p->h.pad, left = p->w.first - p->w.pad;
    return p->points == 1 && top >= 0 && left >= 0 && top + (conv->out_h - 1) * conv->stride_h < conv->h &&
           left + (conv->out_w - 1) * conv->stride_w < conv->w;
}

static void add_sample(const phase *p, int64_t row, bool begun) {
    const ls_winograd_gradient *block = p->block;
    const ls_conv *conv = block->conv;
    int64_t y = row * conv->h + p->h.first - p->h.pad, z = p->w.first - p->w.pad;
    products m;
    products_init(&m, p, begun);
    m.x = block->x + (y * conv->w + z) * conv->c + block->channel;
    m.dy = block->dy + row * conv->out_h * conv->out_w * conv->o + block->filter;
    m.tile.segments = conv->out_h;
    m.tile.steps = conv->out_w;
    m.tile.a_step = conv->stride_w * conv->c;
    m.tile.a_segment = conv->stride_h * conv->w * conv->c;
    m.tile.b_step = conv->o;
    m.tile.b_segment = conv->out_w * conv->o;
    multiply(&m);
}

/* To the phase's taps of sum. */
static void transform_sums(const phase *p, float *sum) {
    const ls_winograd_gradient *block = p->block;
    const float *in[LS_WINOGRAD_POINTS_MAX];
    float *out[LS_WINOGRAD_POINTS_MAX];
    for (int64_t c = 0; c < block->channels; c++) {
        for (int64_t k = 0; k < p->points; k++) in[k] = p->sums + k * p->sum_floats + c * FILTERS;
        for (int64_t i = 0, k = 0; i < p->h.r; i++)
            for (int64_t j = 0; j < p->w.r; j++, k++) {
                int64_t a = p->h.first + i * p->h.stride, b = p->w.first + j * p->w.stride;
                out[k] = sum + ((a * block->conv->kernel_w + b) * block->channels + c) * block->filters;
            }
        transform(p, LS_WINOGRAD_KERNEL_GRADIENT, block->filters, in, out);
    }
}

void ls_winograd_gradient_run(const ls_winograd_gradient *block, int64_t begin, int64_t end, float *sum) {
    for (int64_t i = 0; i < phases_of(block->conv); i++) {
        phase p = phase_begin(block, i);
        if (is_plain(&p))
            for (int64_t row = begin; row < end; row++) add_sample(&p, row, row > begin);
        else
            add_pieces(&p, begin * p.pieces, end * p.pieces);
        transform_sums(&p, sum);
    }
}
