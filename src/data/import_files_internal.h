/* import_files_internal.h - finds the files to import. One rank searches the folders, and all ranks get its list.
 *
 * A file is in the list once, however many links, folders and arguments lead to it (by device and inode). Its name is
 * the one by which it is found first: arguments in sorted order; files and folders before the targets of links, both in
 * sorted order. So neither the order of a directory nor the ranks decide. What cannot be used (a broken link, a folder
 * that cannot be read, a pipe) is named, skipped and counted. Hidden files and folders are ignored. */
#ifndef LS_DATA_IMPORT_FILES_INTERNAL_H
#define LS_DATA_IMPORT_FILES_INTERNAL_H

#include "base/status.h"
#include "par/comm.h"

/* Without pointers, so that it can be sent: texts are in one block, and entries say where. */
typedef struct ls_file_entry {
    int64_t path; /* where it begins in the text */
    int32_t
        name; /* where the part of the path begins that is relative to the folder of the command line; 0: no folder */
} ls_file_entry;

typedef struct ls_file_list {
    char *text;
    int64_t text_bytes, text_room;
    ls_file_entry *files; /* [count] sorted by path */
    int64_t count, room;
    /* [folder_count] in the text: the names of the folders that lie directly in a folder of the command line, and of
     * folders of the command line that are empty. */
    int64_t *folders;
    int64_t folder_count, folder_room;
    int64_t skipped, again; /* paths that were skipped; further names of files in the list */
} ls_file_list;

static inline const char *ls_file_list_path(const ls_file_list *list, int64_t i) {
    return list->text + list->files[i].path;
}

/* Collective; the arguments of rank 0 count. strict: a path that would be skipped is an error. Errors (agreed):
 * LS_INVALID: an argument is missing or cannot be read; LS_ERROR: the disk, memory. ls_file_list_release in every case.
 */
ls_status ls_file_list_find(const ls_comm *comm, const char *const *arguments, int count, bool strict,
                            ls_file_list *out);
void ls_file_list_release(ls_file_list *list);

#endif
