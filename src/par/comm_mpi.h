/* comm_mpi.h - MPI itself, for the rooms that talk by it: par, and store, whose writer of data files hands the
 * communicator to parallel HDF5 and sends samples to the ranks that write them. */
#ifndef LS_PAR_COMM_MPI_H
#define LS_PAR_COMM_MPI_H

#include <mpi.h>

#include "par/comm.h"

struct ls_comm_handles {
    MPI_Comm world, host; /* all ranks of the job, and those of this host */
};

/* All ranks of the job, or of a comm without handles this rank alone; after ls_comm_init. Local. */
MPI_Comm ls_comm_mpi(const ls_comm *comm);

#endif
