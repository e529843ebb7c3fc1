/* run_directory.h - the folder that a run lives in. All functions are Local and for rank 0. */
#ifndef LS_RUN_RUN_DIRECTORY_H
#define LS_RUN_RUN_DIRECTORY_H

#include <stdbool.h>

#include "base/file.h"
#include "base/status.h"

typedef enum ls_run_use { LS_RUN_BEGIN, LS_RUN_RESUME, LS_RUN_REPLACE } ls_run_use;

/* Makes the directory where there is none, and locks it against a second training. One that holds a run is an error for
 * LS_RUN_BEGIN; a run that failed before it had saved or recorded anything is none. *lock (-1 before) is to be unlocked
 * also after an error. Errors: LS_INVALID: there is a run; or there is none, but files that no run wrote; or to begin
 * or replace one, a config.yaml that no run wrote; LS_ERROR: in use, or cannot be made. */
ls_status ls_run_directory_open(const char *run, ls_run_use use, int *lock);
void ls_run_directory_unlock(int lock); /* -1 is allowed */

/* Whether a run has begun there, and left its config.yaml; true, too, where a disk does not tell. */
bool ls_run_directory_is_run(const char *run);

/* Of an open one: checks that it can be written to, and makes its sub-folders. Errors: LS_ERROR. */
ls_status ls_run_directory_prepare(const char *run);

/* How many metrics.jsonl records. Errors: LS_ERROR. */
ls_status ls_run_directory_count_epochs(const char *run, int64_t *epochs);

/* Removes what Lockstep wrote there, and nothing else; the log only where it is said. Errors: LS_ERROR. */
ls_status ls_run_directory_clear(const char *run, bool with_log);

/* Writes text as a file that is whole or not there. Errors: LS_ERROR. */
ls_status ls_run_directory_write(const char *run, const char *name, const char *text);

#endif
