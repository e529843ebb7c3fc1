/* fingerprint.c - hashes of samples and of a whole data set. Resuming compares fingerprints: a run must see the same
 * data. */
#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

#include "store/data_format.h"
#include "store/data_info.h"

uint64_t ls_sample_hash(const void *sample, int64_t bytes, int32_t label, int64_t index) {
    uint64_t place = XXH3_64bits_withSeed(&label, sizeof label, (uint64_t)index);
    return XXH3_64bits_withSeed(sample, (size_t)bytes, place);
}

void ls_fingerprint_text(const ls_shape *shape, int element, int64_t count, uint64_t content, char *text) {
    int64_t all[LS_DIMS_MAX + 4] = {shape->dims, element, count, (int64_t)content};
    for (int d = 0; d < shape->dims; d++) all[4 + d] = shape->dim[d];
    snprintf(text, LS_FINGERPRINT_MAX, "%016" PRIx64, (uint64_t)XXH3_64bits(all, sizeof all));
}

void ls_fingerprint_join(char *text, const char *next) {
    char both[2 * LS_FINGERPRINT_MAX];
    int length = snprintf(both, sizeof both, "%s %s", text, next);
    snprintf(text, LS_FINGERPRINT_MAX, "%016" PRIx64, (uint64_t)XXH3_64bits(both, (size_t)length));
}
