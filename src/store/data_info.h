/* data_info.h - Lockstep's data files: plain HDF5 (1.10 and newer), readable with h5py.
 *
 *   /data      uint8 or float32 [N, ...] (pictures [N, H, W, C]), chunked by samples, fletcher32, optionally shuffle +
 *              deflate
 *   /labels    int32 [N], where there are labels (0 .. classes-1)
 *   /names     texts [N], where samples have names (file names); of one longer than LS_SAMPLE_NAME_MAX bytes the end
 *   /block_hashes uint64 [blocks], what the fingerprint is the sum of: each block that is read is held against its own
 *   attributes of /: lockstep_format (1), block_samples, fingerprint (hex text), classes, class_names, import_settings
 *
 * The fingerprint is made when the file is written: who edits a data set in place must delete the attribute (h5py:
 * del file.attrs["fingerprint"]). Until then the blocks that were edited are refused, as damaged ones are.
 *
 * Only what a file itself holds is read: links and storage that lead out of it are refused. A virtual data set, whose
 * parts are other files, will do where all parts are there, are regular files, and fill it.
 *
 * Class names and import_settings are UTF-8 (what is not in a folder's name is U+FFFD); names are bytes as they were.
 * Texts are of fixed length, padded with zeros: HDF5 cannot write others in parallel, nor checksum them.
 * A block is a run of block_samples samples (the last may be short), the unit of reading and of shuffling, and equal to
 * a chunk. */
#ifndef LS_STORE_DATA_INFO_H
#define LS_STORE_DATA_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/shape.h"

enum { LS_CLASSES_MAX = 32768, LS_FINGERPRINT_MAX = 17, LS_SAMPLE_NAME_MAX = 128 };

typedef enum ls_element { LS_ELEMENT_UINT8, LS_ELEMENT_FLOAT32 } ls_element;

static inline int64_t ls_element_bytes(ls_element element) { return element == LS_ELEMENT_UINT8 ? 1 : 4; }

static inline const char *ls_element_name(ls_element element) {
    return element == LS_ELEMENT_UINT8 ? "uint8" : "float32";
}

typedef struct ls_dataset_info {
    int64_t count;  /* samples of all files */
    ls_shape shape; /* of one sample */
    ls_element element;
    int64_t sample_bytes;
    bool labelled;
    int classes;                          /* 0 without labels */
    bool named;                           /* all samples have names, as Lockstep writes them */
    int64_t block_samples;                /* of the first file */
    char fingerprint[LS_FINGERPRINT_MAX]; /* of the content, 16 hex digits; of several files: a hash of theirs */
} ls_dataset_info;

typedef char ls_sample_name[LS_SAMPLE_NAME_MAX + 1]; /* ended by a zero */

#endif
