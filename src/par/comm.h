/* comm.h - the door to MPI, and how ranks agree.
 *
 * Only the main thread may call what is Collective or Global here. MPI's own errors end the job with LS_LOST (there is
 * nothing to mend in mid-collective). A process that no launcher started (launcher.h) is one rank, and does not start
 * MPI at all. One rank makes no MPI call between init and finalize: a comm of {.size = 1, .host_size = 1} serves
 * without either (unit tests).
 *
 * LOCKSTEP_RANKS_A_HOST in the environment makes so many consecutive ranks count as the ranks of one host, so that a
 * machine can stand for several (tests). */
#ifndef LS_PAR_COMM_H
#define LS_PAR_COMM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cores.h"
#include "base/status.h"

enum { LS_HOST_MAX = 64 };

typedef struct ls_comm {
    int rank, size;           /* of the job */
    int host_rank, host_size; /* among the ranks of this host */
    char host[LS_HOST_MAX];
    struct ls_comm_handles *handles; /* MPI's own (comm_mpi.h) */
} ls_comm;

/* Collective. Starts MPI where a launcher has started several processes. On one host it does not look for networks,
 * unless OMPI_MCA_pml is set in the environment. Errors: LS_INVALID, MPI has been started before, or the launcher
 * started several processes and MPI knows only of this one (not agreed, each process has it); LS_ERROR. */
ls_status ls_comm_init(ls_comm *comm, int *argc, char ***argv);
/* Collective. Ends MPI; does nothing where it was not started. */
void ls_comm_finalize(ls_comm *comm);
/* Collective over the ranks of a host: the lowest of them. */
int ls_comm_host_leader(const ls_comm *comm);
/* Collective over the ranks of a host: the processors that they may run on, all together. */
ls_cpus ls_comm_host_cpus(const ls_comm *comm);
/* Local. Ends the whole job at once with this exit code (1..255). */
void ls_comm_abort(const ls_comm *comm, int code) __attribute__((noreturn));

/* Collective. Makes a failure of any rank a failure of all: returns LS_OK if every rank passes LS_OK, else every rank
 * returns the status and holds the failure record of the lowest rank that failed ("rank 2 on node7: ..." unless that is
 * rank 0). Call it where work of one kind ends: at the start, after reading data, when a checkpoint is made. */
ls_status ls_agree(const ls_comm *comm, ls_status status);

/* Collective; counts and root must agree. */
void ls_comm_barrier(const ls_comm *comm);
void ls_comm_broadcast(const ls_comm *comm, void *data, int64_t bytes, int root);
/* all[size][bytes] <- every rank's mine[bytes]. */
void ls_comm_gather_all(const ls_comm *comm, const void *mine, int64_t bytes, void *all);
/* Rank 0's out <- the ranks' parts in rank order; each says how long its own is (it may be 0). out must hold them all;
 * on the other ranks it is not used. On rank 0 mine may be out itself. */
void ls_comm_collect(const ls_comm *comm, const void *mine, int64_t bytes, void *out);
int64_t ls_comm_min(const ls_comm *comm, int64_t value);
int64_t ls_comm_max(const ls_comm *comm, int64_t value);
int64_t ls_comm_sum(const ls_comm *comm, int64_t value);
double ls_comm_max_double(const ls_comm *comm, double value);

/* Zeroed memory that all ranks of a host share; a page is placed near the core that touches it first. Neither a file
 * nor limited by /dev/shm. Collective over the host; bytes (> 0) must agree. Errors (agreed over the host): LS_ERROR,
 * no memory or the ranks may not see each other's /proc entries: use private memory instead. */
typedef struct ls_shared {
    void *data;
    int64_t bytes;
} ls_shared;
ls_status ls_shared_create(const ls_comm *comm, int64_t bytes, ls_shared *out);
void ls_shared_release(ls_shared *shared); /* Local: this rank's view; nothing where it is empty */

#endif
