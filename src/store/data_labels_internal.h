/* data_labels_internal.h - the labels and names of a data file's samples. Local, under the lock of HDF5. */
#ifndef LS_STORE_DATA_LABELS_INTERNAL_H
#define LS_STORE_DATA_LABELS_INTERNAL_H

#include "store/data_file_internal.h"

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
