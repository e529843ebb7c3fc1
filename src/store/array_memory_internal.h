/* array_memory_internal.h - the bytes of a new HDF5 file in memory. Only pages that were written take memory: the space
 * between them is for arrays, which go to the disk directly. Local. */
#ifndef LS_STORE_ARRAY_MEMORY_INTERNAL_H
#define LS_STORE_ARRAY_MEMORY_INTERNAL_H

#include <stdint.h>

#include "base/status.h"

enum { LS_ARRAY_PAGE_BYTES = 4096 };

typedef struct ls_array_page {
    int64_t at;  /* where it begins in the file: a multiple of LS_ARRAY_PAGE_BYTES */
    char *bytes; /* [LS_ARRAY_PAGE_BYTES], zero where nothing has been written */
} ls_array_page;

/* {0} is an empty file. */
typedef struct ls_array_memory {
    ls_array_page *page; /* ascending */
    int64_t pages, room;
} ls_array_memory;

/* Errors: LS_ERROR, no memory. */
ls_status ls_array_memory_write(ls_array_memory *memory, int64_t at, const void *data, int64_t bytes);
/* Zeros where nothing has been written. */
void ls_array_memory_read(const ls_array_memory *memory, int64_t at, void *data, int64_t bytes);
void ls_array_memory_release(ls_array_memory *memory);

#endif
