/* array_driver_internal.h - a file driver for HDF5, used in place of HDF5's own.
 *
 * Writing goes to memory and never fails. With its own driver HDF5 cannot close a file that it cannot write to, and
 * version 1.10 then ends the program. Reading is strict: HDF5's own driver takes missing bytes for zeros. The functions
 * are called under ls_hdf5_lock. */
#ifndef LS_STORE_ARRAY_DRIVER_INTERNAL_H
#define LS_STORE_ARRAY_DRIVER_INTERNAL_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* The bytes of a new file. Only pages that were written take memory: the space between them is for arrays, which go to
 * the disk directly. */
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
void ls_array_memory_release(ls_array_memory *memory);

/* Owned by the caller; it must outlive the HDF5 file that is open on it. */
typedef struct ls_array_backing {
    int fd;                 /* of a file to read; -1: a new file, written to memory */
    ls_array_memory memory; /* of the new file; the caller releases it */
    int64_t bytes;          /* length of the file; of a new one it is known once HDF5 has closed it */
    bool lost;              /* memory ran out while HDF5 wrote; HDF5 is not told */
} ls_array_backing;

/* HDF5 opens or creates this file with these access properties, whatever name it is given. Errors: LS_ERROR. */
ls_status ls_array_driver_use(ls_array_backing *backing, hid_t access);

#endif
