/* data_virtual_internal.h - arrays that are maps of other files' arrays (HDF5's virtual data sets): HDF5 gives zeros
 * for what is missing there, without a word. Private to the room. Local, under the lock of HDF5. */
#ifndef LS_STORE_DATA_VIRTUAL_INTERNAL_H
#define LS_STORE_DATA_VIRTUAL_INTERNAL_H

#include "store/data_file_internal.h"

/* Errors: LS_INVALID: a part is not a regular file, is missing, too short, not written, or virtual itself; the parts
 * leave gaps. name: it outlives the file. The parts are remembered in the file, for ls_data_file_check. */
ls_status ls_data_virtual_check(ls_data_file *file, const char *name, hid_t array, hid_t properties);

#endif
