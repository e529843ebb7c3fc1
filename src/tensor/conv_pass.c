/* conv_pass.c - the passes that a convolution is made of, and which kernel runs one; see conv_pass_internal.h. */
#include "tensor/conv_pass_internal.h"

#include "tensor/panels_internal.h"

enum { PICTURE_FLOATS = 40960, TASKS = 64 };

int64_t ls_conv_band(const ls_conv_pass *pass, int64_t rows, int64_t row_floats) {
    int64_t spread = ls_ceil_div(pass->out_h, ls_ceil_div(TASKS, ls_max(1, rows)));
    int64_t band = ls_max(1, ls_min(PICTURE_FLOATS / ls_max(1, row_floats), spread));
    return ls_ceil_div(pass->out_h, ls_ceil_div(pass->out_h, band)); /* bands of about equal height */
}

void ls_conv_pass_run(ls_pool *pool, const ls_conv_pass *pass, int64_t rows, float *scratch) {
    if (ls_conv_winograd_suits(pass))
        ls_conv_winograd_run(pool, pass, rows, scratch);
    else if (ls_conv_planes_suit(pass, ls_tile_kernels_get()->width))
        ls_conv_planes_run(pool, pass, rows, scratch);
    else
        ls_conv_tiles_run(pool, pass, rows, scratch);
}

/* For both kernels where either may be taken: the instruction set need not be chosen yet. */
int64_t ls_conv_pass_scratch(const ls_conv_pass *pass, int64_t rows, int threads) {
    if (ls_conv_winograd_suits(pass)) return ls_conv_winograd_scratch(pass, threads);
    int64_t floats = ls_conv_tiles_scratch(pass, rows, threads);
    return ls_conv_planes_suit(pass, LS_COLUMNS_ALIGN) ? ls_max(floats, ls_conv_planes_scratch(pass, rows, threads))
                                                       : floats;
}

ls_conv_pass ls_conv_pass_forward(const ls_conv *conv, bool swapped) {
    int64_t tap_floats = conv->c * conv->o;
    return (ls_conv_pass){.picture = ls_picture_of(conv),
                          .tap_row = conv->kernel_w * tap_floats,
                          .tap_column = tap_floats,
                          .w_stride = swapped ? conv->c : conv->o,
                          .transposed = swapped,
                          .out_h = conv->out_h,
                          .out_w = conv->out_w,
                          .o = conv->o,
                          .out_picture = conv->out_h * conv->out_w * conv->o,
                          .out_row = conv->out_w * conv->o,
                          .out_column = conv->o};
}

/* ---- phases of a transposed convolution ---- */

typedef struct phase {
    int64_t taps;         /* of the kernel that reach the phase: last, last - stride, ... */
    int64_t last;         /* 0 where there are none */
    int64_t begin, count; /* the phase's pixels: begin, begin + stride, ... */
    int64_t pad;
} phase;

/* Input pixel y with y + pad = q stride + remainder is reached through tap a = remainder + m stride from output q - m.
 */
static phase phase_of(int64_t remainder, int64_t in, int64_t kernel, int64_t stride, int64_t pad) {
    phase p = {.taps = remainder < kernel ? ls_ceil_div(kernel - remainder, stride) : 0};
    int64_t q = pad > remainder ? ls_ceil_div(pad - remainder, stride) : 0; /* of the first pixel in the picture */
    p.last = p.taps ? remainder + (p.taps - 1) * stride : 0;
    p.begin = q * stride + remainder - pad;
    p.count = p.begin < in ? ls_ceil_div(in - p.begin, stride) : 0;
    p.pad = p.taps - 1 - q;
    return p;
}

ls_conv_pass ls_conv_pass_phase(const ls_conv *conv, bool swapped, int64_t index) {
    phase v = phase_of(index / conv->stride_w, conv->h, conv->kernel_h, conv->stride_h, conv->pad_top);
    phase u = phase_of(index % conv->stride_w, conv->w, conv->kernel_w, conv->stride_w, conv->pad_left);
    int64_t tap_floats = conv->c * conv->o;
    ls_conv_pass pass = {.picture = {.h = conv->out_h,
                                     .w = conv->out_w,
                                     .channels = conv->o,
                                     .c = conv->o,
                                     .kernel_h = v.taps,
                                     .kernel_w = u.taps,
                                     .stride_h = 1,
                                     .stride_w = 1,
                                     .pad_top = v.pad,
                                     .pad_left = u.pad},
                         .w_begin = (v.last * conv->kernel_w + u.last) * tap_floats,
                         .tap_row = -conv->stride_h * conv->kernel_w * tap_floats,
                         .tap_column = -conv->stride_w * tap_floats,
                         .w_stride = swapped ? conv->c : conv->o,
                         .transposed = !swapped,
                         .out_h = v.count,
                         .out_w = u.count,
                         .o = conv->c,
                         .out_begin = (v.begin * conv->w + u.begin) * conv->c,
                         .out_picture = conv->h * conv->w * conv->c,
                         .out_row = conv->stride_h * conv->w * conv->c,
                         .out_column = conv->stride_w * conv->c};
    ls_picture_fit(&pass.picture, pass.out_h, pass.out_w);
    return pass;
}
