/* data_format.h - the names in a data file, for who writes and who reads it. Private to the room. */
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

/* What the fingerprint is made of: a sum over the samples, so that ranks can add up theirs in any order, of hashes that
 * know the sample's number, its bytes (little endian) and its label (0 where there are none). */
uint64_t ls_sample_hash(const void *sample, int64_t bytes, int32_t label, int64_t index);
/* content: that sum. text: LS_FINGERPRINT_MAX. */
void ls_fingerprint_text(const ls_shape *shape, int element, int64_t count, uint64_t content, char *text);
/* That of several files, in order: text <- text and next. */
void ls_fingerprint_join(char *text, const char *next);

#endif
