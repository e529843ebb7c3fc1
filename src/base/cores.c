/* cores.c - the processors of this process by the system's mask, and their cores by sysfs; see cores.h. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/cores.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static bool has(const ls_cpus *cpus, int cpu) { return cpus->word[cpu / 64] >> (cpu % 64) & 1; }

void ls_cpus_add(ls_cpus *cpus, int cpu) { cpus->word[cpu / 64] |= UINT64_C(1) << (cpu % 64); }

ls_cpus ls_cpus_of_machine(void) {
    ls_cpus all = {0};
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    for (int cpu = 0; cpu < LS_CPUS_MAX && (cpu < online || cpu == 0); cpu++) ls_cpus_add(&all, cpu);
    return all;
}

ls_cpus ls_cpus_allowed(void) {
    cpu_set_t set;
    ls_cpus allowed = {0};
    /* It fails where the machine has more than a set holds. */
    if (sched_getaffinity(0, sizeof set, &set) != 0) return ls_cpus_of_machine();
    for (int cpu = 0; cpu < LS_CPUS_MAX && cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET((size_t)cpu, &set)) ls_cpus_add(&allowed, cpu);
    return allowed;
}

int ls_cpus_count(const ls_cpus *cpus) {
    int count = 0;
    for (int cpu = 0; cpu < LS_CPUS_MAX; cpu++) count += has(cpus, cpu);
    return count;
}

/* The first hardware thread of its core, which stands for the core; itself where that is not said. */
static int first_sibling(const char *folder, int cpu) {
    char path[256];
    int first = cpu;
    snprintf(path, sizeof path, "%s/cpu%d/topology/thread_siblings_list", folder, cpu);
    FILE *file = fopen(path, "re");
    if (file == NULL) return cpu;
    if (fscanf(file, "%d", &first) != 1 || first < 0 || first >= LS_CPUS_MAX) first = cpu;
    (void)fclose(file);
    return first;
}

int ls_cpus_cores_in(const ls_cpus *cpus, const char *folder) {
    ls_cpus cores = {0};
    for (int cpu = 0; cpu < LS_CPUS_MAX; cpu++)
        if (has(cpus, cpu)) ls_cpus_add(&cores, first_sibling(folder, cpu));
    return ls_cpus_count(&cores);
}

int ls_cpus_cores(const ls_cpus *cpus) { return ls_cpus_cores_in(cpus, "/sys/devices/system/cpu"); }
