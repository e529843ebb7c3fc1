/* conv_weight_winograd.c - a lane's weight gradient by minimal filtering: dw = G^T [sum over patches of (B^T d B) .
 * (A dy A^T)] G.
 *
 * The transforms of a chunk of patches, of all channels and of one group of filters after the other, lie in the
 * second-level cache as [point][patch][channel]. A tile of channels and filters is multiplied at all points. Where one
 * chunk is all, it is transformed back while its products are in the first-level cache. A chunk's sums are chains that
 * start at zero and are then added to those of the chunks before: so their rounding stays below that of one long chain,
 * which makes up for what the transforms lose. */
#include "tensor/conv_weight_winograd_internal.h"

#include "tensor/cache_internal.h"
#include "tensor/panels_internal.h"
#include "tensor/tiles_internal.h"
#include "tensor/winograd_internal.h"

enum {
    FILTERS = LS_TILE_COLUMNS_MAX, /* of a group */
    CHANNELS = 128,                /* of a block, at most */
    CHUNK = 128,                   /* patches of a chunk, at most */
    CHUNK_MIN = 32,                /* and not fewer for the largest phase */
    CHUNK_FLOATS = 210000,         /* of a chunk's transforms */
    SUM_FLOATS = 65536,            /* of a block's gradient */
    TRANSFORM_WORK = 12,           /* what it costs to transform a number, in multiplications; measured */
    PAD = LS_COLUMNS_ALIGN,        /* between points, whose numbers would else meet in a few sets of the cache */
};

static ls_winograd_shape phase_of(const ls_conv *conv, int64_t index) {
    ls_picture picture = ls_picture_of(conv);
    return ls_winograd_shape_of(&picture, index, conv->out_h, conv->out_w);
}

int64_t ls_winograd_gradient_phases(const ls_conv *conv) { return conv->stride_h * conv->stride_w; }

int64_t ls_winograd_gradient_taps(const ls_conv *conv, int64_t index) { return phase_of(conv, index).taps; }

int64_t ls_winograd_gradient_tap(const ls_conv *conv, int64_t index, int64_t i) {
    ls_winograd_shape p = phase_of(conv, index);
    return (p.h.first + i / p.w.r * p.h.stride) * conv->kernel_w + p.w.first + i % p.w.r * p.w.stride;
}

/* The first phase has the most taps and points. */
int64_t ls_winograd_gradient_channels(const ls_conv *conv) {
    int64_t fit = CHUNK_FLOATS / (phase_of(conv, 0).points * CHUNK_MIN) - FILTERS;
    return ls_min(ls_min(ls_max(1, fit / FILTERS) * FILTERS, CHANNELS), conv->c);
}

int64_t ls_winograd_gradient_filters(const ls_conv *conv) {
    int64_t fit = SUM_FLOATS / (phase_of(conv, 0).taps * ls_winograd_gradient_channels(conv));
    return ls_min(ls_max(1, fit / FILTERS) * FILTERS, conv->o);
}

/* What a sample costs, in multiplications. Sums are transformed once a lane; of small lanes that is once in a few
 * samples. */
static int64_t cost_of(const ls_winograd_shape *p, int64_t channels, int64_t filters) {
    int64_t products = p->patches * channels * filters, transforms = p->patches * TRANSFORM_WORK * (channels + filters);
    return p->points * (products + transforms + channels * filters);
}

bool ls_winograd_gradient_suits(const ls_conv *conv) {
    int64_t channels = ls_min(FILTERS, conv->c), filters = ls_min(FILTERS, conv->o), cost = 0;
    if (conv->c % LS_COLUMNS_ALIGN || conv->o % LS_COLUMNS_ALIGN) return false;
    if (conv->kernel_h < conv->stride_h || conv->kernel_w < conv->stride_w) return false;
    for (int64_t i = 0; i < ls_winograd_gradient_phases(conv); i++) {
        ls_winograd_shape p = phase_of(conv, i);
        if (!ls_winograd_has_form(&p)) return false;
        cost += cost_of(&p, channels, filters);
    }
    return cost < conv->out_h * conv->out_w * conv->kernel_h * conv->kernel_w * channels * filters;
}

/* One of the two factors, x or dy: pictures and the transforms of their patches. */
typedef struct side {
    ls_winograd_part part;
    const float *pictures;
    ls_winograd_source source;
    int64_t channels; /* that are used */
    float *out;       /* [point][patch][channels], points point_floats apart */
    int64_t point_floats;
} side;

/* A phase of a block at work. */
typedef struct work {
    const ls_winograd_gradient *block;
    ls_winograd_shape p;
    int64_t first, count; /* its patches, numbered over all samples */
    int64_t chunks;       /* that they are taken in */
    side x, dy;
    float *products;        /* of a tile, or of all tiles where there are several chunks */
    int64_t product_floats; /* from one point's products to the next one's */
    float *sum;
    const float *const *added;
    int64_t taps;                        /* of sum: the phase's, or the kernel's */
    int64_t tap[LS_WINOGRAD_POINTS_MAX]; /* the numbers of the phase's taps among them */
} work;

static int64_t chunk_of(const ls_conv *conv, const ls_winograd_shape *p) {
    int64_t channels = ls_winograd_gradient_channels(conv) + ls_min(FILTERS, conv->o);
    return ls_min(CHUNK, CHUNK_FLOATS / (p->points * channels));
}

int64_t ls_winograd_gradient_scratch(const ls_conv *conv) {
    int64_t floats = 0, channels = ls_winograd_gradient_channels(conv), filters = ls_min(FILTERS, conv->o);
    for (int64_t i = 0; i < ls_winograd_gradient_phases(conv); i++) {
        ls_winograd_shape p = phase_of(conv, i);
        int64_t patches = chunk_of(conv, &p) * (channels + filters) + 2 * PAD;
        int64_t sums = ls_ceil_div(ls_winograd_gradient_filters(conv), FILTERS) * (channels * FILTERS + PAD);
        floats = ls_max(floats, p.points * (patches + sums));
    }
    return floats;
}

static side x_of(const ls_winograd_gradient *block, const ls_winograd_shape *p) {
    const ls_conv *conv = block->conv;
    return (side){.part = LS_WINOGRAD_INPUT,
                  .pictures = block->x + block->channel,
                  .source = {conv->h, conv->w, conv->c, p->h, p->w},
                  .channels = block->channels};
}

static side dy_of(const ls_winograd_gradient *block, const ls_winograd_shape *p) {
    const ls_conv *conv = block->conv;
    return (side){.part = LS_WINOGRAD_OUTPUT_GRADIENT,
                  .pictures = block->dy + block->filter,
                  .source = {conv->out_h, conv->out_w, conv->o, {.stride = 1, .n = p->h.m}, {.stride = 1, .n = p->w.m}},
                  .channels = ls_min(FILTERS, block->filters)};
}

/* Over samples [begin, end). */
static work work_of(const ls_winograd_gradient *block, int64_t index, int64_t begin, int64_t end) {
    const ls_conv *conv = block->conv;
    ls_winograd_shape p = phase_of(conv, index);
    int64_t chunk = chunk_of(conv, &p);
    work k = {.block = block, .p = p, .first = begin * p.patches, .count = (end - begin) * p.patches};
    k.chunks = ls_ceil_div(k.count, chunk);
    k.x = x_of(block, &p);
    k.dy = dy_of(block, &p);
    k.x.point_floats = chunk * k.x.channels + PAD;
    k.dy.point_floats = chunk * k.dy.channels + PAD;
    k.product_floats = (k.chunks > 1 ? block->channels : LS_TILE_ROWS_MAX) * k.dy.channels + PAD;
    k.x.out = block->scratch;
    k.dy.out = k.x.out + p.points * k.x.point_floats;
    k.products = k.dy.out + p.points * k.dy.point_floats;
    k.taps = block->phases > 1 ? conv->kernel_h * conv->kernel_w : p.taps;
    for (int64_t i = 0; i < p.taps; i++) k.tap[i] = block->phases > 1 ? ls_winograd_gradient_tap(conv, index, i) : i;
    return k;
}

/* What lies outside of a picture. */
static const float zeros[CHANNELS > FILTERS ? CHANNELS : FILTERS];

/* Pieces [first, end). The next one is asked for while one is transformed: it may come from memory. */
static void transform_patches(const ls_winograd_shape *p, const side *s, int64_t first, int64_t end) {
    const float *pixel[2][LS_WINOGRAD_POINTS_MAX];
    float *out[LS_WINOGRAD_POINTS_MAX];
    for (int64_t k = 0; k < p->points; k++) out[k] = s->out + k * s->point_floats;
    ls_winograd_find(p, &s->source, s->pictures, first, zeros, pixel[first % 2]);
    for (int64_t i = first; i < end; i++) {
        const float **next = pixel[(i + 1) % 2];
        ls_winograd_find(p, &s->source, s->pictures, ls_min(i + 1, end - 1), zeros, next);
        for (int64_t k = 0; k < s->source.h.n * s->source.w.n; k++) ls_prefetch_next(next[k], s->channels);
        ls_winograd_patch patch = {.channels = s->channels, .in = pixel[i % 2], .out = out};
        ls_winograd_transform(p->form, s->part, p->axes, &patch);
        for (int64_t k = 0; k < p->points; k++) out[k] += s->channels;
    }
}

/* Of a tile: some channels of the block, and a group of its filters. */
static float *products_of(const work *k, const ls_tiles *t, int64_t group) {
    return k->chunks == 1 ? k->products
                          : k->products + group * k->p.points * k->product_floats + t->begin * k->dy.channels;
}

/* Adds the products of a chunk of `count` patches. */
static void multiply_tile(const work *k, const ls_tiles *t, int64_t group, int64_t chunk, int64_t count) {
    const ls_tile_kernels *kernels = ls_tile_kernels_get();
    int64_t a_row[LS_TILE_ROWS_MAX], c_row[LS_TILE_ROWS_MAX];
    for (int64_t i = 0; i < t->rows; i++) a_row[i] = i, c_row[i] = i * k->dy.channels;
    for (int64_t i = 0; i < ls_panel_count(k->dy.channels); i++) {
        ls_panel panel = ls_panel_at(k->dy.channels, i);
        ls_tile tile = {.steps = count,
                        .a = k->x.out + t->begin,
                        .a_row = a_row,
                        .a_step = k->x.channels,
                        .b = k->dy.out + panel.begin,
                        .b_step = k->dy.channels,
                        .c = products_of(k, t, group) + panel.begin,
                        .c_row = c_row,
                        .columns = panel.columns,
                        .add = chunk > 0,
                        .products = k->p.points,
                        .a_next = k->x.point_floats,
                        .b_next = k->dy.point_floats,
                        .c_next = k->product_floats};
        kernels->products[panel.row_floats / kernels->width][t->rows](&tile);
    }
}

/* To its place in sum. */
static void transform_tile(const work *k, const ls_tiles *t, int64_t group) {
    const float *in[LS_WINOGRAD_POINTS_MAX];
    float *out[LS_WINOGRAD_POINTS_MAX];
    int64_t channels = k->x.channels, floats = t->rows * k->dy.channels;
    int64_t begin = group * k->taps * channels * FILTERS + t->begin * k->dy.channels;
    for (int64_t i = 0; i < k->p.points; i++) in[i] = products_of(k, t, group) + i * k->product_floats;
    for (int64_t i = 0; i < k->p.taps; i++) out[i] = k->sum + begin + k->tap[i] * channels * k->dy.channels;
    ls_winograd_patch patch = {.channels = floats, .in = in, .out = out};
    ls_winograd_transform(k->p.form, LS_WINOGRAD_KERNEL_GRADIENT, k->p.axes, &patch);
    for (const float *const *a = k->added; *a; a++)
        for (int64_t i = 0; i < k->p.taps; i++) ls_vector_kernels_get()->add(floats, *a + (out[i] - k->sum), out[i]);
}

/* A chunk's products of a group are added, and after the last one transformed. */
static void add_filters(const work *k, int64_t chunk, int64_t count, int64_t group) {
    int64_t columns = ls_panel_at(k->dy.channels, 0).columns;
    for (ls_tiles t = ls_tiles_of(k->x.channels, columns); ls_tiles_next(&t);) {
        multiply_tile(k, &t, group, chunk, count);
        if (chunk + 1 == k->chunks) transform_tile(k, &t, group);
    }
}

static void add_chunk(work *k, int64_t chunk) {
    const ls_winograd_gradient *block = k->block;
    int64_t begin = k->first + chunk * k->count / k->chunks, end = k->first + (chunk + 1) * k->count / k->chunks;
    transform_patches(&k->p, &k->x, begin, end);
    for (int64_t group = 0; group < ls_ceil_div(block->filters, FILTERS); group++) {
        k->dy.pictures = block->dy + block->filter + group * FILTERS;
        k->dy.channels = ls_min(FILTERS, block->filters - group * FILTERS);
        transform_patches(&k->p, &k->dy, begin, end);
        add_filters(k, chunk, end - begin, group);
    }
}

void ls_winograd_gradient_run(const ls_winograd_gradient *block, int64_t begin, int64_t end, float *sum,
                              const float *const *added) {
    for (int64_t i = 0; i < block->phases; i++) {
        work k = work_of(block, block->phase + i, begin, end);
        k.sum = sum;
        k.added = added;
        for (int64_t chunk = 0; chunk < k.chunks; chunk++) add_chunk(&k, chunk);
    }
}
