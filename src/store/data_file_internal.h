/* data_file_internal.h - what a data file is to the files of the room that make it up. */
#ifndef LS_STORE_DATA_FILE_INTERNAL_H
#define LS_STORE_DATA_FILE_INTERNAL_H

#include <hdf5.h>

#include "store/data_file.h"

/* How an array lies in its file. */
typedef struct ls_data_layout {
    int dims;
    hsize_t extent[1 + LS_DIMS_MAX], chunk[1 + LS_DIMS_MAX];
    int64_t element_bytes;
    bool chunked; /* else chunk is all zeros */
    bool filtered, compressed, summed;
} ls_data_layout;

/* A file that a virtual data set takes rows [first, end) of an array from, or some of them. */
typedef struct ls_data_part {
    char *path;
    const char *array; /* of the data set: LS_DATA_SET, ... */
    int64_t bytes, first, end;
    int64_t shift;         /* row i is row i - shift of the part's array, */
    bool in_order;         /* if this is so of all of them, from edge to edge; else they may lie anyhow */
    ls_data_layout layout; /* of the first array of it that is mapped */
} ls_data_part;

struct ls_data_file {
    const char *path;
    hid_t hdf5, data;
    int fd;        /* HDF5's own, to look after the file's size; -1: none */
    int64_t bytes; /* of the file, when it was opened */
    ls_data_layout layout;
    ls_dataset_info info; /* of this file alone */
    int32_t *labels;      /* [info.count] or NULL */
    uint64_t *block_hash; /* [blocks]: sums of ls_sample_hash, or NULL: the file has none */
    char **class_names;   /* [class_name_count] or NULL */
    int64_t class_name_count;
    bool fingerprinted;                  /* the fingerprint is the file's own: of all samples, when they were written */
    bool is_proven;                      /* there are zeros, and all samples were read once and make the fingerprint */
    bool told_of_samples, told_of_names; /* that there are zeros which nothing tells from a hole */
    bool is_full;                        /* all chunks are known to have been written */
    bool is_part;                        /* of a virtual data set */
    bool was_replaced;                   /* and that was said */
    ls_data_part *parts;                 /* [part_count] */
    int part_count;
};

/* The two steps of opening, for who wants to know before what the rest may cost: first what the header says of the
 * samples (info.count, shape, element, sample_bytes, block_samples; layout), then labels, names, fingerprint and
 * hashes. Errors: as ls_data_file_open. ls_data_file_release in every case. */
ls_status ls_data_file_open_header(const char *path, ls_data_file *file);
ls_status ls_data_file_load(ls_data_file *file);
enum { LS_FINGERPRINT_PROBES = 64 }; /* samples that are read to make a fingerprint */
void ls_data_file_release(ls_data_file *file);

/* --- under the lock of HDF5 --- */

/* Sets hdf5, fd, bytes of a file with a path. Errors: as ls_data_file_open. */
ls_status ls_data_file_open_hdf5(ls_data_file *file);
void ls_data_file_close_hdf5(ls_data_file *file);
/* After a call of HDF5 that failed. Of LS_INVALID, or LS_ERROR where a disk, a network or memory failed. */
ls_status ls_data_file_fail(const ls_data_file *file, const char *damage);
/* Samples as they are in the file, unchecked. */
bool ls_data_file_read_raw(const ls_data_file *file, int64_t first, int64_t count, void *data);

#endif
