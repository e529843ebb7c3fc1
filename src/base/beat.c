/* beat.c - a counter that any thread raises; see beat.h. */
#include "base/beat.h"

#include <stdatomic.h>

static _Atomic int64_t beats;

void ls_beat(void) { atomic_fetch_add_explicit(&beats, 1, memory_order_relaxed); }

int64_t ls_beats(void) { return beats; }
