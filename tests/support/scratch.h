/* scratch.h - files that a test makes: in the private directory that tests/run gives it (TMPDIR). */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include <stdint.h>

/* The path of a file there. The last 32 paths given out are valid. */
const char *scratch_path(const char *name);

/* Writes a file there and returns its path. */
const char *scratch_write(const char *name, const void *data, int64_t bytes);

#endif
