/* launcher.h - what started this process, as its environment tells. It is known before MPI is started, and also where
 * MPI knows nothing of the launcher. Local. */
#ifndef LS_PAR_LAUNCHER_H
#define LS_PAR_LAUNCHER_H

#include <stdbool.h>

typedef struct ls_launcher {
    const char *name;    /* "srun"; NULL: none, the process was started by itself */
    const char *said_by; /* the variable of the environment that says the size, or that there is a launcher */
    int rank;            /* of this process; 0 where the launcher does not say it */
    int size;            /* how many processes it started, all together; 0: it does not say */
    int local_size;      /* how many of them on this host; 0: it does not say */
    bool alone;          /* no launcher, outer ones included, has started a second process: MPI is not needed */
    bool connects;       /* it offers a way by which the processes can find each other (PMI or PMIx) */
} ls_launcher;

/* The innermost launcher: mpirun in a step of srun is mpirun. The variables that a batch script or an interactive shell
 * of a queue has do not count as a launcher. */
ls_launcher ls_launcher_find(void);

#endif
