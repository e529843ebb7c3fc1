/* ranks.c - assertions that all ranks fail together, and pretended hosts; see ranks.h. */
#include "support/ranks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "par/comm_mpi.h"

ls_comm ranks;

void assert_ranks_agree(bool ok, const char *condition, const char *file, int line) {
    if (!ok) fprintf(stderr, "rank %d of %d: not so: %s (%s:%d)\n", ranks.rank, ranks.size, condition, file, line);
    if (!ls_comm_min(&ranks, ok)) _fail(file, line);
}

ls_comm on_hosts(int host) {
    ls_comm comm = ranks;
    if (ranks.handles == NULL) return comm;
    comm.handles = malloc(sizeof *comm.handles);
    assert_non_null(comm.handles);
    comm.handles->world = ranks.handles->world;
    MPI_Comm_split(ranks.handles->host, host, 0, &comm.handles->host);
    MPI_Comm_rank(comm.handles->host, &comm.host_rank);
    MPI_Comm_size(comm.handles->host, &comm.host_size);
    return comm;
}

void free_hosts(ls_comm *comm) {
    if (comm->handles == NULL) return;
    MPI_Comm_free(&comm->handles->host);
    free(comm->handles);
}

int run_on_ranks(int argc, char **argv, const char *name, const struct CMUnitTest *tests, size_t count) {
    if (ls_comm_init(&ranks, &argc, &argv) != LS_OK) return 1;
    int failed = _cmocka_run_group_tests(name, tests, count, NULL, NULL);
    ls_comm_finalize(&ranks);
    return failed != 0;
}
