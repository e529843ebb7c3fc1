/* launcher.c - the variables that launchers set, in a table; see launcher.h. */
#include "par/launcher.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The innermost first: mpirun and mpiexec start their helpers with srun where there is a Slurm, so that srun's
 * variables are there, too. */
static const struct {
    const char *name, *rank, *size, *local_size;
} launchers[] = {
    {"mpirun of Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE"},
    {"mpirun of MVAPICH", "MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_LOCAL_SIZE"},
    {"jsrun", "JSM_NAMESPACE_RANK", "JSM_NAMESPACE_SIZE", "JSM_NAMESPACE_LOCAL_SIZE"},
    {"mpiexec", "PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS"},
    {"mpiexec", "MPI_LOCALRANKID", "MPI_LOCALNRANKS", NULL},
    {"mpiexec of PALS", "PALS_RANKID", "PALS_NRANKS", NULL},
    {"flux run", "FLUX_TASK_RANK", "FLUX_JOB_SIZE", NULL},
    {"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", NULL},
};
enum { LAUNCHERS = sizeof launchers / sizeof *launchers };

/* A number of the environment; `missing` where it is not there or no number. */
static int number_of(const char *variable, int missing) {
    const char *text = variable != NULL ? getenv(variable) : NULL;
    if (text == NULL || *text == '\0') return missing;
    char *end;
    long value = strtol(text, &end, 10);
    return *end == '\0' && value >= 0 && value <= 1 << 30 ? (int)value : missing;
}

static bool is_srun(int i) { return strcmp(launchers[i].name, "srun") == 0; }

/* `srun --pty bash` starts a shell: what is called there was not started by srun. */
static int size_by(int i) {
    return is_srun(i) && getenv("SLURM_PTY_PORT") != NULL ? 0 : number_of(launchers[i].size, 0);
}

/* A launcher of PMIx that the table does not know says no size. Slurm's PMIx comes with srun's own variables. */
static bool has_unknown_size(void) {
    const char *space = getenv("PMIX_NAMESPACE");
    return space != NULL && strncmp(space, "slurm.", strlen("slurm.")) != 0;
}

/* The variable that says by what the processes can find each other; NULL: nothing. */
static const char *way_to_connect(void) {
    static const char *const signs[] = {"PMIX_RANK", "PMIX_NAMESPACE", "PMI_RANK", "PMI_FD",
                                        "PMI_PORT",  "PMI2_FD",        "PMI_ID",   "PMI_CONTROL_PORT"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (getenv(signs[i]) != NULL) return signs[i];
    return NULL;
}

ls_launcher ls_launcher_find(void) {
    const char *way = way_to_connect();
    ls_launcher found = {.connects = way != NULL};
    bool several = false, unknown = has_unknown_size();
    for (int i = 0; i < LAUNCHERS; i++) {
        int size = size_by(i);
        several = several || size > 1;
        if (size == 0 || found.name != NULL || (unknown && is_srun(i))) continue;
        found.name = launchers[i].name;
        found.said_by = launchers[i].size;
        found.rank = number_of(launchers[i].rank, 0);
        found.size = size;
        found.local_size = number_of(launchers[i].local_size, 0);
    }
    if (found.name == NULL && way != NULL) {
        found.name = "a launcher";
        found.said_by = way;
        found.rank = number_of("PMIX_RANK", number_of("PMI_RANK", 0));
    }
    found.alone = !several && (found.name == NULL || found.size == 1);
    return found;
}
