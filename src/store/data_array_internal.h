/* data_array_internal.h - the arrays of a data file (HDF5 calls them data sets): there is one door to them, and it
 * opens only what the file itself holds. Private to the room. Local, under the lock of HDF5. */
#ifndef LS_STORE_DATA_ARRAY_INTERNAL_H
#define LS_STORE_DATA_ARRAY_INTERNAL_H

#include "store/data_file_internal.h"

bool ls_data_array_exists(const ls_data_file *file, const char *name);

/* H5Dclose it. Errors: LS_INVALID: its link, or its samples, lead out of the file; it is virtual, and a part of it is
 * missing or short; it needs a filter that this HDF5 has not; its chunks are larger than the file can hold; damaged.
 * LS_ERROR: the system cannot read it. */
ls_status ls_data_array_open(ls_data_file *file, const char *name, hid_t *array);

/* That there is an array of that name, which the words say the meaning of. Errors: LS_INVALID: there is nothing of that
 * name, or a group, or a link that ends nowhere; with what is there. Links out of the file are for ls_data_array_open.
 */
ls_status ls_data_array_find(const ls_data_file *file, const char *name, const char *meaning);

/* One array for messages, "x: uint8 [10, 28, 28]"; the length that it has without the limit. */
enum { LS_DATA_LIST_MAX = 512 };
int ls_data_array_describe(hid_t array, const char *name, char *text, size_t room);

/* What a header claims is no reason to take memory for it: whether so many bytes can be in the file (and its parts), be
 * they compressed as well as deflate can, and with some room. */
bool ls_data_array_fits(const ls_data_file *file, double bytes);

ls_data_layout ls_data_array_layout(hid_t array);
int64_t ls_data_array_chunk_bytes(const ls_data_layout *layout); /* 0: it has no chunks */
/* Samples that HDF5 cannot decode one of alone: those of a chunk with filters (of the parts, too, of a virtual data
 * set); else 1. */
int64_t ls_data_array_unit(const ls_data_file *file);

/* Whether every chunk is known to have been written: of arrays without filters. Asks for all of them: once a file. */
bool ls_data_array_is_full(hid_t array, const ls_data_layout *layout);

/* Chunks of an array that have rows [first, first + count), all of them if visit returns LS_OK. `at` and `dim`: where
 * the chunk's part begins, and how large it is, within the array. */
typedef struct ls_data_chunk {
    hsize_t offset[1 + LS_DIMS_MAX], dim[1 + LS_DIMS_MAX];
    int dims;
} ls_data_chunk;
typedef ls_status (*ls_data_chunk_fn)(void *context, const ls_data_chunk *chunk);
ls_status ls_data_array_chunks(const ls_data_layout *layout, int64_t first, int64_t count, ls_data_chunk_fn visit,
                               void *context);
/* Whether it was ever written. Quick where the array has filters; else it looks through all chunks. */
bool ls_data_array_has(hid_t array, const ls_data_layout *layout, const ls_data_chunk *chunk);

#endif
