/* data_format.h - the names of arrays and attributes in a data file, and its fingerprint. */
#ifndef LS_STORE_DATA_FORMAT_H
#define LS_STORE_DATA_FORMAT_H

#include <stdint.h>

#include "base/shape.h"

#define LS_DATA_SET    "/data"
#define LS_DATA_LABELS "/labels"
#define LS_DATA_NAMES  "/names"
#define LS_DATA_HASHES "/block_hashes" /* uint64 [blocks]: the sum of ls_sample_hash over the samples of each */

#define LS_DATA_FORMAT      "lockstep_format" /* int32, LS_DATA_FORMAT_VERSION */
#define LS_DATA_BLOCK       "block_samples"   /* int64 */
#define LS_DATA_CLASSES     "classes"         /* int32 */
#define LS_DATA_CLASS_NAMES "class_names"
#define LS_DATA_SETTINGS    "import_settings"
#define LS_DATA_FINGERPRINT "fingerprint"

enum { LS_DATA_FORMAT_VERSION = 1 };

/* The most bytes that one byte of deflate, the compression of HDF5, gzip and PNG, can become
 * (https://zlib.net/zlib_tech.html). What a header claims is held against it before memory is allocated. */
enum { LS_DEFLATE_RATIO = 1032 };

/* The hash of a sample: of its number, its bytes (little-endian) and its label (0: no labels). The fingerprint is made
 * of their sum, which ranks can form in any order. */
uint64_t ls_sample_hash(const void *sample, int64_t bytes, int32_t label, int64_t index);
/* content: that sum. text: of LS_FINGERPRINT_MAX bytes. */
void ls_fingerprint_text(const ls_shape *shape, int element, int64_t count, uint64_t content, char *text);
/* The fingerprint of several files, in order: adds that of the next file to text. */
void ls_fingerprint_join(char *text, const char *next);

#endif
