/* gzip.h - files that may be gzipped. Local. */
#ifndef LOCKSTEP_DATA_GZIP_H
#define LOCKSTEP_DATA_GZIP_H

#include <stdint.h>

#include "lockstep/status.h"

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
