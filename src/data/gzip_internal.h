/* gzip_internal.h - files that may be gzipped. Local. */
#ifndef LS_DATA_GZIP_INTERNAL_H
#define LS_DATA_GZIP_INTERNAL_H

#include <stdint.h>

#include "base/status.h"

typedef struct ls_bytes {
    uint8_t *data; /* owned: ls_free */
    int64_t count;
} ls_bytes;

/* The first max_bytes of a file, or all of it where it has fewer; of what is in it where its content is gzip's. Memory
 * follows what is there. Errors: LS_INVALID: no such file, or damaged; LS_ERROR: no memory. */
ls_status ls_gzip_read(const char *path, int64_t max_bytes, ls_bytes *out);

/* Whether the file is long enough for so many bytes to be in it, be they packed as closely as gzip can: to be asked
 * before what a header claims is believed. Errors: LS_INVALID: it is not; no such file. */
ls_status ls_gzip_check_length(const char *path, int64_t bytes);

#endif
