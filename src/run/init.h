/* init.h - a first config, written for somebody's data: an autoencoder that trains as it is, with comments. */
#ifndef LS_RUN_INIT_H
#define LS_RUN_INIT_H

#include "par/comm.h"

/* Collective; rank 0 does the work. data: a data set that the config is to fit, or NULL: it is written for pictures of
 * 28 x 28 x 1 under an assumed name. output: a new file, or NULL: the standard output. Errors (agreed): LS_INVALID: the
 * data set cannot be read, or the output is there already; LS_ERROR: it cannot be written. */
ls_status ls_init_run(const ls_comm *comm, const char *data, const char *output);

#endif
