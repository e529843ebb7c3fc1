/* run_directory.h - the folder that a run lives in. Private to run. All functions are Local and for rank 0. */
#ifndef LOCKSTEP_RUN_DIRECTORY_H
#define LOCKSTEP_RUN_DIRECTORY_H

#include <stdbool.h>

#include "lockstep/file.h"
#include "lockstep/status.h"

/* Makes the directory and its sub-folders and checks that they can be written to. One that holds a run already is an
 * error, unless it is to be resumed or overwritten; overwriting removes what Lockstep wrote there and nothing else.
 * Errors: LS_INVALID: there is a run; LS_ERROR: cannot be made or written. */
ls_status ls_run_directory_prepare(const char *run, bool resume, bool overwrite);

/* path = run/name. Errors: LS_INVALID, too long. */
ls_status ls_run_directory_path(const char *run, const char *name, char path[LS_PATH_MAX]);

/* Writes text as a file that is whole or not there. Errors: LS_ERROR. */
ls_status ls_run_directory_write(const char *run, const char *name, const char *text);

#endif
