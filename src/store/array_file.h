/* array_file.h - HDF5 files of named float32 arrays and attributes of their root: the room's door to HDF5. Private to
 * run.
 *
 * Arrays are named by path ("/weights/dense/kernel"; groups in between are made), have 1..LS_DIMS_MAX dimensions, or
 * one more when written, and are contiguous and unfiltered. They are written and read by rows, that is indices of the
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

/* --- writing: describe all, begin, write all. HDF5 works in memory and never sees the disk (array_driver.h says why).
 * Errors: LS_ERROR. --- */

typedef struct ls_array_writer ls_array_writer;

/* Into an empty file, which stays the caller's. user_block_bytes: 0, or a power of two >= 512: so many bytes at its
 * start are left alone. */
ls_status ls_array_writer_create(const ls_file *file, int64_t user_block_bytes, ls_array_writer **out);
void ls_array_writer_destroy(ls_array_writer *writer); /* NULL is allowed */

/* rows: 0, or the length of a dimension in front of the shape's. */
ls_status ls_array_writer_add(ls_array_writer *writer, const char *name, int64_t rows, const ls_shape *shape);
ls_status ls_array_writer_put_number(ls_array_writer *writer, const char *name, ls_number type, const void *value);
ls_status ls_array_writer_put_text(ls_array_writer *writer, const char *name, const char *text);

/* The description is complete: writes it. After this, and only then, rows may be written; those that never are stay
 * zero. */
ls_status ls_array_writer_begin(ls_array_writer *writer);
ls_status ls_array_writer_write(ls_array_writer *writer, const char *name, int64_t first, int64_t rows,
                                const float *data);

/* --- reading. Links and storage that lead out of the file are not followed. Errors: LS_INVALID, the file is not as it
 * should be; LS_ERROR, it cannot be read: a disk, a network, memory --- */

typedef struct ls_array_reader ls_array_reader;

/* Without locks: many ranks do it at once, on file systems that may have none. */
ls_status ls_array_reader_open(const char *path, ls_array_reader **out);
void ls_array_reader_close(ls_array_reader *reader); /* NULL is allowed */

ls_status ls_array_reader_shape(ls_array_reader *reader, const char *name, ls_shape *shape);
ls_status ls_array_reader_read(ls_array_reader *reader, const char *name, int64_t first, int64_t rows, float *data);
bool ls_array_reader_has(ls_array_reader *reader, const char *name); /* an attribute of that name */
ls_status ls_array_reader_get_number(ls_array_reader *reader, const char *name, ls_number type, void *value);
ls_status ls_array_reader_get_text(ls_array_reader *reader, const char *name, char **text); /* the caller's: ls_free */

typedef struct ls_array_entry {
    char name[256];
    ls_shape shape; /* dims 0: more than LS_DIMS_MAX or none, or one that is empty */
} ls_array_entry;

/* All arrays in the order of their names; *entries is the caller's (ls_free). */
ls_status ls_array_reader_list(ls_array_reader *reader, ls_array_entry **entries, int *count);

#endif
