/* slab.c - the greedy layout of buffers in one slab; see slab_internal.h. */
#include "nn/slab_internal.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"

void ls_slab_add(ls_slab *slab, ls_buffer *buffer, int64_t floats, int first, int last) {
    buffer->floats = ls_align_floats(floats);
    buffer->first = first;
    buffer->last = last;
    ls_buffer **link = &slab->largest;
    while (*link != NULL && (*link)->floats >= buffer->floats) link = &(*link)->next;
    buffer->next = *link;
    *link = buffer;
}

static bool collide(const ls_buffer *a, const ls_buffer *b) {
    return a->first <= b->last && b->first <= a->last && a->offset < b->offset + b->floats &&
           b->offset < a->offset + a->floats;
}

/* Moves the buffer past what it collides with until it collides with none of those before it in the list. */
static void place(const ls_slab *slab, ls_buffer *buffer) {
    buffer->offset = 0;
    for (const ls_buffer *other = slab->largest; other != buffer;) {
        if (collide(buffer, other)) {
            buffer->offset = other->offset + other->floats;
            other = slab->largest;
        } else {
            other = other->next;
        }
    }
}

int64_t ls_slab_layout(ls_slab *slab) {
    int64_t floats = 0;
    for (ls_buffer *buffer = slab->largest; buffer != NULL; buffer = buffer->next) {
        place(slab, buffer);
        if (buffer->offset + buffer->floats > floats) floats = buffer->offset + buffer->floats;
    }
    return floats;
}
