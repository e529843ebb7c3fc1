/* file.h - files that are whole or not there.
 *
 * A new file is written beside its name (NAME.part), flushed to disk, renamed, and the directory flushed: a kill or a
 * power cut at any instant leaves what stood under the name before, or the new file. Who writes holds a lock on the
 * .part file, which the kernel drops with the process: so two runs cannot write the same file, and what a killed run
 * left can be told from what is being written.
 *
 * No link is followed, so that none leads a run's writes out of its directory: one that stands under the name is
 * replaced, and one in place of the .part file is an error. An output that a user names goes through ls_file_follow
 * first, for there a link is meant: to a larger disk, say.
 *
 * Local, thread-safe. Errors: LS_ERROR names the file and the system's reason; after one only ls_file_discard is
 * allowed. */
#ifndef LS_BASE_FILE_H
#define LS_BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/path.h"
#include "base/status.h"

typedef struct ls_file {
    int fd;                 /* of the .part file, open for reading and writing; -1: none */
    char path[LS_PATH_MAX]; /* the name it will have */
    char part[LS_PATH_MAX];
} ls_file;

/* Makes an empty file beside path. Errors, besides: LS_INVALID, a folder, a pipe or a device has the name. */
ls_status ls_file_create(const char *path, ls_file *out);
ls_status ls_file_write(ls_file *file, const void *data, int64_t bytes);
/* Its bytes to the disk: where several files belong together, all of them before the first gets its name. */
ls_status ls_file_flush(ls_file *file);
/* Flushes and gives it its name. The file is closed in every case; where this fails there is no new file, or, where
 * only its directory could not be flushed, one that a power cut may take back. */
ls_status ls_file_commit(ls_file *file);
/* Closes and removes it; nothing where it is closed already. */
void ls_file_discard(ls_file *file);

/* Until it is committed or discarded, INT, TERM or HUP (those that are not ignored) remove the .part file before they
 * end the process: for one that takes long, and is of no use in part. Two at a time, a third is not guarded; from one
 * thread. */
void ls_file_guard(const ls_file *file);

/* All of it at once. */
ls_status ls_file_write_text(const char *path, const char *text);

/* Makes the directory and those above it, where they are not there, so that they survive a power cut. Errors:
 * LS_INVALID, the path is too long; LS_ERROR. */
ls_status ls_file_make_directory(const char *path);

/* Makes path a symbolic link to target, in place of what it was, in one instant. One process at a time. */
ls_status ls_file_link(const char *target, const char *path);

/* Removes the .part files of this directory that no process is writing, and its .part links. */
void ls_file_sweep(const char *directory);

/* Whether it is a file that can be read from its beginning more than once. Errors: LS_INVALID, there is none, or it is
 * a folder, a pipe or a device: opening one of these may wait for ever; LS_ERROR, the system cannot tell. */
ls_status ls_file_check_regular(const char *path);
/* For an output of a command that has --overwrite and is called without it. Errors: LS_INVALID, there is a regular file
 * of this name. */
ls_status ls_file_check_new(const char *path);
bool ls_file_is_directory(const char *path);

/* Whose fault it is that a file cannot be opened or read, by the system's error number: LS_INVALID, the path is wrong
 * (there is no such file, it is not allowed, it leads in a circle); LS_ERROR, anything else: a disk, a network, too
 * many open files, memory. That may be gone when it is tried again. */
ls_status ls_fault_of(int error_number);

/* Whether the folder that a new file would be in is there. Errors: LS_INVALID, it is not, or it is
 * not a folder, or may not be looked at; LS_ERROR, the system cannot tell. */
ls_status ls_file_check_folder_of(const char *path);

/* place: path, or what it leads to where it is a link. Errors: LS_INVALID, it leads nowhere. */
ls_status ls_file_follow(const char *path, char place[LS_PATH_MAX]);

/* Whether both paths lead to one and the same file, which exists. */
bool ls_file_is_same(const char *a, const char *b);

#endif
