/* panels.c - packing and transposing. What is read here is often strided memory, which hardware does not foresee: hence
 * the prefetches. See panels_internal.h. */
#include "tensor/panels_internal.h"

#include <string.h>

#include "tensor/cache_internal.h"

int64_t ls_panel_width(void) {
    const ls_tile_kernels *kernels = ls_tile_kernels_get();
    return kernels->vectors * kernels->width;
}

int64_t ls_panel_count(int64_t n) { return ls_ceil_div(n, ls_panel_width()); }

ls_panel ls_panel_at(int64_t n, int64_t p) {
    int64_t width = ls_panel_width();
    ls_panel panel = {.begin = p * width, .columns = ls_min(width, n - p * width)};
    panel.row_floats = ls_round_up(panel.columns, ls_tile_kernels_get()->width);
    return panel;
}

/* Four of the eight numbers of a and b, by their places. GCC has Clang's builtin since 12. */
#if __has_builtin(__builtin_shufflevector)
#define PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define PICK(a, b, ...) __builtin_shuffle(a, b, (__attribute__((vector_size(16))) int32_t){__VA_ARGS__})
#endif

/* Four by four numbers of in, columns `stride` apart, to rows of out: in registers, as a store a number would be slow.
 */
static void transpose_4x4(const float *in, int64_t stride, float *out, int64_t out_stride) {
    typedef float quad __attribute__((vector_size(16)));
    typedef float quad_unaligned __attribute__((vector_size(16), aligned(4), may_alias));
    quad a = *(const quad_unaligned *)in, b = *(const quad_unaligned *)(in + stride);
    quad c = *(const quad_unaligned *)(in + 2 * stride), d = *(const quad_unaligned *)(in + 3 * stride);
    quad ab_low = PICK(a, b, 0, 4, 1, 5), ab_high = PICK(a, b, 2, 6, 3, 7);
    quad cd_low = PICK(c, d, 0, 4, 1, 5), cd_high = PICK(c, d, 2, 6, 3, 7);
    *(quad_unaligned *)out = PICK(ab_low, cd_low, 0, 1, 4, 5);
    *(quad_unaligned *)(out + out_stride) = PICK(ab_low, cd_low, 2, 3, 6, 7);
    *(quad_unaligned *)(out + 2 * out_stride) = PICK(ab_high, cd_high, 0, 1, 4, 5);
    *(quad_unaligned *)(out + 3 * out_stride) = PICK(ab_high, cd_high, 2, 3, 6, 7);
}
#undef PICK

void ls_transpose(int64_t rows, int64_t columns, const float *in, int64_t stride, float *out, int64_t out_stride) {
    int64_t whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
    for (int64_t begin = 0; begin < whole_rows;
         begin += LS_LINE_FLOATS) /* a line of in is used up before the next is needed */
        for (int64_t q = 0; q < whole_columns; q += 4) {
            for (int64_t i = 0; i < 4; i++) __builtin_prefetch(in + (q + i) * stride + begin + LS_LINE_FLOATS);
            for (int64_t r = begin; r < ls_min(begin + LS_LINE_FLOATS, whole_rows); r += 4)
                transpose_4x4(in + q * stride + r, stride, out + r * out_stride + q, out_stride);
        }
    for (int64_t q = 0; q < columns; q++)
        for (int64_t r = q < whole_columns ? whole_rows : 0; r < rows; r++)
            out[r * out_stride + q] = in[q * stride + r];
}

/* Far enough ahead for memory to answer in time: rows of a large matrix are pages apart, where no hardware foresees
 * them. */
enum { ROWS_AHEAD = 12 };

static void pack_rows(const ls_panel *panel, int64_t rows, const float *in, int64_t stride, float *out) {
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t q = 0; q < panel->columns; q += LS_LINE_FLOATS)
            __builtin_prefetch(in + (r + ROWS_AHEAD) * stride + q);
        memcpy(out + r * panel->row_floats, in + r * stride, (size_t)panel->columns * sizeof *out);
    }
}

void ls_panel_pack(const ls_panel *panel, int64_t rows, ls_matrix b, float *out) {
    if (b.transposed)
        ls_transpose(rows, panel->columns, b.at, b.stride, out, panel->row_floats);
    else
        pack_rows(panel, rows, b.at, b.stride, out);
    for (int64_t r = 0; panel->columns < panel->row_floats && r < rows; r++)
        for (int64_t q = panel->columns; q < panel->row_floats; q++) out[r * panel->row_floats + q] = 0;
}
