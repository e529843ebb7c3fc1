/* scratch.c - files in the directory that belongs to one test; see scratch.h. */
#include "support/scratch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATHS = 32, PATH_BYTES = 4096 };

const char *scratch_path(const char *name) {
    static char paths[PATHS][PATH_BYTES];
    static int next;
    const char *directory = getenv("TMPDIR");
    char *path = paths[next++ % PATHS];
    snprintf(path, PATH_BYTES, "%s/%s", directory ? directory : "/tmp", name);
    return path;
}

const char *scratch_write(const char *name, const void *data, int64_t bytes) {
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "wb");
    assert(file);
    assert(fwrite(data, 1, (size_t)bytes, file) == (size_t)bytes);
    assert(fclose(file) == 0);
    return path;
}
