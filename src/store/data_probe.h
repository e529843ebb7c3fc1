/* data_probe.h - data files are tried by another process first: HDF5 may loop for ever, ask for all memory or crash
 * where a file's header was made for that. Local. */
#ifndef LS_STORE_DATA_PROBE_H
#define LS_STORE_DATA_PROBE_H

#include "base/status.h"

/* From now on ls_data_probe has this program, called as `PROGRAM --probe-data FILE...`, open the files
 * in a process of its own with limits of time and memory: HDF5 may loop for ever or crash on a header that was made for
 * that, and then the files are refused (LS_INVALID). Lockstep names itself; a library knows of no program, and does
 * without. */
void ls_data_probe_by(const char *program);
/* What that program does then, and nothing else in its process; returns its exit status. */
#define LS_PROBE_WORD "--probe-data"
int ls_data_probe_answer(int count, char *const *paths);

/* Has the program that ls_data_probe_by named try these files; LS_OK where none was named. Errors: what opening
 * them fails with; LS_INVALID, HDF5 does not come through; LS_ERROR, somebody ended that program. Where it cannot be
 * started there is a warning, and LS_OK. */
ls_status ls_data_probe(char *const *paths, int count);

#endif
