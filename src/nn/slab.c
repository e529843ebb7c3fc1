#include "nn/slab_internal.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"

void ls_slab_add(ls_slab *slab, ls_piece *piece, int64_t floats, int first, int last) {
    piece->floats = ls_align_floats(floats);
    piece->first = first;
    piece->last = last;
    ls_piece **link = &slab->largest;
    while (*link && (*link)->floats >= piece->floats) link = &(*link)->next;
    piece->next = *link;
    *link = piece;
}

static bool collide(const ls_piece *a, const ls_piece *b) {
    return a->first <= b->last && b->first <= a->last && a->offset < b->offset + b->floats &&
           b->offset < a->offset + a->floats;
}

/* Moves the piece past what it collides with until it collides with none of those before it in the list. */
static void place(const ls_slab *slab, ls_piece *piece) {
    piece->offset = 0;
    for (const ls_piece *other = slab->largest; other != piece;) {
        if (collide(piece, other)) {
            piece->offset = other->offset + other->floats;
            other = slab->largest;
        } else {
            other = other->next;
        }
    }
}

int64_t ls_slab_layout(ls_slab *slab) {
    int64_t floats = 0;
    for (ls_piece *piece = slab->largest; piece; piece = piece->next) {
        place(slab, piece);
        if (piece->offset + piece->floats > floats) floats = piece->offset + piece->floats;
    }
    return floats;
}
