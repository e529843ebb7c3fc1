/* writer_file_internal.h - the HDF5 file of a data set in the making: columns (data, labels, names, hashes of the
 * blocks), attributes, and the room for them on the disk. Private to data; what writer.c fills. Collective unless it
 * says Local.
 */
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
    int64_t item_bytes;  /* of one sample, and of one row */
    int64_t row_samples; /* samples of a row: 1, or those of a block */
    bool filtered;       /* checked by a sum, and compressed where that is wanted */
} ls_column;

typedef struct ls_writer_file {
    const ls_comm *comm;
    ls_writer_spec spec;          /* its pointers are valid until the file is created */
    ls_file file;                 /* open on rank 0 */
    hid_t hdf5, text, collective; /* text: the type of a name; collective: how to write */
    ls_column column[LS_COLUMNS_MAX];
    int columns, hashes; /* hashes: which column they are, the last */
    int64_t block_samples;
} ls_writer_file;

/* Local. The columns that the spec asks for. ls_writer_file_release in every case. */
void ls_writer_file_init(ls_writer_file *f, const ls_comm *comm, const ls_writer_spec *spec);
/* Collective where the file is open in HDF5, else Local. A file that was not given its name is removed. */
void ls_writer_file_release(ls_writer_file *f);

/* Local, rank 0. An empty file; HDF5 will make it anew, but what the system says is clearer than what comes back
 * through MPI. Errors: LS_INVALID, a directory; LS_ERROR. */
ls_status ls_writer_file_open(ls_writer_file *f, const char *path);
/* The file, without samples. Errors (agreed): LS_ERROR. */
ls_status ls_writer_file_create(ls_writer_file *f);

/* One write to a column by all ranks: samples [begin, end) of the file, of which rank's are [first, first + rows),
 * with no rows where it has none. */
typedef struct ls_writer_part {
    int64_t begin, end;
    int64_t first, rows;
    int64_t room; /* of the rank's buffer, in samples */
} ls_writer_part;
/* Whole chunks of a filtered column; the hashes of whole blocks. Errors (agreed): LS_ERROR. */
ls_status ls_writer_file_write(ls_writer_file *f, int column, const ls_writer_part *part, const void *stripe);

/* Writes the fingerprint and closes the file; then it is whole, but for its name. Errors (agreed): LS_ERROR. */
ls_status ls_writer_file_finish(ls_writer_file *f, const char *fingerprint);
/* Flushes it and gives it its name. Errors (agreed): LS_ERROR. */
ls_status ls_writer_file_publish(ls_writer_file *f);

#endif
