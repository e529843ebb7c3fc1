/* data_file_internal.h - the struct of a data file, for the files that read its parts: arrays, attributes, labels,
 * checks. */
#ifndef LS_STORE_DATA_FILE_INTERNAL_H
#define LS_STORE_DATA_FILE_INTERNAL_H

#include <hdf5.h>

#include "store/data_file.h"

/* How an array is stored. */
typedef struct ls_data_layout {
    int dims;
    hsize_t extent[1 + LS_DIMS_MAX], chunk[1 + LS_DIMS_MAX];
    int64_t element_bytes;
    bool chunked; /* else chunk is all zeros */
    /* Whether it has filters; one that compresses; the checksum fletcher32. */
    bool filtered, compressed, summed;
} ls_data_layout;

/* A file that holds a part of a virtual data set: rows [first, end) of an array, or some of these. */
typedef struct ls_data_part {
    char *path;
    const char *array; /* of the data set: LS_DATA_SET, ... */
    int64_t bytes, first, end;
    int64_t shift;         /* if in_order, row i is row i - shift of the part's array */
    bool in_order;         /* the part's rows are whole and in order */
    ls_data_layout layout; /* of the first array of the part that is mapped */
} ls_data_part;

struct ls_data_file {
    const char *path;
    hid_t hdf5, data;
    int fd;        /* HDF5's descriptor, to check the file's size; -1: none */
    int64_t bytes; /* length of the file when it was opened */
    ls_data_layout layout;
    ls_dataset_info info; /* of this file alone */
    int32_t *labels;      /* [info.count] or NULL */
    uint64_t *block_hash; /* [blocks] sums of ls_sample_hash; NULL: the file has none */
    char **class_names;   /* [class_name_count] or NULL */
    int64_t class_name_count;
    bool fingerprinted;                  /* the file records its fingerprint */
    bool is_proven;                      /* all samples were read once, and make the fingerprint */
    bool told_of_samples, told_of_names; /* a warning was given of zeros that may be a hole */
    bool is_full;                        /* all chunks are known to have been written */
    bool is_part;                        /* it is a part of a virtual data set */
    bool was_replaced;                   /* a warning was given that its name is another file now */
    ls_data_part *parts;                 /* [part_count] */
    int part_count;
};

/* Opening in two steps, for a caller that wants to know what the second may cost. The first reads the header
 * (info.count, shape, element, sample_bytes, block_samples; layout), the second labels, names, fingerprint and hashes.
 * Errors: as ls_data_file_open. ls_data_file_release in every case. */
ls_status ls_data_file_open_header(const char *path, ls_data_file *file);
ls_status ls_data_file_load(ls_data_file *file);
enum { LS_FINGERPRINT_PROBES = 64 }; /* samples that are read for a fingerprint that the file does not record */
void ls_data_file_release(ls_data_file *file);

/* --- under the lock of HDF5 --- */

/* Opens the file at its path: sets hdf5, fd and bytes. Errors: as ls_data_file_open. */
ls_status ls_data_file_open_hdf5(ls_data_file *file);
void ls_data_file_close_hdf5(ls_data_file *file);
/* Raises the failure of a call of HDF5: LS_ERROR where a disk, a network or memory failed, else LS_INVALID with the
 * words of `damage`. */
ls_status ls_data_file_fail(const ls_data_file *file, const char *damage);
/* Reads samples without any check. */
bool ls_data_file_read_raw(const ls_data_file *file, int64_t first, int64_t count, void *data);

#endif
