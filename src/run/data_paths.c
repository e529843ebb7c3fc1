#include "run/data_paths.h"

#include <glob.h>
#include <unistd.h>

#include "lockstep/file.h"

static bool is_missing(const char *path) {
    glob_t found;
    int result = glob(path, GLOB_NOSORT, NULL, &found);
    globfree(&found);
    return result == GLOB_NOMATCH && access(path, F_OK) != 0;
}

/* After a failure: a relative path that is not there may have been right in another directory, as that of a run that
 * has moved; a directory may be full of pictures. */
static ls_status explain(const char *const *paths, int count, const char *mend) {
    char here[LS_PATH_MAX];
    const ls_failure *failure = ls_failure_get();
    for (int i = 0; i < count; i++)
        if (ls_file_is_directory(paths[i]))
            return LS_RAISE(failure->status,
                            "%s; 'lockstep import images %s -o FILE.h5 --size 80x80' makes a data set of pictures, "
                            "which is named with %s",
                            failure->message, paths[i], mend);
    for (int i = 0; i < count; i++)
        if (paths[i][0] != '/' && is_missing(paths[i]) && getcwd(here, sizeof here) != NULL)
            return LS_RAISE(failure->status,
                            "%s; a relative path begins where lockstep is started, which is %s: start it elsewhere, or "
                            "name the file with %s",
                            failure->message, here, mend);
    return failure->status;
}

ls_status ls_data_paths_try(const char *const *paths, int count, const char *mend) {
    return ls_dataset_try(paths, count) == LS_OK ? LS_OK : explain(paths, count, mend);
}

ls_status ls_data_paths_open_tried(const char *const *paths, int count, const char *mend, ls_dataset **out) {
    return ls_dataset_open_tried(paths, count, out) == LS_OK ? LS_OK : explain(paths, count, mend);
}
