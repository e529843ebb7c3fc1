/* classes_internal.h - which class a vector of scores or probabilities stands for. Private to nn. */
#ifndef LS_NN_CLASSES_INTERNAL_H
#define LS_NN_CLASSES_INTERNAL_H

#include <stdint.h>

/* Where the largest number is, the first of equals. */
static inline int64_t ls_largest(int64_t width, const float *x) {
    int64_t best = 0;
    for (int64_t i = 1; i < width; i++) {
        if (x[i] > x[best]) best = i;
    }
    return best;
}

#endif
