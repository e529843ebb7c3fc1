/* writer_file_internal.h - the HDF5 file of a new data set: its columns (data, labels, names, block hashes), its
 * attributes, and space on the disk. writer.c fills it. Collective unless it says Local. */
#ifndef LS_STORE_WRITER_FILE_INTERNAL_H
#define LS_STORE_WRITER_FILE_INTERNAL_H

#include <hdf5.h>

#include "base/file.h"
#include "store/writer.h"

enum { LS_COLUMNS_MAX = 4 };

typedef struct ls_column {
    const char *name;
    hid_t type, dataset;
    int dims;
    hsize_t chunk_dim[1 + LS_DIMS_MAX];
    int64_t item_bytes;  /* of one row */
    int64_t row_samples; /* samples that a row stands for: 1, or those of a block */
    bool filtered;       /* with a checksum, and compressed if that is wanted */
} ls_column;

typedef struct ls_writer_file {
    const ls_comm *comm;
    ls_writer_spec spec;          /* what it points to must stay until the file is created */
    ls_file file;                 /* open on rank 0 */
    hid_t hdf5, text, collective; /* text: the type of a name; collective: properties of a write */
    ls_column column[LS_COLUMNS_MAX];
    int columns, hashes; /* hashes: the number of their column */
    int64_t block_samples;
} ls_writer_file;

/* Local. Makes the columns of the spec. ls_writer_file_release in every case. */
void ls_writer_file_init(ls_writer_file *f, const ls_comm *comm, const ls_writer_spec *spec);
/* Collective where the file is open in HDF5, else Local. A file that was not published is removed. */
void ls_writer_file_release(ls_writer_file *f);

/* Local, rank 0. Makes an empty file. HDF5 will make it again, but an error of the system is clearer here than through
 * MPI. Errors: LS_INVALID: path is a directory or a checkpoint; LS_ERROR. */
ls_status ls_writer_file_open(ls_writer_file *f, const char *path);
/* Creates the file in HDF5, without samples. Errors (agreed): LS_ERROR. */
ls_status ls_writer_file_create(ls_writer_file *f);

/* One write to a column by all ranks: samples [begin, end), of which this rank has [first, first + rows); rows may be
 * 0. */
typedef struct ls_writer_part {
    int64_t begin, end;
    int64_t first, rows;
    int64_t room; /* samples that this rank's buffer can hold */
} ls_writer_part;
/* The part is whole chunks of a filtered column, or the hashes of whole blocks. Errors (agreed): LS_ERROR. */
ls_status ls_writer_file_write(ls_writer_file *f, int column, const ls_writer_part *part, const void *stripe);

/* Writes the fingerprint and closes the file, which then lacks only its name. Errors (agreed): LS_ERROR. */
ls_status ls_writer_file_finish(ls_writer_file *f, const char *fingerprint);
/* Flushes it and gives it its name. Errors (agreed): LS_ERROR. */
ls_status ls_writer_file_publish(ls_writer_file *f);

#endif
