/* What the environments of launchers say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "par/launcher.h"

/* What several launchers leave in the environment; "NAME=VALUE" each, ended by NULL. */
typedef const char *const environment[12];

static ls_launcher launcher_of(const char *const *variables) {
    clearenv();
    for (; *variables != NULL; variables++) {
        char text[128];
        strcpy(text, *variables);
        char *equals = strchr(text, '=');
        *equals = '\0';
        setenv(text, equals + 1, 1);
    }
    return ls_launcher_find();
}

static void test_a_process_alone(void **state) {
    (void)state;
    static environment cases[] = {
        {NULL},
        /* The shell of sbatch and of salloc: it has tasks to start, and none was started. */
        {"SLURM_JOB_ID=7", "SLURM_NTASKS=8", "SLURM_PROCID=0", "SLURM_LOCALID=0", NULL},
        {"SLURM_JOB_ID=7", "SLURM_NTASKS=8", "SLURM_STEP_ID=4294967290", "SLURM_STEP_NUM_TASKS=1", NULL},
        /* srun --ntasks=4 --pty bash */
        {"SLURM_NTASKS=4", "SLURM_STEP_NUM_TASKS=4", "SLURM_PROCID=0", "SLURM_PTY_PORT=4000", NULL},
        {"SLURM_STEP_NUM_TASKS=1", "SLURM_PROCID=0", "PMIX_RANK=0", "PMIX_NAMESPACE=slurm.pmix.1.0", NULL},
        {"OMPI_COMM_WORLD_SIZE=1", "OMPI_COMM_WORLD_RANK=0", "PMIX_RANK=0", "PMIX_NAMESPACE=123", NULL},
        {"PMI_RANK=0", "PMI_SIZE=1", "PMI_FD=5", NULL},
        {"PBS_NP=8", "LSB_DJOB_NUMPROC=8", "NSLOTS=8", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_launcher found = launcher_of(cases[i]);
        assert_true(found.alone);
        assert_int_equal(found.rank, 0);
        assert_true(found.size <= 1);
    }
}

typedef struct expected {
    environment variables;
    const char *name;
    int rank, size, local_size;
} expected;

static void test_the_innermost_launcher(void **state) {
    (void)state;
    static const expected cases[] = {
        {{"OMPI_COMM_WORLD_SIZE=3", "OMPI_COMM_WORLD_RANK=2", "OMPI_COMM_WORLD_LOCAL_SIZE=2", "PMIX_RANK=2",
          "PMIX_NAMESPACE=99", NULL},
         "mpirun of Open MPI",
         2,
         3,
         2},
        /* Its daemons were started by srun, one a node. */
        {{"OMPI_COMM_WORLD_SIZE=8", "OMPI_COMM_WORLD_RANK=5", "SLURM_STEP_NUM_TASKS=2", "SLURM_PROCID=1", NULL},
         "mpirun of Open MPI",
         5,
         8,
         0},
        {{"PMI_RANK=3", "PMI_SIZE=4", "MPI_LOCALNRANKS=4", "SLURM_STEP_NUM_TASKS=1", "SLURM_PROCID=0", NULL},
         "mpiexec",
         3,
         4,
         4},
        {{"MPI_LOCALNRANKS=4", "MPI_LOCALRANKID=2", NULL}, "mpiexec", 2, 4, 0},
        {{"SLURM_STEP_NUM_TASKS=3", "SLURM_NTASKS=3", "SLURM_PROCID=1", NULL}, "srun", 1, 3, 0},
        {{"SLURM_STEP_NUM_TASKS=2", "SLURM_PROCID=1", "PMIX_RANK=1", "PMIX_NAMESPACE=slurm.pmix.4.0", NULL},
         "srun",
         1,
         2,
         0},
        /* One that says no size, in a step of srun: MPI has to say it. */
        {{"PMIX_RANK=1", "PMIX_NAMESPACE=prterun-7", "SLURM_STEP_NUM_TASKS=1", "SLURM_PROCID=0", NULL},
         "a launcher",
         1,
         0,
         0},
        {{"FLUX_TASK_RANK=2", "FLUX_JOB_SIZE=4", "SLURM_STEP_NUM_TASKS=2", "SLURM_PROCID=1", NULL},
         "flux run",
         2,
         4,
         0},
        {{"PALS_RANKID=1", "PALS_NRANKS=2", NULL}, "mpiexec of PALS", 1, 2, 0},
        {{"PMI_FD=5", "PMI_RANK=2", NULL}, "a launcher", 2, 0, 0},
        /* mpirun of one process, and in it srun of four. */
        {{"OMPI_COMM_WORLD_SIZE=1", "OMPI_COMM_WORLD_RANK=0", "SLURM_STEP_NUM_TASKS=4", "SLURM_PROCID=3", NULL},
         "mpirun of Open MPI",
         0,
         1,
         0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_launcher found = launcher_of(cases[i].variables);
        assert_string_equal(found.name, cases[i].name);
        assert_int_equal(found.rank, cases[i].rank);
        assert_int_equal(found.size, cases[i].size);
        assert_int_equal(found.local_size, cases[i].local_size);
        assert_false(found.alone);
        assert_non_null(found.said_by);
    }
}

static void test_a_way_to_connect(void **state) {
    (void)state;
    assert_false(launcher_of((environment){"SLURM_STEP_NUM_TASKS=3", "SLURM_PROCID=1", NULL}).connects);
    assert_true(launcher_of((environment){"SLURM_STEP_NUM_TASKS=3", "PMIX_RANK=1", NULL}).connects);
    assert_true(launcher_of((environment){"SLURM_STEP_NUM_TASKS=3", "PMI_FD=4", NULL}).connects);
}

static void test_what_is_no_number_says_nothing(void **state) {
    (void)state;
    static const char *const texts[] = {"", "x", "-3", "3x", "99999999999999999999", "0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char size[64];
        strcpy(size, "PMI_SIZE=");
        strcat(size, texts[i]);
        ls_launcher found = launcher_of((environment){size, NULL});
        assert_null(found.name);
        assert_true(found.alone);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_process_alone),
        cmocka_unit_test(test_the_innermost_launcher),
        cmocka_unit_test(test_a_way_to_connect),
        cmocka_unit_test(test_what_is_no_number_says_nothing),
    };
    return cmocka_run_group_tests_name("launcher", tests, NULL, NULL);
}
