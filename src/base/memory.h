/* memory.h - memory whose error message says what it was for. Local, thread-safe. */
#ifndef LS_BASE_MEMORY_H
#define LS_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { LS_ALIGN_BYTES = 64 }; /* a cache line, and a vector of the widest instruction set */

/* Zeroed memory, aligned to LS_ALIGN_BYTES; release with ls_free. count * size may not overflow; count 0 gives a valid
 * pointer. Errors: LS_ERROR "cannot allocate N bytes for WHAT". *out is NULL then. */
ls_status ls_alloc(void *out_pointer, int64_t count, size_t size, const char *what);
void ls_free(void *pointer); /* NULL is allowed */

/* Makes room for at least `needed` elements, and at least doubles the room, in an array of ls_alloc or NULL with no
 * room. What the array held stays, the rest is zero. Errors: as above; the array stays as it was then. */
ls_status ls_grow(void *array_pointer, int64_t *room, int64_t needed, size_t size, const char *what);

/* bytes rounded up to LS_ALIGN_BYTES; and floats rounded up to a whole number of cache lines. */
int64_t ls_align_bytes(int64_t bytes);
int64_t ls_align_floats(int64_t floats);

/* What this host could still give, or the control groups that a job or container lives in, whichever is less. */
int64_t ls_memory_available_bytes(void);
/* What there can be at most: all that this host has, or the limit of those groups; INT64_MAX where nothing is known. */
int64_t ls_memory_total_bytes(void);

#endif
