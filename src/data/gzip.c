/* gzip.c - reads files that may be compressed by gzip. Only this file knows zlib; its functions read plain files too.
 */
#include "data/gzip_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include <zlib.h>

#include "base/file.h"
#include "base/integers.h"
#include "base/memory.h"
#include "store/data_format.h"

enum { FIRST_BYTES = 1 << 20, READ_BYTES_MAX = 1 << 30 };

static ls_status grow(ls_bytes *bytes, int64_t capacity) {
    uint8_t *data;
    LS_TRY(ls_alloc(&data, capacity, 1, "a file's content"));
    memcpy(data, bytes->data, (size_t)bytes->count);
    ls_free(bytes->data);
    bytes->data = data;
    return LS_OK;
}

static ls_status read_bytes(gzFile file, int64_t max_bytes, ls_bytes *out) {
    int64_t capacity = ls_min(max_bytes, FIRST_BYTES);
    LS_TRY(ls_alloc(&out->data, capacity, 1, "a file's content"));
    while (out->count < max_bytes) {
        if (out->count == capacity) LS_TRY(grow(out, capacity = ls_min(2 * capacity, max_bytes)));
        int got = gzread(file, out->data + out->count, (unsigned)ls_min(capacity - out->count, READ_BYTES_MAX));
        if (got <= 0) break;
        out->count += got;
    }
    int error;
    const char *why = gzerror(file, &error);
    if (error == Z_ERRNO) why = strerror(errno);
    return error == Z_OK || error == Z_STREAM_END ? LS_OK : LS_RAISE(LS_INVALID, "damaged: %s", why);
}

ls_status ls_gzip_read(const char *path, int64_t max_bytes, ls_bytes *out) {
    *out = (ls_bytes){0};
    LS_TRY(ls_file_check_regular(path));
    gzFile file = gzopen(path, "rb");
    if (file == NULL) return LS_RAISE(LS_INVALID, "%s: %s", path, strerror(errno));
    gzbuffer(file, FIRST_BYTES);
    ls_status status = read_bytes(file, max_bytes, out);
    gzclose(file);
    if (status == LS_OK) return LS_OK;
    ls_free(out->data);
    *out = (ls_bytes){0};
    return ls_failure_prefix("%s: ", path);
}

ls_status ls_gzip_check_length(const char *path, int64_t bytes) {
    struct stat info;
    if (stat(path, &info) != 0) return LS_RAISE(LS_INVALID, "%s: %s", path, strerror(errno));
    if (bytes / LS_DEFLATE_RATIO <= info.st_size) return LS_OK;
    return LS_RAISE(LS_INVALID,
                    "%s: its header says %" PRId64 " bytes, which a file of %" PRId64
                    " bytes cannot hold; it is damaged or cut short",
                    path, bytes, (int64_t)info.st_size);
}
