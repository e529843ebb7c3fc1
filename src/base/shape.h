/* shape.h - the shape of one sample: NHWC without the N. Local. */
#ifndef LS_BASE_SHAPE_H
#define LS_BASE_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { LS_DIMS_MAX = 4, LS_SHAPE_TEXT_MAX = 96 };

typedef struct ls_shape {
    int dims;                 /* 1: a vector; 3: height, width, channels */
    int64_t dim[LS_DIMS_MAX]; /* each >= 1 */
} ls_shape;

int64_t ls_shape_count(const ls_shape *shape); /* the product of the dimensions */
double ls_shape_size(const ls_shape *shape);   /* the same where it may be too large to count */
bool ls_shape_equal(const ls_shape *a, const ls_shape *b);
/* "28 x 28 x 1", written into text[LS_SHAPE_TEXT_MAX]; returns text. */
const char *ls_shape_text(const ls_shape *shape, char *text);
/* Reads "28x28x1". Errors: LS_INVALID, something else, or 2^31 numbers and more. */
ls_status ls_shape_parse(const char *text, ls_shape *out);

#endif
