/* path.h - paths as texts. Local. */
#ifndef LS_BASE_PATH_H
#define LS_BASE_PATH_H

#include <stdbool.h>

#include "base/status.h"

enum { LS_PATH_MAX = 4096 };

/* path = folder/name. Errors: LS_INVALID, too long. */
ls_status ls_path_join(const char *folder, const char *name, char path[LS_PATH_MAX]);

/* Whether a path ends in ".png", say, and is longer than that. */
bool ls_path_ends(const char *path, const char *ending);

#endif
