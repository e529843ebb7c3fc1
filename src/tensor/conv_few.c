/* conv_few.c - strided transposed convolutions with few channels on the large side. One product of the small side's
 * pixels, its columns all taps with all channels, gives what each pixel adds to those around it. So tiles are full,
 * where one tap's channels would fill a small part of a vector, and all phases are made of one reading of the pixels.
 *
 * The products of some rows are transposed to a line a column. Rows of the result are then sums of such lines, shifted
 * by their taps: small row q and column p, taps a = r + m stride_h and b = s + n stride_w of small pixel (q - m, p - n)
 * make up row r and column s of the stride_h x stride_w pixels of (q, p). */
#include <string.h>

#include "tensor/activation_internal.h"
#include "tensor/cache_internal.h"
#include "tensor/conv_pass_internal.h"
#include "tensor/panels_internal.h"
#include "tensor/tiles_internal.h"

enum {
    FEW = 4,           /* channels, at most */
    DEEP = 8,          /* filters, at least: fewer are multiplied in less time than the sums take */
    COLUMNS_MIN = 9,   /* fewer leave too much of a vector empty */
    COLUMNS_MAX = 256, /* more are too many lines for a cache */
    PIXELS = 56,       /* about as many are multiplied at once */
    TASKS = 64         /* enough for many threads, where there are so many rows */
};

typedef struct blocking {
    const ls_conv *conv;
    const float *y;
    const float *bias;
    ls_activation activation;
    float *x;
    int64_t columns;           /* taps x channels */
    int64_t taps_h, taps_w;    /* of a phase, at most */
    int64_t first_q, end_q;    /* small rows that have a part in the result */
    int64_t band, bands;       /* of a task, and how many tasks a picture has */
    int64_t first_p, width;    /* small columns that have a part in the result */
    int64_t group, slots;      /* rows that are multiplied at once, and rows that are kept */
    int64_t line, product_row; /* floats of a line, and from one pixel's products to the next */
    int64_t packed_floats, table_floats, product_floats, lines_floats, sums_floats, private_floats;
    float *packed;
    int64_t *a_row, *c_row;
    float *private;
} blocking;

bool ls_conv_few_suits(const ls_conv *conv) {
    int64_t columns = conv->kernel_h * conv->kernel_w * conv->c;
    bool strided = conv->stride_h > 1 || conv->stride_w > 1;
    return strided && conv->c <= FEW && conv->o >= DEEP && columns >= COLUMNS_MIN && columns <= COLUMNS_MAX;
}

static blocking blocking_of(const ls_conv *conv, int64_t rows, float *scratch) {
    blocking n = {.conv = conv, .columns = conv->kernel_h * conv->kernel_w * conv->c};
    n.taps_h = ls_ceil_div(conv->kernel_h, conv->stride_h);
    n.taps_w = ls_ceil_div(conv->kernel_w, conv->stride_w);
    n.first_q = conv->pad_top / conv->stride_h;
    n.end_q = (conv->h - 1 + conv->pad_top) / conv->stride_h + 1;
    n.first_p = conv->pad_left / conv->stride_w;
    n.width = (conv->w - 1 + conv->pad_left) / conv->stride_w + 1 - n.first_p;
    int64_t height = n.end_q - n.first_q;
    n.band = ls_ceil_div(height, ls_min(height, ls_ceil_div(TASKS, ls_max(rows, 1))));
    n.bands = ls_ceil_div(height, n.band);
    n.group = ls_min(n.band + n.taps_h - 1, ls_ceil_div(PIXELS, conv->out_w));
    n.slots = n.group + n.taps_h - 1;
    n.line = ls_packed_columns(n.width) + ls_packed_columns(n.taps_w - 1);
    n.product_row = ls_packed_columns(n.columns);
    n.packed_floats = conv->o * n.product_row;
    n.table_floats = ls_round_up(2 * n.group * conv->out_w, LS_COLUMNS_ALIGN); /* of int64_t */
    n.product_floats = n.group * conv->out_w * n.product_row;
    n.lines_floats = n.slots * n.columns * n.line;
    n.sums_floats = 2 * conv->stride_w * conv->c * n.line; /* as lines, and pixel after pixel */
    n.private_floats = n.product_floats + n.lines_floats + n.sums_floats;
    if (scratch == NULL) return n;
    n.packed = scratch;
    n.a_row = (int64_t *)(void *)(scratch + n.packed_floats);
    n.c_row = (int64_t *)(void *)(scratch + n.packed_floats + n.table_floats);
    n.private = scratch + n.packed_floats + 2 * n.table_floats;
    return n;
}

static void fill_tables(const blocking *n) {
    for (int64_t pixel = 0; pixel < n->group * n->conv->out_w; pixel++) {
        n->a_row[pixel] = pixel * n->conv->o;
        n->c_row[pixel] = pixel * n->product_row;
    }
}

/* Taps lie as [channels][filters], or where swapped the other way round. */
static void pack(const blocking *n, const float *w, bool swapped) {
    const ls_conv *conv = n->conv;
    for (int64_t p = 0; p < ls_panel_count(n->columns); p++) {
        ls_panel panel = ls_panel_at(n->columns, p);
        float *out = n->packed + panel.begin * conv->o;
        for (int64_t k = 0; k < conv->o; k++)
            for (int64_t q = 0; q < panel.row_floats; q++, out++) {
                int64_t tap = (panel.begin + q) / conv->c, c = (panel.begin + q) % conv->c;
                const float *at = w + tap * conv->c * conv->o;
                *out = q >= panel.columns ? 0 : swapped ? at[k * conv->c + c] : at[c * conv->o + k];
            }
    }
}

/* A task's rows of one picture, and its thread's memory. */
typedef struct work {
    const blocking *n;
    const float *y; /* the picture */
    float *x;
    float *products, *lines, *sums;
} work;

/* Lines of small row `row`, which need not be in the picture. */
static float *lines_of(const work *k, int64_t row) {
    const blocking *n = k->n;
    return k->lines + (row + n->taps_h) % n->slots * n->columns * n->line;
}

/* Small rows [begin, end) of the picture: their products, as lines. A tile reads a dozen pixels at once, too many
 * streams for hardware to foresee: the next group's are asked for. */
static void multiply(const work *k, int64_t begin, int64_t end) {
    const blocking *n = k->n;
    const ls_conv *conv = n->conv;
    ls_prefetch_next(k->y + end * conv->out_w * conv->o, n->group * conv->out_w * conv->o);
    for (int64_t p = 0; p < ls_panel_count(n->columns); p++) {
        ls_panel panel = ls_panel_at(n->columns, p);
        ls_tile tile = {.segments = 1,
                        .steps = conv->o,
                        .a = k->y + begin * conv->out_w * conv->o,
                        .a_row = n->a_row,
                        .a_step = 1,
                        .b = n->packed + panel.begin * conv->o,
                        .b_step = panel.row_floats,
                        .c = k->products + panel.begin,
                        .c_row = n->c_row,
                        .columns = panel.row_floats};
        ls_tiles_run(&tile, (end - begin) * conv->out_w, false, NULL);
    }
    for (int64_t row = begin; row < end; row++)
        ls_transpose(n->columns, conv->out_w, k->products + (row - begin) * conv->out_w * n->product_row,
                     n->product_row, lines_of(k, row) + n->taps_w - 1 - n->first_p, n->line);
}

/* Small rows [begin, end); those that are not in the picture are zeros. */
static void make_lines(const work *k, int64_t begin, int64_t end) {
    const blocking *n = k->n;
    int64_t first = ls_max(0, begin), last = ls_min(end, n->conv->out_h);
    if (first < last) multiply(k, first, last);
    for (int64_t row = begin; row < end; row++)
        if (row < 0 || row >= n->conv->out_h)
            memset(lines_of(k, row), 0, (size_t)(n->columns * n->line) * sizeof(float));
}

/* Row r, column s and channel c of the pixels of small row q: a line. */
static void add_lines(const work *k, int64_t q, int64_t r, int64_t s, int64_t c, float *out) {
    const blocking *n = k->n;
    const ls_conv *conv = n->conv;
    const float *lines[COLUMNS_MAX];
    int64_t count = 0;
    for (int64_t m = n->taps_h - 1; m >= 0; m--) {
        int64_t a = r + m * conv->stride_h;
        if (a >= conv->kernel_h) continue;
        const float *taps = lines_of(k, q - m) + a * conv->kernel_w * conv->c * n->line;
        for (int64_t l = n->taps_w - 1; l >= 0; l--) {
            int64_t b = s + l * conv->stride_w;
            if (b < conv->kernel_w) lines[count++] = taps + (b * conv->c + c) * n->line + n->taps_w - 1 - l;
        }
    }
    ls_vector_kernels_get()->sum_lines(count, lines, n->width, n->bias != NULL ? n->bias[c] : 0,
                                       n->activation == LS_ACTIVATION_RELU, out);
}

/* Row i of the result. */
static void write_row(const work *k, int64_t i) {
    const blocking *n = k->n;
    const ls_conv *conv = n->conv;
    int64_t q = (i + conv->pad_top) / conv->stride_h, r = (i + conv->pad_top) % conv->stride_h;
    int64_t together = conv->stride_w * conv->c;
    float *sums = k->sums, *pixels = sums + together * n->line, *x = k->x + i * conv->w * conv->c;
    for (int64_t s = 0; s < conv->stride_w; s++)
        for (int64_t c = 0; c < conv->c; c++) add_lines(k, q, r, s, c, sums + (s * conv->c + c) * n->line);
    if (together > 1)
        ls_transpose(n->width, together, sums, n->line, pixels, together);
    else
        pixels = sums;
    memcpy(x, pixels + (conv->pad_left - n->first_p * conv->stride_w) * conv->c,
           (size_t)(conv->w * conv->c) * sizeof *x);
    if (ls_activation_is_late(n->activation)) ls_activation_apply(n->activation, conv->w * conv->c, x, x);
}

static void band_task(void *context, int64_t task, int thread) {
    const blocking *n = context;
    const ls_conv *conv = n->conv;
    int64_t row = task / n->bands, begin = n->first_q + task % n->bands * n->band;
    int64_t end = ls_min(begin + n->band, n->end_q), made = begin - (n->taps_h - 1);
    work k = {
        .n = n, .y = n->y + row * conv->out_h * conv->out_w * conv->o, .x = n->x + row * conv->h * conv->w * conv->c};
    k.products = n->private + thread * n->private_floats;
    k.lines = k.products + n->product_floats;
    k.sums = k.lines + n->lines_floats;
    memset(k.lines, 0, (size_t)n->lines_floats * sizeof *k.lines);
    int64_t i = ls_max(0, begin * conv->stride_h - conv->pad_top);
    while (made < end) {
        int64_t next = ls_min(made + n->group, end);
        make_lines(&k, made, next);
        made = next;
        for (; i < ls_min(conv->h, made * conv->stride_h - conv->pad_top); i++) write_row(&k, i);
    }
}

void ls_conv_few_run(ls_pool *pool, const ls_conv *conv, bool swapped, int64_t rows, const float *y, const float *w,
                     const float *bias, ls_activation activation, float *x, float *scratch) {
    blocking n = blocking_of(conv, rows, scratch);
    n.y = y;
    n.bias = bias;
    n.activation = activation;
    n.x = x;
    fill_tables(&n);
    pack(&n, w, swapped);
    ls_pool_run(pool, rows * n.bands, band_task, &n);
}

int64_t ls_conv_few_scratch(const ls_conv *conv, int64_t rows, int threads) {
    blocking n = blocking_of(conv, rows, NULL);
    return n.packed_floats + 2 * n.table_floats + threads * n.private_floats;
}
