/* data_file.h - reads one file of a data set; data_info.h has the format. Local. */
#ifndef LS_STORE_DATA_FILE_H
#define LS_STORE_DATA_FILE_H

#include "base/status.h"
#include "store/data_info.h"

typedef struct ls_data_file ls_data_file;

/* Opens a file and checks it. Errors: LS_INVALID, LS_ERROR (see ls_dataset_open). */
ls_status ls_data_file_open(const char *path, ls_data_file **out);
void ls_data_file_close(ls_data_file *file); /* NULL is allowed */

const char *ls_data_file_path(const ls_data_file *file);
const ls_dataset_info *ls_data_file_info(const ls_data_file *file); /* of this file alone */
const int32_t *ls_data_file_labels(const ls_data_file *file);       /* [info.count]; NULL: no labels */
/* [*count] names of the classes; NULL: no names. */
const char *const *ls_data_file_class_names(const ls_data_file *file, int64_t *count);
int64_t ls_data_file_blocks(const ls_data_file *file);

/* Thread-safe. Reads samples [first, first + count) into data [count][sample_bytes]; blocks are read whole and checked.
 * Errors: LS_INVALID: damaged, or not what was written; LS_ERROR: the system cannot read it. */
ls_status ls_data_file_read(ls_data_file *file, int64_t first, int64_t count, void *data);

/* Thread-safe. The names of these samples, if the file has names. Errors: as above. */
ls_status ls_data_file_read_names(ls_data_file *file, int64_t first, int64_t count, ls_sample_name *names);

/* Checks that it is still the file that was opened; see ls_dataset_check_files. */
ls_status ls_data_file_check(ls_data_file *file);

#endif
