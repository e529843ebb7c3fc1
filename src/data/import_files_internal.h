/* import_files_internal.h - which files are to be imported: folders are searched through by one rank, and all get its
 * list. Private to the room.
 *
 * A file is in the list once, however many links, folders and arguments lead to it (by device and inode). It has the
 * name by which it is found first: arguments in sorted order, real files and folders before what links lead to, both in
 * sorted order. So neither the order of a directory nor the ranks decide. What cannot be used (a link to nowhere, a
 * folder that cannot be read, a pipe) is named, left out and counted. Hidden files and folders are passed over. */
#ifndef LS_DATA_IMPORT_FILES_INTERNAL_H
#define LS_DATA_IMPORT_FILES_INTERNAL_H

#include "base/status.h"
#include "par/comm.h"

/* Plain, so that it can be sent: texts are in one block, and the others say where. */
typedef struct ls_file_entry {
    int64_t path; /* where it begins in the text */
    int32_t name; /* where in the path the part begins that is relative to the folder that was given; 0: none was */
} ls_file_entry;

typedef struct ls_file_list {
    char *text;
    int64_t text_bytes, text_room;
    ls_file_entry *files; /* [count] sorted by path */
    int64_t count, room;
    int64_t *folders; /* [folder_count] in the text: names of the folders right within those given, and of those given
                         that are empty */
    int64_t folder_count, folder_room;
    int64_t skipped, again; /* what was named and left out; further names of files that are in the list */
} ls_file_list;

static inline const char *ls_file_list_path(const ls_file_list *list, int64_t i) {
    return list->text + list->files[i].path;
}

/* Collective; rank 0's arguments count. Errors (agreed): LS_INVALID: an argument that is not there or cannot be read;
 * with `strict` the first that was to be left out; LS_ERROR: the disk, memory. ls_file_list_release in every case. */
ls_status ls_file_list_find(const ls_comm *comm, const char *const *arguments, int count, bool strict,
                            ls_file_list *out);
void ls_file_list_release(ls_file_list *list);

#endif
