/* array_file.h - HDF5 files of named float32 arrays, with attributes of the root: the format of checkpoints.
 *
 * An array is named by its path ("/weights/dense/kernel"; the groups are made), has 1 to LS_DIMS_MAX dimensions, or one
 * more when it is written, and is contiguous and unfiltered. It is written and read by rows, which are indices of the
 * first dimension. The same calls give the same bytes: there are no time stamps. Local. Errors name the file and the
 * array. */
#ifndef LS_STORE_ARRAY_FILE_H
#define LS_STORE_ARRAY_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/file.h"
#include "base/shape.h"
#include "base/status.h"

typedef enum ls_number { LS_NUMBER_INT64, LS_NUMBER_DOUBLE } ls_number;

/* --- writing: describe all arrays and attributes, begin, write the rows. HDF5 works in memory and never sees the disk
 * (array_driver_internal.h says why). Errors: LS_ERROR. --- */

typedef struct ls_array_writer ls_array_writer;

/* file: empty; it stays the caller's. user_block_bytes: how many bytes at its start are left alone; 0, or a power of
 * two
 * >= 512. */
ls_status ls_array_writer_create(const ls_file *file, int64_t user_block_bytes, ls_array_writer **out);
void ls_array_writer_destroy(ls_array_writer *writer); /* NULL is allowed */

/* rows: the length of a dimension in front of the shape; 0: none. */
ls_status ls_array_writer_add(ls_array_writer *writer, const char *name, int64_t rows, const ls_shape *shape);
ls_status ls_array_writer_put_number(ls_array_writer *writer, const char *name, ls_number type, const void *value);
ls_status ls_array_writer_put_text(ls_array_writer *writer, const char *name, const char *text);

/* Writes the description. Only after this rows may be written; a row that never is stays zero. */
ls_status ls_array_writer_begin(ls_array_writer *writer);
ls_status ls_array_writer_write(ls_array_writer *writer, const char *name, int64_t first, int64_t rows,
                                const float *data);

/* --- reading. Links and storage that lead out of the file are not followed. Errors: LS_INVALID: the file has another
 * format, or is damaged; LS_ERROR: it cannot be read (a disk, a network, memory). --- */

typedef struct ls_array_reader ls_array_reader;

/* The file is not locked: many ranks open it at once, and some file systems have no locks. */
ls_status ls_array_reader_open(const char *path, ls_array_reader **out);
void ls_array_reader_close(ls_array_reader *reader); /* NULL is allowed */

ls_status ls_array_reader_shape(ls_array_reader *reader, const char *name, ls_shape *shape);
ls_status ls_array_reader_read(ls_array_reader *reader, const char *name, int64_t first, int64_t rows, float *data);
bool ls_array_reader_has(ls_array_reader *reader, const char *name); /* whether it has that attribute */
ls_status ls_array_reader_get_number(ls_array_reader *reader, const char *name, ls_number type, void *value);
ls_status ls_array_reader_get_text(ls_array_reader *reader, const char *name,
                                   char **text); /* owned by the caller: ls_free */

typedef struct ls_array_entry {
    char name[256];
    ls_shape shape; /* dims 0: a shape that an array of ours cannot have */
} ls_array_entry;

/* All arrays, sorted by name; *entries is owned by the caller (ls_free). */
ls_status ls_array_reader_list(ls_array_reader *reader, ls_array_entry **entries, int *count);

#endif
