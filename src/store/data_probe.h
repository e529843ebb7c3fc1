/* data_probe.h - tries data files in another process before they are opened. On a damaged or malicious header HDF5 may
 * loop for ever, allocate all memory, or crash; then only that process ends. Local. */
#ifndef LS_STORE_DATA_PROBE_H
#define LS_STORE_DATA_PROBE_H

#include "base/status.h"

/* Sets the program that tries files, as `PROGRAM --probe-data FILE...`, with limits of time and memory. Lockstep names
 * itself. Without this call, as in another program that uses the library, files are opened without a trial. */
void ls_data_probe_by(const char *program);
/* The main function of that process; returns its exit status. */
#define LS_PROBE_WORD "--probe-data"
int ls_data_probe_answer(int count, char *const *paths);

/* Tries these files; LS_OK if no program was named. Errors: as opening them; LS_INVALID: HDF5 crashes, or uses too much
 * time or memory; LS_ERROR: somebody else ended the process. If it cannot be started, that is a warning and LS_OK. */
ls_status ls_data_probe(char *const *paths, int count);

#endif
