/* data_array_internal.h - the arrays of a data file (HDF5 calls them data sets). All of them are opened by
 * ls_data_array_open, which opens only what the file itself holds. Local, under the lock of HDF5. */
#ifndef LS_STORE_DATA_ARRAY_INTERNAL_H
#define LS_STORE_DATA_ARRAY_INTERNAL_H

#include "store/data_file_internal.h"

bool ls_data_array_exists(const ls_data_file *file, const char *name);

/* The caller closes it with H5Dclose. Errors: LS_INVALID: its link or its storage leads out of the file; it is virtual
 * and a part is missing or short; this HDF5 lacks a filter that it needs; its chunks are larger than the file can hold;
 * damaged. LS_ERROR: the system cannot read it. */
ls_status ls_data_array_open(ls_data_file *file, const char *name, hid_t *array);

/* Checks that there is an array of that name. meaning: what it is, for the message. Errors: LS_INVALID: nothing has
 * that name, or a group or a broken link has it; the message lists what the file has. Links out of the file are left to
 * ls_data_array_open. */
ls_status ls_data_array_find(const ls_data_file *file, const char *name, const char *meaning);

/* Describes an array for a message, "x: uint8 [10, 28, 28]"; returns the length without the limit, as snprintf does. */
enum { LS_DATA_LIST_MAX = 512 };
int ls_data_array_describe(hid_t array, const char *name, char *text, size_t room);

/* Whether the file and its parts can hold this many bytes, if they are compressed as well as deflate can, and twice
 * that. To be asked before memory is allocated by what a header claims. */
bool ls_data_array_fits(const ls_data_file *file, double bytes);

ls_data_layout ls_data_array_layout(hid_t array);
int64_t ls_data_array_chunk_bytes(const ls_data_layout *layout); /* 0: it has no chunks */
/* How many samples HDF5 decodes at once: those of a chunk with filters (also in the parts of a virtual data set);
 * else 1.
 */
int64_t ls_data_array_unit(const ls_data_file *file);

/* Whether every chunk is known to have been written; only arrays without filters tell. It looks at all chunks: to be
 * called once for each file. */
bool ls_data_array_is_full(hid_t array, const ls_data_layout *layout);

/* A chunk of an array: where it begins, and how much of it lies within the array. */
typedef struct ls_data_chunk {
    hsize_t offset[1 + LS_DIMS_MAX], dim[1 + LS_DIMS_MAX];
    int dims;
} ls_data_chunk;
typedef ls_status (*ls_data_chunk_fn)(void *context, const ls_data_chunk *chunk);
/* Visits the chunks that have rows of [first, first + count), until visit fails. */
ls_status ls_data_array_chunks(const ls_data_layout *layout, int64_t first, int64_t count, ls_data_chunk_fn visit,
                               void *context);
/* Whether the chunk was ever written. Quick where the array has filters; else HDF5 searches all chunks. */
bool ls_data_array_has(hid_t array, const ls_data_layout *layout, const ls_data_chunk *chunk);

#endif
