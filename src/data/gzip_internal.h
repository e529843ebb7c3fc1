/* gzip_internal.h - reads files that may be compressed by gzip. Local. */
#ifndef LS_DATA_GZIP_INTERNAL_H
#define LS_DATA_GZIP_INTERNAL_H

#include <stdint.h>

#include "base/status.h"

typedef struct ls_bytes {
    uint8_t *data; /* owned by the caller: ls_free */
    int64_t count;
} ls_bytes;

/* Reads the first max_bytes of a file, decompressed, or all of it if it has fewer. Memory grows with what is read.
 * Errors: LS_INVALID: no such file, or damaged; LS_ERROR: no memory. */
ls_status ls_gzip_read(const char *path, int64_t max_bytes, ls_bytes *out);

/* Checks that the file is long enough to hold this many bytes, compressed as well as gzip can: to be called before
 * memory is allocated by what a header claims. Errors: LS_INVALID: it is too short; no such file. */
ls_status ls_gzip_check_length(const char *path, int64_t bytes);

#endif
