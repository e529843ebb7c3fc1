/* path.c - joining and comparing paths; see path.h. */
#include "base/path.h"

#include <stdio.h>
#include <string.h>

ls_status ls_path_join(const char *folder, const char *name, char path[LS_PATH_MAX]) {
    int length = snprintf(path, LS_PATH_MAX, "%s/%s", folder, name);
    if (length < 0 || length >= LS_PATH_MAX) return LS_RAISE(LS_INVALID, "the path %s/%s is too long", folder, name);
    return LS_OK;
}

bool ls_path_ends(const char *path, const char *ending) {
    size_t length = strlen(path), tail = strlen(ending);
    return length > tail && strcmp(path + length - tail, ending) == 0;
}
