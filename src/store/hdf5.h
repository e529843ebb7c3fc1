/* hdf5.h - what every use of HDF5 shares. HDF5 is not thread-safe: each of its calls is under this lock. Local. */
#ifndef LS_STORE_HDF5_H
#define LS_STORE_HDF5_H

#include <stdbool.h>

#include "base/status.h"

/* Thread-safe. Threads have the lock in the order in which they asked for it. */
void ls_hdf5_lock(void);
void ls_hdf5_unlock(void);
/* Why the last call of HDF5 failed that did since the lock was taken, in one line of its or the system's words; and
 * whose fault it was: LS_ERROR, the system's (a disk, a network); LS_INVALID, the file's. Under the lock. HDF5 itself
 * prints nothing. */
const char *ls_hdf5_reason(void);
ls_status ls_hdf5_fault(void);
/* The system's words for the first call since the lock was taken that failed by its fault; NULL: none did. Where HDF5
 * is asked what there is, such a failure looks like "nothing". */
const char *ls_hdf5_system_reason(void);
/* Whether that was for lack of memory. */
bool ls_hdf5_lacks_memory(void);

#endif
