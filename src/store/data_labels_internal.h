/* data_labels_internal.h - what a data file says of its samples one by one: labels and names. Private to the room.
 * Local, under the lock of HDF5. */
#ifndef LS_STORE_DATA_LABELS_INTERNAL_H
#define LS_STORE_DATA_LABELS_INTERNAL_H

#include "store/data_file_internal.h"

/* Sets labels, classes and their names, where the file has some. After ls_data_check_load. Errors: LS_INVALID: they do
 * not fit the samples, or are not what was written; as ls_data_array_open. */
ls_status ls_data_labels_load(ls_data_file *file);

/* Sets info.named. Errors: as ls_data_array_open. */
ls_status ls_data_names_find(ls_data_file *file);
/* Names [first, first + count) of a file that is named. Errors: LS_INVALID: damaged, or not what was written. */
ls_status ls_data_names_read(ls_data_file *file, int64_t first, int64_t count, ls_sample_name *names);
/* The same of its open array, unchecked. */
bool ls_data_names_read_raw(hid_t array, int64_t first, int64_t count, ls_sample_name *names);

#endif
