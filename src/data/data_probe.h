/* data_probe.h - data files are tried by another process first: HDF5 may loop for ever, ask for all memory or crash
 * where a file's header was made for that. Private to the room. Local. */
#ifndef LS_DATA_PROBE_H
#define LS_DATA_PROBE_H

#include "lockstep/status.h"

/* Has the program that ls_dataset_set_prober named try these files; LS_OK where none was named. Errors: what opening
 * them fails with; LS_INVALID, HDF5 does not come through; LS_ERROR, somebody ended that program. Where it cannot be
 * started there is a warning, and LS_OK. */
ls_status ls_data_probe(char *const *paths, int count);

#endif
