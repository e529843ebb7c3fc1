/* machine.c - what of the machines the ranks use: the lowest instruction set, and each host's cores shared out. */
#include "train/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cores.h"
#include "base/log.h"
#include "base/threads.h"

/* Collective. Who lowers the others' instruction set is worth knowing: without that host all would be faster. */
static void name_lowest(const ls_comm *comm, ls_isa mine, ls_isa chosen) {
    bool lowest = mine == chosen;
    ls_isa highest = (ls_isa)ls_comm_max(comm, mine);
    int64_t ranks = ls_comm_sum(comm, lowest), first = ls_comm_min(comm, lowest ? comm->rank : comm->size);
    char host[LS_HOST_MAX], others[64] = "";
    memcpy(host, comm->host, sizeof host);
    ls_comm_broadcast(comm, host, sizeof host, (int)first);
    if (highest == chosen) return;
    if (ranks > 1) snprintf(others, sizeof others, " (and %" PRId64 " more)", ranks - 1);
    ls_log_warn("rank %" PRId64 " on %s%s has no more than %s, and others have %s: all compute with %s", first, host,
                others, ls_isa_name(chosen), ls_isa_name(highest), ls_isa_name(chosen));
}

ls_status ls_machine_choose_isa(const ls_comm *comm, ls_isa *isa) {
    ls_isa mine = LS_ISA_PORTABLE;
    LS_TRY(ls_agree(comm, ls_cpu_detect(&mine)));
    *isa = (ls_isa)ls_comm_min(comm, mine);
    name_lowest(comm, mine, *isa);
    ls_cpu_use(*isa);
    return LS_OK;
}

/* What is wanted is obeyed, but not silently where it cannot help. */
int ls_machine_threads(const ls_comm *comm, int64_t wanted) {
    ls_cpus ours = ls_comm_host_cpus(comm), mine = ls_cpus_allowed(), all = ls_cpus_of_machine();
    int processes = comm->host_size;
    int threads = wanted > 0 ? (int)wanted : ls_threads_default(ls_cpus_cores(&ours), processes);
    int allowed = (int)ls_comm_min(comm, ls_cpus_cores(&mine));
    int cores = ls_cpus_cores(&all), fair = cores / processes;
    bool too_few = ls_comm_min(comm, ls_cpus_count(&mine)) < threads || allowed < fair;
    if (allowed < cores && too_few)
        ls_log_warn("a rank is bound to %d of %d cores, fewer than the %d threads it could use; start with 'mpirun "
                    "--bind-to none' or a binding as wide as the threads",
                    allowed, cores, threads > fair ? threads : fair);
    return threads;
}
