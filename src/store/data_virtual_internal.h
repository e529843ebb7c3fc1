/* data_virtual_internal.h - HDF5's virtual data sets: arrays that are made of arrays in other files. HDF5 reads zeros
 * in place of a missing part, silently, so all parts are checked. Local, under the lock of HDF5. */
#ifndef LS_STORE_DATA_VIRTUAL_INTERNAL_H
#define LS_STORE_DATA_VIRTUAL_INTERNAL_H

#include "store/data_file_internal.h"

/* Checks the parts and remembers them in the file, for ls_data_file_check. name: of the array; it must outlive the
 * file. properties: of its creation. Errors: LS_INVALID: a part is not a regular file, missing, too short, not written,
 * or virtual itself; the parts leave gaps. */
ls_status ls_data_virtual_check(ls_data_file *file, const char *name, hid_t array, hid_t properties);

#endif
