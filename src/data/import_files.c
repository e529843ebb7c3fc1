/* import_files.c - finds the files to import: searches folders from a stack of its own, follows links after everything
 * else, and takes each file once, by its device and inode. Rank 0 does it and sends the list to all ranks. */
#define _GNU_SOURCE /* asprintf */
#include "data/import_files_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

/* A path to look at. */
typedef struct place {
    char *path;   /* owned */
    int32_t name; /* as in ls_file_entry */
    bool given;   /* it is from the command line, and must exist */
} place;

typedef struct places {
    place *at;
    int64_t count, room;
} places;

typedef struct identity {
    dev_t device;
    ino_t inode;
    bool used;
} identity;

typedef struct search {
    ls_file_list *list;
    bool strict;
    places stack, links; /* folders to read, the next one last; links to follow later */
    identity *seen;      /* a hash table of the files and folders so far; seen_room is a power of two */
    int64_t seen_count, seen_room;
    double shown_s;
} search;

/* --- what is left out --- */

/* A path for a message, with the middle of a long one left out. Only rank 0's main thread calls this. */
static const char *shown(const char *path) {
    enum { PART_MAX = 100 };
    static char text[2 * PART_MAX + 8];
    size_t length = strlen(path);
    if (length < sizeof text) return path;
    snprintf(text, sizeof text, "%.*s ... %s", PART_MAX, path, path + length - PART_MAX);
    return text;
}

static ls_status skip(search *s, const place *p, const char *why) {
    if (s->strict || p->given) return LS_RAISE(LS_INVALID, "%s: %s", shown(p->path), why);
    s->list->skipped++;
    ls_log_warn("%s: %s: skipped", shown(p->path), why);
    return LS_OK;
}

/* A path that is missing or not readable for us is skipped; any other failure is not the fault of the data. */
static ls_status skip_or_fail(search *s, const place *p, const char *what) {
    char why[256];
    int reason = errno;
    bool skipped = ls_fault_of(reason) == LS_INVALID;
    if (!skipped) return LS_RAISE(LS_ERROR, "%s: %s: %s", shown(p->path), what, strerror(reason));
    snprintf(why, sizeof why, "%s: %s", what, strerror(reason));
    return skip(s, p, why);
}

/* --- what was seen --- */

static identity *find_identity(identity *table, int64_t room, const struct stat *about) {
    uint64_t at = ((uint64_t)about->st_ino * 0x9E3779B97F4A7C15U) ^ (uint64_t)about->st_dev;
    at ^= at >> 32;
    for (;; at++) {
        identity *found = &table[at & (uint64_t)(room - 1)];
        if (!found->used || (found->device == about->st_dev && found->inode == about->st_ino)) return found;
    }
}

static ls_status grow_seen(search *s) {
    int64_t room = s->seen_room > 0 ? 2 * s->seen_room : 1024;
    identity *table;
    LS_TRY(ls_alloc(&table, room, sizeof *table, "a list of files"));
    for (int64_t i = 0; i < s->seen_room; i++) {
        struct stat about = {.st_dev = s->seen[i].device, .st_ino = s->seen[i].inode};
        if (s->seen[i].used) *find_identity(table, room, &about) = s->seen[i];
    }
    ls_free(s->seen);
    s->seen = table;
    s->seen_room = room;
    return LS_OK;
}

/* *is_new: it was not seen before. A file system without inodes gives all files the inode 0. */
static ls_status remember(search *s, const struct stat *about, bool *is_new) {
    *is_new = true;
    if (about->st_ino == 0) return LS_OK;
    if (2 * (s->seen_count + 1) > s->seen_room) LS_TRY(grow_seen(s));
    identity *found = find_identity(s->seen, s->seen_room, about);
    *is_new = !found->used;
    s->seen_count += *is_new;
    *found = (identity){about->st_dev, about->st_ino, true};
    return LS_OK;
}

/* --- lists --- */

static ls_status add_text(ls_file_list *list, const char *text, int64_t *at) {
    int64_t bytes = (int64_t)strlen(text) + 1;
    LS_TRY(ls_grow(&list->text, &list->text_room, list->text_bytes + bytes, 1, "a list of files"));
    memcpy(list->text + list->text_bytes, text, (size_t)bytes);
    *at = list->text_bytes;
    list->text_bytes += bytes;
    return LS_OK;
}

/* A search may take minutes: it logs its progress every ten seconds. */
static void show_progress(search *s) {
    enum { LINE_S = 10 };
    double now_s = ls_clock_s();
    if (now_s - s->shown_s < LINE_S) return;
    s->shown_s = now_s;
    ls_log_info("looking: %lld files", (long long)s->list->count);
}

static ls_status add_file(search *s, const place *p, const struct stat *about) {
    ls_file_list *list = s->list;
    bool is_new;
    LS_TRY(remember(s, about, &is_new));
    list->again += !is_new;
    if (!is_new) return LS_OK;
    LS_TRY(ls_grow(&list->files, &list->room, list->count + 1, sizeof *list->files, "a list of files"));
    ls_file_entry *entry = &list->files[list->count];
    LS_TRY(add_text(list, p->path, &entry->path));
    entry->name = p->name;
    if (++list->count % 1000 == 0) show_progress(s);
    return LS_OK;
}

static ls_status add_name_of_folder(search *s, const char *name) {
    ls_file_list *list = s->list;
    LS_TRY(ls_grow(&list->folders, &list->folder_room, list->folder_count + 1, sizeof *list->folders, "folders"));
    return add_text(list, name, &list->folders[list->folder_count++]);
}

static ls_status add_place(places *list, place p) {
    ls_status status = ls_grow(&list->at, &list->room, list->count + 1, sizeof *list->at, "a list of folders");
    if (status == LS_OK)
        list->at[list->count++] = p;
    else
        free(p.path);
    return status;
}

static void release_places(places *list) {
    for (int64_t i = 0; i < list->count; i++) free(list->at[i].path);
    ls_free(list->at);
    *list = (places){0};
}

static int by_place(const void *a, const void *b) { return strcmp(((const place *)a)->path, ((const place *)b)->path); }

static void sort_places(place *at, int64_t count) {
    if (count > 1) qsort(at, (size_t)count, sizeof *at, by_place);
}

/* --- folders: they may be nested deeply, so they are on a stack of our own --- */

static ls_status add_entry(const place *folder, const char *name, places *out) {
    place p = {.name = folder->name};
    if (asprintf(&p.path, "%s%s%s", folder->path, strcmp(folder->path, "/") == 0 ? "" : "/", name) < 0)
        return LS_RAISE(LS_ERROR, "no memory for a list of files");
    return add_place(out, p);
}

static ls_status read_names(search *s, const place *folder, places *out) {
    DIR *directory = opendir(folder->path);
    if (directory == NULL) return skip_or_fail(s, folder, "the folder cannot be read");
    ls_status status = LS_OK;
    struct dirent *entry;
    for (errno = 0; status == LS_OK && (entry = readdir(directory)) != NULL; errno = 0)
        if (entry->d_name[0] != '.')
            status = add_entry(folder, entry->d_name, out); /* hidden files, "." and ".." begin with a dot */
    if (status == LS_OK && errno != 0)
        status = LS_RAISE(LS_ERROR, "%s: the folder cannot be read: %s", shown(folder->path), strerror(errno));
    closedir(directory);
    return status;
}

/* Takes ownership of p. A file goes into the list, a folder onto the stack. */
static ls_status sort_in(search *s, place p, const struct stat *about) {
    ls_status status = LS_OK;
    if (S_ISDIR(about->st_mode)) return add_place(&s->stack, p);
    if (S_ISREG(about->st_mode))
        status = add_file(s, &p, about);
    else
        status = skip(s, &p, "is a pipe or a device, not a file");
    free(p.path);
    return status;
}

/* Takes ownership of p. Links wait until all files and folders were seen. */
static ls_status look_at(search *s, place p) {
    struct stat about;
    if (strlen(p.path) >= LS_PATH_MAX) errno = ENAMETOOLONG;
    if (strlen(p.path) < LS_PATH_MAX && lstat(p.path, &about) == 0)
        return S_ISLNK(about.st_mode) ? add_place(&s->links, p) : sort_in(s, p, &about);
    ls_status status = skip_or_fail(s, &p, "cannot be opened");
    free(p.path);
    return status;
}

/* Whether a folder lies directly in a folder of the command line. */
static bool is_right_within(const place *p) {
    return p->name > 0 && (size_t)p->name < strlen(p->path) && strchr(p->path + p->name, '/') == NULL;
}

static ls_status read_folder(search *s, const place *folder) {
    struct stat about;
    bool is_new;
    if (stat(folder->path, &about) != 0) return skip_or_fail(s, folder, "the folder cannot be read");
    LS_TRY(remember(s, &about, &is_new));
    if (!is_new) return LS_OK;
    places inside = {0};
    int64_t skipped = s->list->skipped, above = s->stack.count;
    ls_status status = read_names(s, folder, &inside);
    if (status == LS_OK && is_right_within(folder) && s->list->skipped == skipped)
        status = add_name_of_folder(s, folder->path + folder->name);
    if (status == LS_OK && folder->given && inside.count == 0)
        status =
            add_name_of_folder(s, strrchr(folder->path, '/') != NULL ? strrchr(folder->path, '/') + 1 : folder->path);
    sort_places(inside.at, inside.count);
    for (int64_t i = 0; i < inside.count && status == LS_OK; i++) {
        status = look_at(s, inside.at[i]);
        inside.at[i].path = NULL;
    }
    release_places(&inside);
    for (int64_t a = above, b = s->stack.count - 1; a < b; a++, b--) { /* so that the first one is read next */
        place swapped = s->stack.at[a];
        s->stack.at[a] = s->stack.at[b];
        s->stack.at[b] = swapped;
    }
    return status;
}

static ls_status read_folders(search *s) {
    ls_status status = LS_OK;
    while (status == LS_OK && s->stack.count > 0) {
        place folder = s->stack.at[--s->stack.count];
        status = read_folder(s, &folder);
        free(folder.path);
    }
    return status;
}

/* Links may lead to folders with more links: one generation after another, each in sorted order. */
static ls_status follow_links(search *s) {
    ls_status status = LS_OK;
    while (status == LS_OK && s->links.count > 0) {
        places links = s->links;
        s->links = (places){0};
        sort_places(links.at, links.count);
        for (int64_t i = 0; i < links.count && status == LS_OK; i++) {
            struct stat about;
            if (stat(links.at[i].path, &about) != 0) {
                status = skip_or_fail(s, &links.at[i],
                                      errno == ENOENT ? "the link leads nowhere" : "the link cannot be followed");
                continue;
            }
            status = sort_in(s, links.at[i], &about);
            links.at[i].path = NULL;
            if (status == LS_OK) status = read_folders(s);
        }
        release_places(&links);
    }
    return status;
}

/* --- arguments --- */

/* Adds a copy without slashes at its end. A link on the command line is followed at once. */
static ls_status add_argument(search *s, const char *argument) {
    place p = {.path = strdup(argument), .given = true};
    if (p.path == NULL) return LS_RAISE(LS_ERROR, "no memory for a list of files");
    size_t length = strlen(p.path);
    while (length > 1 && p.path[length - 1] == '/') p.path[--length] = '\0';
    return add_place(&s->links, p);
}

static ls_status look_at_arguments(search *s) {
    places given = s->links;
    s->links = (places){0};
    sort_places(given.at, given.count);
    ls_status status = LS_OK;
    for (int64_t i = 0; i < given.count && status == LS_OK; i++) {
        struct stat about;
        place *p = &given.at[i];
        if (stat(p->path, &about) != 0) {
            status = LS_RAISE(LS_INVALID, "%s: %s", p->path, strerror(errno));
            continue;
        }
        if (S_ISDIR(about.st_mode)) p->name = (int32_t)strlen(p->path) + (strcmp(p->path, "/") == 0 ? 0 : 1);
        status = sort_in(s, *p, &about);
        p->path = NULL;
        if (status == LS_OK) status = read_folders(s);
    }
    release_places(&given);
    return status;
}

static const char *sort_text;

static int by_path(const void *a, const void *b) {
    return strcmp(sort_text + ((const ls_file_entry *)a)->path, sort_text + ((const ls_file_entry *)b)->path);
}

/* Local; only rank 0's main thread calls this. */
static ls_status find_all(search *s, const char *const *arguments, int count) {
    for (int i = 0; i < count; i++) LS_TRY(add_argument(s, arguments[i]));
    LS_TRY(look_at_arguments(s));
    LS_TRY(follow_links(s));
    sort_text = s->list->text;
    if (s->list->count > 1) qsort(s->list->files, (size_t)s->list->count, sizeof *s->list->files, by_path);
    if (s->list->again > 0)
        ls_log_info("left out: %lld more names (links) of files that are imported once", (long long)s->list->again);
    return LS_OK;
}

static ls_status find_here(const char *const *arguments, int count, bool strict, ls_file_list *out) {
    search s = {.list = out, .strict = strict, .shown_s = ls_clock_s()};
    ls_status status = find_all(&s, arguments, count);
    release_places(&s.stack);
    release_places(&s.links);
    ls_free(s.seen);
    return status;
}

/* --- the same list on all ranks --- */

static ls_status make_room(const ls_file_list *shape, ls_file_list *out) {
    *out = *shape;
    out->text = NULL;
    out->files = NULL;
    out->folders = NULL;
    LS_TRY(ls_alloc(&out->text, shape->text_bytes, 1, "a list of files"));
    LS_TRY(ls_alloc(&out->files, shape->count, sizeof *out->files, "a list of files"));
    return ls_alloc(&out->folders, shape->folder_count, sizeof *out->folders, "a list of files");
}

ls_status ls_file_list_find(const ls_comm *comm, const char *const *arguments, int count, bool strict,
                            ls_file_list *out) {
    *out = (ls_file_list){0};
    LS_TRY(ls_agree(comm, comm->rank == 0 ? find_here(arguments, count, strict, out) : LS_OK));
    ls_file_list shape = *out;
    ls_comm_broadcast(comm, &shape, sizeof shape, 0);
    LS_TRY(ls_agree(comm, comm->rank == 0 ? LS_OK : make_room(&shape, out)));
    ls_comm_broadcast(comm, out->text, out->text_bytes, 0);
    ls_comm_broadcast(comm, out->files, out->count * (int64_t)sizeof *out->files, 0);
    ls_comm_broadcast(comm, out->folders, out->folder_count * (int64_t)sizeof *out->folders, 0);
    return LS_OK;
}

void ls_file_list_release(ls_file_list *list) {
    ls_free(list->text);
    ls_free(list->files);
    ls_free(list->folders);
    *list = (ls_file_list){0};
}
