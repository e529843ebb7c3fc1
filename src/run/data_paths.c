/* data_paths.c - says of a data set that cannot be opened what its user may have meant. */
#include "run/data_paths.h"

#include <glob.h>
#include <unistd.h>

#include "base/file.h"
#include "report/outputs.h"

static bool is_missing(const char *path) {
    glob_t found;
    int result = glob(path, GLOB_NOSORT, NULL, &found);
    globfree(&found);
    return result == GLOB_NOMATCH && access(path, F_OK) != 0;
}

/* What makes a file of that name, where the scripts are; NULL: nothing known. */
static const char *maker_of(const char *path) {
    static const struct {
        const char *end, *command;
    } makers[] = {{"/fashion-mnist-train.h5", "scripts/get-data fashion-mnist"},
                  {"/fashion-mnist-test.h5", "scripts/get-data fashion-mnist"},
                  {"/mnist-train.h5", "scripts/get-data mnist"},
                  {"/mnist-test.h5", "scripts/get-data mnist"},
                  {"/cifar10-train.h5", "scripts/get-data cifar10"},
                  {"/cifar10-test.h5", "scripts/get-data cifar10"},
                  {"/catdog-80.h5", "scripts/get-data catdog"},
                  {"/demo-digits.h5", "scripts/demo"}};
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
        if (ls_path_ends(path, makers[i].end) && access("scripts/get-data", F_OK) == 0) return makers[i].command;
    return NULL;
}

/* After a failure: a relative path that is not there may have been right in another directory, as that of a run that
 * has moved; a directory may be full of pictures. */
static ls_status explain(const char *const *paths, int count, const char *mend) {
    char here[LS_PATH_MAX];
    const ls_failure *failure = ls_failure_get();
    for (int i = 0; i < count; i++)
        if (ls_file_is_directory(paths[i]))
            return LS_RAISE(failure->status,
                            "%s; 'lockstep import images %s -o FILE.h5 --size HEIGHTxWIDTH' makes a data set of "
                            "pictures, which is named with %s",
                            failure->message, paths[i], mend);
    for (int i = 0; i < count; i++)
        if (is_missing(paths[i]) && maker_of(paths[i]) != NULL)
            return LS_RAISE(failure->status, "%s; '%s' makes it; 'lockstep import' makes a data set of your own data",
                            failure->message, maker_of(paths[i]));
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
