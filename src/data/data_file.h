/* data_file.h - one file of a data set. Private to the room. Local. */
#ifndef LS_DATA_FILE_H
#define LS_DATA_FILE_H

#include <hdf5.h>

#include "lockstep/dataset.h"

typedef struct ls_data_file {
    char *path;
    hid_t hdf5, data;
    ls_dataset_info info; /* of this file alone */
    int32_t *labels;      /* [info.count] or NULL */
    char **class_names;   /* [class_name_count] or NULL */
    int64_t class_name_count;
} ls_data_file;

/* Opens and checks it. Errors: LS_INVALID (see ls_dataset_open). ls_data_file_close it in every case. */
ls_status ls_data_file_open(const char *path, ls_data_file *file);
void ls_data_file_close(ls_data_file *file);

/* Thread-safe. Samples [first, first + count). Errors: LS_ERROR, damaged. */
ls_status ls_data_file_read(const ls_data_file *file, int64_t first, int64_t count, void *data);

/* Thread-safe. The names of those samples, where the file has some. Errors: as above. */
ls_status ls_data_file_read_names(const ls_data_file *file, int64_t first, int64_t count, ls_sample_name *names);

int64_t ls_data_file_blocks(const ls_data_file *file);

#endif
