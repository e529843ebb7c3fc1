/* cores.h - the processors that a process may run on, and the cores that they belong to.
 *
 * The system counts hardware threads, of which a core may have several ("hyperthreads"). Kernels that keep a core's
 * units busy gain nothing from a second one, so threads are counted by cores. Local. */
#ifndef LS_BASE_CORES_H
#define LS_BASE_CORES_H

#include <stdint.h>

enum { LS_CPUS_MAX = 1024 };

/* A set of hardware threads, by the system's numbers. Plain data: the union of two sets is their bitwise or. */
typedef struct ls_cpus {
    uint64_t word[LS_CPUS_MAX / 64];
} ls_cpus;

ls_cpus ls_cpus_allowed(void);    /* those that this process may run on */
ls_cpus ls_cpus_of_machine(void); /* all that are online */
void ls_cpus_add(ls_cpus *cpus, int cpu);

int ls_cpus_count(const ls_cpus *cpus); /* hardware threads */
/* The cores that they belong to; each hardware thread counts as one where the system does not say. */
int ls_cpus_cores(const ls_cpus *cpus);
/* The same by what `folder` says in place of /sys/devices/system/cpu. */
int ls_cpus_cores_in(const ls_cpus *cpus, const char *folder);

#endif
