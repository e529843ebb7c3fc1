/* targets.h - what reads files and texts of others, each as a function of bytes: a file here per kind. Local.
 *
 * A target takes any bytes: it must neither crash, nor hang, nor take memory that the bytes do not account for, and
 * what it accepts it must be able to use. libFuzzer makes bytes up (door.c, `make fuzz`, tests/fuzz/run); the ordinary
 * tests feed each target its corpus, tests/fuzz/corpus/NAME/ (tests/unit/test_fuzz_corpus.c). */
#ifndef TESTS_FUZZ_TARGETS_H
#define TESTS_FUZZ_TARGETS_H

#include <stddef.h>
#include <stdint.h>

#include "data/importer.h"

typedef struct fuzz_target {
    const char *name;
    void (*run)(const uint8_t *data, size_t size);
} fuzz_target;

extern const fuzz_target fuzz_targets[]; /* ended by a name NULL */

/* The target of that name, or NULL. */
const fuzz_target *fuzz_find(const char *name);

/* A file with these bytes, in TMPDIR; its path is valid until the next call. One a process. */
const char *fuzz_file(const uint8_t *data, size_t size);

/* The bytes as a text, ended by a zero; the caller frees it. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Imports files as the program does: every sample that the source says it has, up to some thousand. */
void fuzz_import(const ls_importer_type *type, const char *const *files, int count);

void fuzz_config(const uint8_t *data, size_t size);
void fuzz_set(const uint8_t *data, size_t size);
void fuzz_idx(const uint8_t *data, size_t size);
void fuzz_gzip(const uint8_t *data, size_t size);
void fuzz_cifar10(const uint8_t *data, size_t size);
void fuzz_jpeg(const uint8_t *data, size_t size);
void fuzz_png(const uint8_t *data, size_t size);
void fuzz_exif(const uint8_t *data, size_t size);
void fuzz_npy(const uint8_t *data, size_t size);
void fuzz_csv(const uint8_t *data, size_t size);
void fuzz_dataset(const uint8_t *data, size_t size);
void fuzz_checkpoint(const uint8_t *data, size_t size);

#endif
