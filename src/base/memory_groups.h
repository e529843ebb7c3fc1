/* memory_groups.h - what Linux control groups leave of the memory. Private to base. Local. */
#ifndef BASE_MEMORY_GROUPS_H
#define BASE_MEMORY_GROUPS_H

#include <stdint.h>

/* The least that any group leaves of those that this process is in, of version 1 or 2, from its own (a batch job's, a
 * container's) up to the root; INT64_MAX where none has a limit. membership: /proc/self/cgroup; mount:
 * /sys/fs/cgroup. */
int64_t ls_groups_free_bytes(const char *membership, const char *mount);

#endif
