/* data_attributes_internal.h - the attributes of a data file. Local, under the lock of HDF5. */
#ifndef LS_STORE_DATA_ATTRIBUTES_INTERNAL_H
#define LS_STORE_DATA_ATTRIBUTES_INTERNAL_H

#include "store/data_file_internal.h"

/* Without such an attribute *value stays as it is. Errors: LS_INVALID: it is not an integer. */
ls_status ls_data_read_integer(const ls_data_file *file, const char *name, int64_t *value);

/* At most `limit` texts, of fixed length (as Lockstep writes them) or of variable length (as h5py does). *texts is
 * freed by ls_data_free_texts; it is NULL without such an attribute. Errors: LS_INVALID: it is not a text, or damaged.
 */
ls_status ls_data_read_texts(const ls_data_file *file, const char *name, int64_t limit, char ***texts, int64_t *count);
void ls_data_free_texts(char **texts, int64_t count);

#endif
