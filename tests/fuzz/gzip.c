/* gzip.c - files that may be gzipped, up to 16 MiB of what is in them. */
#include <assert.h>

#include "base/memory.h"
#include "data/gzip_internal.h"
#include "targets.h"

void fuzz_gzip(const uint8_t *data, size_t size) {
    enum { BYTES_MAX = 16 << 20 };
    ls_bytes bytes;
    if (ls_gzip_read(fuzz_file(data, size), BYTES_MAX, &bytes) != LS_OK) return;
    assert(bytes.count >= 0 && bytes.count <= BYTES_MAX);
    ls_free(bytes.data);
}
