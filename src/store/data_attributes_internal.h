/* data_attributes_internal.h - what a data file says of itself. Private to the room. Local, under the lock of HDF5. */
#ifndef LS_STORE_DATA_ATTRIBUTES_INTERNAL_H
#define LS_STORE_DATA_ATTRIBUTES_INTERNAL_H

#include "store/data_file_internal.h"

/* *value stays as it is where there is no such attribute. Errors: LS_INVALID, it is no integer. */
ls_status ls_data_read_integer(const ls_data_file *file, const char *name, int64_t *value);

/* At most `limit` texts, of fixed length (as Lockstep writes them) or variable (as h5py does). *texts
 * (ls_data_free_texts) is NULL where there is no such attribute. Errors: LS_INVALID, it is no text, or damaged. */
ls_status ls_data_read_texts(const ls_data_file *file, const char *name, int64_t limit, char ***texts, int64_t *count);
void ls_data_free_texts(char **texts, int64_t count);

#endif
