/* layers_internal.h - what several layers share. Private to nn. */
#ifndef LS_NN_LAYERS_INTERNAL_H
#define LS_NN_LAYERS_INTERNAL_H

#include "nn/layer.h"

/* Height and width out of an option that is one number for both, or two. */
static inline int64_t ls_pair_h(const ls_int_list *list) { return list->value[0]; }
static inline int64_t ls_pair_w(const ls_int_list *list) { return list->value[list->count - 1]; }

extern const char *const ls_padding_names[]; /* Keras' "valid", "same"; the second is 1 */

/* Keras' regularizers, as options of layers whose record has a field `regularizers`. */
typedef struct ls_regularizers {
    ls_regularizer kernel, activity;
} ls_regularizers;
#define LS_REGULARIZER_OPTION(record, of, what, norm, text)                                                            \
    {                                                                                                                  \
        of "_regularizer." #norm, LS_OPTION_DOUBLE, offsetof(record, regularizers.what.norm), .preset = "0", .min = 0, \
                                                                                              .max = 1e9, .help = text \
    }
#define LS_REGULARIZER_OPTIONS(record)                                                                                 \
    LS_REGULARIZER_OPTION(record, "kernel", kernel, l1, "adds so many times the sum of |weight| to the loss"),         \
        LS_REGULARIZER_OPTION(record, "kernel", kernel, l2, "and of weight^2"),                                        \
        LS_REGULARIZER_OPTION(record, "activity", activity, l1, "and of |output|, a mean over samples"),               \
        LS_REGULARIZER_OPTION(record, "activity", activity, l2, "and of output^2")

/* What both convolutions can be told. */
typedef struct ls_conv_options {
    int64_t filters;
    ls_int_list kernel_size, strides;
    int padding, activation;
    bool use_bias;
    ls_regularizers regularizers;
} ls_conv_options;
#define LS_CONV_OPTION(name, kind, ...)                                                                                \
    { #name, LS_OPTION_##kind, offsetof(ls_conv_options, name), __VA_ARGS__ }
#define LS_CONV_OPTIONS(strides_help, padding_help)                                                                    \
    LS_CONV_OPTION(filters, INT, .required = true, .min = 1, .max = 1e6, .help = "output channels"),                   \
        LS_CONV_OPTION(kernel_size, INTS, .required = true, .min = 1, .max = 1e4, .min_count = 1, .max_count = 2,      \
                       .help = "height and width, or one number for both"),                                            \
        LS_CONV_OPTION(strides, INTS, .preset = "1", .min = 1, .max = 1e4, .min_count = 1, .max_count = 2,             \
                       .help = strides_help),                                                                          \
        LS_CONV_OPTION(padding, CHOICE, .preset = "valid", .choices = ls_padding_names, .help = padding_help),         \
        LS_CONV_OPTION(activation, CHOICE, .preset = "linear", .choices = ls_activation_names,                         \
                       .help = "applied to the output"),                                                               \
        LS_CONV_OPTION(use_bias, BOOL, .preset = "true", .help = "add a bias"),                                        \
        LS_REGULARIZER_OPTIONS(ls_conv_options), LS_OPTIONS_END

/* Call it after ls_layer_set_weights. */
static inline void ls_layer_regularize(ls_layer *layer, const ls_regularizers *regularizers) {
    layer->param[0].regularizer = regularizers->kernel;
    layer->activity = regularizers->activity;
}

extern const ls_layer_type ls_layer_up_sampling2d;

/* Errors: LS_INVALID, the input has not three dimensions. */
ls_status ls_layer_check_picture(const ls_layer *layer);

/* So that no count of numbers or bytes overflows later. Errors: LS_INVALID, the output of a sample or an array of
 * weights has more than 1e12 numbers. */
ls_status ls_layer_check_sizes(const ls_layer *layer);

/* Sets the layer's parameters: a kernel [..., inputs, outputs], Glorot uniform, and a bias of zeros. The output's shape
 * is known by then. Errors: as ls_layer_check_sizes. */
ls_status ls_layer_set_weights(ls_layer *layer, const ls_shape *kernel, bool use_bias);

/* The last axis of the output, and how many vectors of that length a pass has. */
int64_t ls_layer_width(const ls_layer *layer);
int64_t ls_layer_vectors(const ls_layer *layer, const ls_pass *pass);

/* Rows of which each sample has `positions`, in the lanes of the samples. */
ls_rows ls_rows_of_positions(const ls_rows *samples, int64_t positions);

/* sum[subtree][i] = lane_sums[lane * stride + i], i < count, of the subtree's lanes, each rounded and then added in the
 * tree.
 */
void ls_rows_add_lanes(const ls_rows *rows, int64_t count, const double *lane_sums, int64_t stride, float *const *sum);

/* The kernels apply ls_layer_fused; ls_layer_activate does afterwards what they cannot fuse (softmax). */
ls_activation ls_layer_fused(const ls_layer *layer);
void ls_layer_activate(const ls_layer *layer, const ls_pass *pass, float *y);
/* Turns dy into the gradient of what went into the activation. */
void ls_layer_deactivate(const ls_layer *layer, const ls_pass *pass, const float *y, float *dy);

#endif
