/* data_paths.h - data sets by the paths that a config or a command line names. Local. */
#ifndef LS_RUN_DATA_PATHS_H
#define LS_RUN_DATA_PATHS_H

#include "data/dataset.h"

/* ls_dataset_try and ls_dataset_open_tried, whose failures also tell where a relative path was looked for, and how a
 * directory of pictures becomes a data set. mend: what names another file, "--data FILE". */
ls_status ls_data_paths_try(const char *const *paths, int count, const char *mend);
ls_status ls_data_paths_open_tried(const char *const *paths, int count, const char *mend, ls_dataset **out);

#endif
