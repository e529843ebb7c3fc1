/* memory_groups_internal.h - what Linux control groups leave of the memory. Private to base. Local. */
#ifndef LS_BASE_MEMORY_GROUPS_INTERNAL_H
#define LS_BASE_MEMORY_GROUPS_INTERNAL_H

#include <stdint.h>

typedef struct ls_group_memory {
    int64_t limit_bytes; /* the lowest limit; INT64_MAX: there is none */
    int64_t free_bytes;  /* what is left of the tightest one, where pages of files count as free */
} ls_group_memory;

/* Of all groups that this process is in, of version 1 or 2, from its own (a batch job's, a container's) up to the root.
 * membership: /proc/self/cgroup; mount: /sys/fs/cgroup. */
ls_group_memory ls_groups_memory(const char *membership, const char *mount);

#endif
