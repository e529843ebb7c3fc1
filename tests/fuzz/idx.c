/* idx.c - an IDX file of pictures, plain or gzipped; the same one as labels, too. */
#include "data/importers_internal.h"
#include "targets.h"

void fuzz_idx(const uint8_t *data, size_t size) {
    const char *file = fuzz_file(data, size), *both[] = {file, file};
    fuzz_import(&ls_import_idx, both, 1);
    fuzz_import(&ls_import_idx, both, 2);
}
