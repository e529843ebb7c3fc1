/* memory_groups.c - see memory_groups.h, and https://docs.kernel.org/admin-guide/cgroup-v2.html and
 * .../cgroup-v1/memory.html */
#include "memory_groups.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lockstep/file.h"
#include "lockstep/integers.h"

typedef struct group_files {
    const char *limit, *used;
    const char *idle; /* in memory.stat: pages of files that nobody uses, which count as used and are given back */
} group_files;

static const group_files version_1 = {"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
static const group_files version_2 = {"memory.max", "memory.current", "inactive_file"};

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

static int64_t read_idle(const char *folder, const char *name) {
    char word[64];
    int64_t value, idle = 0;
    FILE *file = open_in(folder, "memory.stat");
    if (file == NULL) return 0;
    while (fscanf(file, "%63s %" SCNd64, word, &value) == 2)
        if (strcmp(word, name) == 0) idle = value;
    (void)fclose(file);
    return idle;
}

static int64_t free_of(const char *folder, const group_files *names) {
    int64_t limit, used;
    if (!read_number(folder, names->limit, &limit) || !read_number(folder, names->used, &used)) return INT64_MAX;
    return ls_max(limit - (used - read_idle(folder, names->idle)), 0);
}

/* Of a group and those above it. Some may not be there: a container's files begin at its own group, whatever path it
 * is told. */
static int64_t least_free(const char *root, const char *group, const group_files *names) {
    char folder[LS_PATH_MAX];
    if (snprintf(folder, sizeof folder, "%s%s", root, group) >= (int)sizeof folder) return INT64_MAX;
    int64_t least = free_of(folder, names);
    for (char *slash; (slash = strrchr(folder + strlen(root), '/')) != NULL;) {
        *slash = '\0';
        least = ls_min(least, free_of(folder, names));
    }
    return least;
}

static bool has_memory(char *controllers) {
    for (char *rest, *name = strtok_r(controllers, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest))
        if (strcmp(name, "memory") == 0) return true;
    return false;
}

int64_t ls_groups_free_bytes(const char *membership, const char *mount) {
    char line[LS_PATH_MAX], root[LS_PATH_MAX];
    int64_t least = INT64_MAX;
    FILE *file = fopen(membership, "r");
    if (file == NULL) return least;
    (void)snprintf(root, sizeof root, "%s/memory", mount);
    while (fgets(line, sizeof line, file) != NULL) { /* "number:controllers:group"; version 2 names no controllers */
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'), *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (group == NULL) continue;
        *group++ = '\0';
        if (controllers[1] == '\0')
            least = ls_min(least, least_free(mount, group, &version_2));
        else if (has_memory(controllers + 1))
            least = ls_min(least, least_free(root, group, &version_1));
    }
    (void)fclose(file);
    return least;
}
