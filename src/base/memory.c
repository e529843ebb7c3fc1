/* memory.c - allocation with a message, and how much memory this host has; see memory.h. */
#include "base/memory.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/integers.h"
#include "base/memory_groups_internal.h"

enum { FIRST_ROOM = 16 };

ls_status ls_alloc(void *out_pointer, int64_t count, size_t size, const char *what) {
    assert(count >= 0);
    void *memory = NULL;
    memcpy(out_pointer, &memory, sizeof memory); /* the caller's pointer has any object type */
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return LS_RAISE(LS_ERROR, "cannot allocate %" PRId64 " times %zu bytes for %s", count, size, what);
    if (bytes == 0) bytes = 1;
    if (posix_memalign(&memory, LS_ALIGN_BYTES, bytes) != 0)
        return LS_RAISE(LS_ERROR, "cannot allocate %zu bytes for %s", bytes, what);
    memset(memory, 0, bytes);
    memcpy(out_pointer, &memory, sizeof memory);
    return LS_OK;
}

void ls_free(void *pointer) { free(pointer); }

ls_status ls_grow(void *array_pointer, int64_t *room, int64_t needed, size_t size, const char *what) {
    void *old, *larger;
    if (needed <= *room) return LS_OK;
    int64_t new_room = ls_max(needed, ls_max(2 * *room, FIRST_ROOM));
    LS_TRY(ls_alloc(&larger, new_room, size, what));
    memcpy(&old, array_pointer, sizeof old);
    if (old != NULL) memcpy(larger, old, (size_t)*room * size);
    ls_free(old);
    memcpy(array_pointer, &larger, sizeof larger);
    *room = new_room;
    return LS_OK;
}

int64_t ls_align_bytes(int64_t bytes) { return ls_round_up(bytes, LS_ALIGN_BYTES); }

int64_t ls_align_floats(int64_t floats) { return ls_round_up(floats, LS_ALIGN_BYTES / (int64_t)sizeof(float)); }

/* What a line of /proc/meminfo says; 0 where there is none. */
static int64_t system_bytes(const char *name) {
    int64_t kilobytes = 0;
    size_t length = strlen(name);
    char line[128];
    FILE *file = fopen("/proc/meminfo", "r");
    if (file == NULL) return 0;
    while (kilobytes == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, length) == 0) (void)sscanf(line + length, ": %" SCNd64, &kilobytes);
    (void)fclose(file);
    return kilobytes * 1024;
}

static ls_group_memory own_groups(void) { return ls_groups_memory("/proc/self/cgroup", "/sys/fs/cgroup"); }

int64_t ls_memory_available_bytes(void) { return ls_min(system_bytes("MemAvailable"), own_groups().free_bytes); }

int64_t ls_memory_total_bytes(void) {
    int64_t bytes = system_bytes("MemTotal");
    return ls_min(bytes > 0 ? bytes : INT64_MAX, own_groups().limit_bytes);
}
