/* data_info.h - the format of Lockstep's data files: plain HDF5 (1.10 and newer), readable with h5py.
 *
 *   /data         uint8 or float32 [N, ...] (pictures [N, H, W, C]), chunked by samples, fletcher32, optionally shuffle
 *                 and deflate
 *   /labels       int32 [N] in 0 .. classes-1, if the samples have labels
 *   /names        text [N], if the samples have names (file names); of a long name the last LS_SAMPLE_NAME_MAX bytes
 *   /block_hashes uint64 [blocks]; each block is checked against its hash when it is read
 *   attributes of /: lockstep_format (1), block_samples, fingerprint (hex text), classes, class_names, import_settings
 *
 * The fingerprint is made when the file is written, from the hashes. Whoever edits a data set in place must delete the
 * attribute (h5py: del file.attrs["fingerprint"]); until then the edited blocks are refused as damaged.
 *
 * Only what the file itself holds is read: links and storage that lead out of it are refused. A virtual data set, whose
 * parts are other files, is read if all parts are there, are regular files, and fill it.
 *
 * Class names and import_settings are UTF-8 (other bytes of a folder's name become U+FFFD); names are the bytes of the
 * file system. Texts have a fixed length and are padded with zeros: HDF5 can neither write others in parallel nor
 * checksum them. A block is a run of block_samples samples (the last may be short). It is the unit of reading and of
 * shuffling, and equal to a chunk. */
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
    char fingerprint[LS_FINGERPRINT_MAX]; /* 16 hex digits; of several files: a hash of theirs */
} ls_dataset_info;

typedef char ls_sample_name[LS_SAMPLE_NAME_MAX + 1]; /* ended by a zero */

#endif
