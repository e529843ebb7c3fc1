/* shape.c - counting, comparing, printing and reading shapes; see shape.h. */
#include "base/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int64_t ls_shape_count(const ls_shape *shape) {
    int64_t count = 1;
    for (int i = 0; i < shape->dims; i++) count *= shape->dim[i];
    return count;
}

double ls_shape_size(const ls_shape *shape) {
    double size = 1;
    for (int d = 0; d < shape->dims; d++) size *= (double)shape->dim[d];
    return size;
}

bool ls_shape_equal(const ls_shape *a, const ls_shape *b) {
    if (a->dims != b->dims) return false;
    for (int i = 0; i < a->dims; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

const char *ls_shape_text(const ls_shape *shape, char *text) {
    int length = 0;
    text[0] = '\0';
    for (int i = 0; i < shape->dims; i++)
        length +=
            snprintf(text + length, (size_t)(LS_SHAPE_TEXT_MAX - length), "%s%" PRId64, i ? " x " : "", shape->dim[i]);
    return text;
}

static ls_status check_size(const ls_shape *shape, const char *text) {
    if (ls_shape_size(shape) <= INT32_MAX) return LS_OK;
    return LS_RAISE(LS_INVALID, "a shape has at most %d numbers in all, which %s exceeds", INT32_MAX, text);
}

ls_status ls_shape_parse(const char *text, ls_shape *out) {
    const char *rest = text;
    int used = 0;
    *out = (ls_shape){0};
    while (out->dims < LS_DIMS_MAX && sscanf(rest, "%9" SCNd64 "%n", &out->dim[out->dims], &used) == 1 &&
           out->dim[out->dims] >= 1) {
        out->dims++;
        rest += used;
        rest += strspn(rest, " ");
        if (*rest == '\0') return check_size(out, text);
        if (*rest++ != 'x') break;
    }
    return LS_RAISE(LS_INVALID, "a shape is 1 to %d numbers above 0, such as 28x28x1, not '%s'", LS_DIMS_MAX, text);
}
