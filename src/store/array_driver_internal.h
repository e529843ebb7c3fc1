/* array_driver_internal.h - what HDF5 reads and writes in place of a file that it opens itself: a file driver for HDF5.
 * Private to run.
 *
 * Writing goes to memory and cannot fail: HDF5 cannot let go of a file that it cannot write to, for closing fails then,
 * too, and the library ends the program with it (1.10). Reading is strict: HDF5's own driver takes what a disk does not
 * give for zeros. Under ls_hdf5_lock. */
#ifndef LS_STORE_ARRAY_DRIVER_INTERNAL_H
#define LS_STORE_ARRAY_DRIVER_INTERNAL_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/array_memory_internal.h"

/* The caller's; it must outlive the file that HDF5 has open on it. */
typedef struct ls_array_backing {
    int fd;                 /* of a file to read; -1: a new one is written to memory, namely: */
    ls_array_memory memory; /* the caller releases it */
    int64_t bytes;          /* of the file; of a new one known when HDF5 has closed it */
    bool lost;              /* there was no memory for something that HDF5 has written: it does not know, and cannot */
} ls_array_backing;

/* The file that HDF5 opens or creates with this access list is this one, whatever its name. Errors: LS_ERROR. */
ls_status ls_array_driver_use(ls_array_backing *backing, hid_t access);

#endif
