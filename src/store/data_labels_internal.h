/* data_labels_internal.h - the attributes of a data file, and the labels and names of its samples. Local, under the
 * lock of HDF5. */
#ifndef LS_STORE_DATA_LABELS_INTERNAL_H
#define LS_STORE_DATA_LABELS_INTERNAL_H

#include "store/data_file_internal.h"

/* Without such an attribute *value stays as it is. Errors: LS_INVALID: it is not an integer. */
ls_status ls_data_read_integer(const ls_data_file *file, const char *name, int64_t *value);

/* At most `limit` texts, of fixed length (as Lockstep writes them) or of variable length (as h5py does). *texts is
 * freed by ls_data_free_texts; it is NULL without such an attribute. Errors: LS_INVALID: it is not a text, or damaged.
 */
ls_status ls_data_read_texts(const ls_data_file *file, const char *name, int64_t limit, char ***texts, int64_t *count);
void ls_data_free_texts(char **texts, int64_t count);

/* Sets labels, classes and class names, if the file has labels. To be called after ls_data_check_load. Errors:
 * LS_INVALID: they do not fit the samples, or are not what was written; as ls_data_array_open. */
ls_status ls_data_labels_load(ls_data_file *file);

/* Sets info.named. Errors: as ls_data_array_open. */
ls_status ls_data_names_find(ls_data_file *file);
/* Names [first, first + count), if info.named. Errors: LS_INVALID: damaged, or not what was written. */
ls_status ls_data_names_read(ls_data_file *file, int64_t first, int64_t count, ls_sample_name *names);
/* The same from the open array, without any check. */
bool ls_data_names_read_raw(hid_t array, int64_t first, int64_t count, ls_sample_name *names);

#endif
