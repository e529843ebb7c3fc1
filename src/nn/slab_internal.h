/* slab_internal.h - one slab of memory for many buffers: those that are needed at different moments share a place.
 * Private to nn.
 *
 *   ls_slab slab = {0};
 *   ls_slab_add(&slab, &buffer, floats, first, last);     for all buffers
 *   int64_t floats = ls_slab_layout(&slab);               sets every buffer's offset
 *
 * Greedy by size: the largest buffer first, each at the lowest offset where nothing is that is needed at the same time
 * (Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020). Allocates nothing. */
#ifndef LS_NN_SLAB_INTERNAL_H
#define LS_NN_SLAB_INTERNAL_H

#include <stdint.h>

typedef struct ls_buffer {
    int64_t floats;  /* a multiple of a cache line; 0: not in the slab */
    int first, last; /* the moments between which it is needed, inclusive */
    int64_t offset;
    struct ls_buffer *next;
} ls_buffer;

typedef struct ls_slab {
    ls_buffer *largest; /* list in falling order of size */
} ls_slab;

void ls_slab_add(ls_slab *slab, ls_buffer *buffer, int64_t floats, int first, int last);

/* Returns the length of the whole slab in floats. */
int64_t ls_slab_layout(ls_slab *slab);

#endif
