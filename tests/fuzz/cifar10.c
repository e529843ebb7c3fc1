/* cifar10.c - a batch of CIFAR-10, plain or gzipped. */
#include "data/importers_internal.h"
#include "targets.h"

void fuzz_cifar10(const uint8_t *data, size_t size) {
    const char *file = fuzz_file(data, size);
    fuzz_import(&ls_import_cifar10, &file, 1);
}
