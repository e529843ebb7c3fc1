/* cache_internal.h - what kernels know of caches: lines, sets, and how to ask for memory before it is needed. */
#ifndef LS_TENSOR_CACHE_INTERNAL_H
#define LS_TENSOR_CACHE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

enum { LS_LINE_FLOATS = 16 }; /* of a cache line */

/* Asks for `count` floats that are needed next, or then: in the first-level cache, or the second. GCC takes a function
 * that does nothing else for one without effect, and drops its calls: hence the empty instruction. */
static inline void ls_prefetch_next(const float *at, int64_t count) {
    for (int64_t i = 0; i < count; i += LS_LINE_FLOATS) {
        __builtin_prefetch(at + i);
        __asm__ volatile("");
    }
}
static inline void ls_prefetch_then(const float *at, int64_t count) {
    for (int64_t i = 0; i < count; i += LS_LINE_FLOATS) {
        __builtin_prefetch(at + i, 0, 2);
        __asm__ volatile("");
    }
}

/* Whether rows that far apart fall on so few sets of a first-level cache that a tile's rows push each other out. Of 64
 * sets of 64 bytes, a power of two from 1 KiB on leaves 4 sets or fewer for all the rows. */
static inline bool ls_stride_collides(int64_t floats) { return floats % 256 == 0; }

#endif
