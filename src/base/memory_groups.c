/* memory_groups.c - the limits of control groups, from the files that both versions of them have; see
 * memory_groups_internal.h, https://docs.kernel.org/admin-guide/cgroup-v2.html and .../cgroup-v1/memory.html. */
#include "base/memory_groups_internal.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/integers.h"

typedef struct group_files {
    const char *limit, *used;
    const char *cached[2]; /* in memory.stat: pages of files, which count as used and are given back when needed */
} group_files;

static const group_files version_1 = {
    "memory.limit_in_bytes", "memory.usage_in_bytes", {"total_inactive_file", "total_active_file"}};
static const group_files version_2 = {"memory.max", "memory.current", {"inactive_file", "active_file"}};

static FILE *open_in(const char *folder, const char *name) {
    char path[LS_PATH_MAX];
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path ? fopen(path, "r") : NULL;
}

/* "max" is no number. */
static bool read_number(const char *folder, const char *name, int64_t *value) {
    FILE *file = open_in(folder, name);
    if (file == NULL) return false;
    bool known = fscanf(file, "%" SCNd64, value) == 1;
    (void)fclose(file);
    return known;
}

static int64_t read_cached(const char *folder, const group_files *names) {
    char word[64];
    int64_t value, bytes = 0;
    FILE *file = open_in(folder, "memory.stat");
    if (file == NULL) return 0;
    while (fscanf(file, "%63s %" SCNd64, word, &value) == 2)
        if (strcmp(word, names->cached[0]) == 0 || strcmp(word, names->cached[1]) == 0) bytes += value;
    (void)fclose(file);
    return bytes;
}

static ls_group_memory memory_of(const char *folder, const group_files *names) {
    ls_group_memory memory = {INT64_MAX, INT64_MAX};
    int64_t used;
    if (!read_number(folder, names->limit, &memory.limit_bytes)) return memory;
    if (read_number(folder, names->used, &used))
        memory.free_bytes = ls_max(memory.limit_bytes - ls_max(used - read_cached(folder, names), 0), 0);
    return memory;
}

static void take_least(ls_group_memory *least, ls_group_memory other) {
    least->limit_bytes = ls_min(least->limit_bytes, other.limit_bytes);
    least->free_bytes = ls_min(least->free_bytes, other.free_bytes);
}

/* Of a group and those above it. Some may not be there: a container's files begin at its own group, whatever path it
 * is told. */
static void take_groups(ls_group_memory *least, const char *root, const char *group, const group_files *names) {
    char folder[LS_PATH_MAX];
    if (snprintf(folder, sizeof folder, "%s%s", root, group) >= (int)sizeof folder) return;
    take_least(least, memory_of(folder, names));
    for (char *slash; (slash = strrchr(folder + strlen(root), '/')) != NULL;) {
        *slash = '\0';
        take_least(least, memory_of(folder, names));
    }
}

static bool has_memory(char *controllers) {
    for (char *rest, *name = strtok_r(controllers, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest))
        if (strcmp(name, "memory") == 0) return true;
    return false;
}

ls_group_memory ls_groups_memory(const char *membership, const char *mount) {
    char line[LS_PATH_MAX], root[LS_PATH_MAX];
    ls_group_memory least = {INT64_MAX, INT64_MAX};
    FILE *file = fopen(membership, "r");
    if (file == NULL) return least;
    (void)snprintf(root, sizeof root, "%s/memory", mount);
    while (fgets(line, sizeof line, file) != NULL) { /* "number:controllers:group"; version 2 names no controllers */
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'), *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (group == NULL) continue;
        *group++ = '\0';
        if (controllers[1] == '\0')
            take_groups(&least, mount, group, &version_2);
        else if (has_memory(controllers + 1))
            take_groups(&least, root, group, &version_1);
    }
    (void)fclose(file);
    return least;
}
