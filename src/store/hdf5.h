/* hdf5.h - the lock for HDF5, which is not thread-safe, and the reasons of its failures. Local. */
#ifndef LS_STORE_HDF5_H
#define LS_STORE_HDF5_H

#include <stdbool.h>

#include "base/status.h"

/* Thread-safe. Every call of HDF5 is made under this lock; threads get it in the order in which they asked. */
void ls_hdf5_lock(void);
void ls_hdf5_unlock(void);
/* Under the lock. Why the last failing call of HDF5 failed since the lock was taken, in one line; and whose fault it
 * was: LS_ERROR, the system's (a disk, a network); LS_INVALID, the file's. HDF5 itself prints nothing. */
const char *ls_hdf5_reason(void);
ls_status ls_hdf5_fault(void);
/* Under the lock. The system's words for the first failure since the lock was taken that was its fault; NULL: none was.
 * To a function that looks for something in a file, such a failure looks like "not there". */
const char *ls_hdf5_system_reason(void);
/* Whether that was a lack of memory. */
bool ls_hdf5_lacks_memory(void);

#endif
