/* file.c - files that appear whole: written beside their name under a lock, flushed and renamed; see file.h. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"

#define PART ".part"

static ls_status fail(const char *path, const char *what) {
    return LS_RAISE(LS_ERROR, "%s: %s: %s", path, what, strerror(errno));
}

/* Between opening a file and locking it, who had the lock may have given the file another name, or removed it. Errors:
 * LS_ERROR. */
static ls_status has_name(int fd, const char *path, bool *has) {
    struct stat opened, named;
    *has = false;
    if (fstat(fd, &opened) != 0) return fail(path, "cannot be written");
    if (lstat(path, &named) != 0) return errno == ENOENT ? LS_OK : fail(path, "cannot be written");
    *has = opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
    if (!*has || (S_ISREG(opened.st_mode) && opened.st_nlink == 1)) return LS_OK;
    return LS_RAISE(LS_ERROR,
                    "%s: is not a file that Lockstep has made, and Lockstep needs its name; remove it or rename it",
                    path);
}

/* Takes what a killed process may have left. A file system without locks (ENOTSUP, ENOLCK) is no reason not to write.
 * O_NONBLOCK: a pipe of that name must not hold us up. */
static ls_status open_part(ls_file *file) {
    for (bool ours = false; !ours;) {
        file->fd = ls_fd_open(file->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK);
        if (file->fd < 0 && errno == ELOOP)
            return LS_RAISE(LS_ERROR, "%s: is a symbolic link, and Lockstep does not write through links; remove it",
                            file->part);
        if (file->fd < 0) return fail(file->path, "cannot be written");
        bool taken = !ls_fd_lock(file->fd) && errno == EWOULDBLOCK;
        ls_status status = taken ? LS_RAISE(LS_ERROR, "%s: another process is writing it", file->path)
                                 : has_name(file->fd, file->part, &ours);
        if (status == LS_OK && ours) return LS_OK;
        (void)close(file->fd);
        file->fd = -1;
        LS_TRY(status);
    }
    return LS_OK;
}

/* A folder cannot be replaced, and a pipe or a device must not be. */
static ls_status check_replaceable(const char *path) {
    struct stat about;
    if (lstat(path, &about) != 0 || S_ISREG(about.st_mode) || S_ISLNK(about.st_mode)) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: is %s; give the name of a file to write", path,
                    S_ISDIR(about.st_mode) ? "a directory" : "a pipe or a device");
}

ls_status ls_file_create(const char *path, ls_file *out) {
    *out = (ls_file){.fd = -1};
    if (snprintf(out->part, sizeof out->part, "%s" PART, path) >= (int)sizeof out->part)
        return LS_RAISE(LS_ERROR, "%s: the name is too long", path);
    memcpy(out->path, out->part, strlen(path));
    LS_TRY(check_replaceable(path));
    LS_TRY(open_part(out));
    /* Truncated only once it is ours. */
    if (ls_fd_set_length(out->fd, 0)) return LS_OK;
    ls_status status = fail(path, "cannot be written");
    ls_file_discard(out);
    return status;
}

/* The .part files that no signal may leave behind: copies of their names, for a handler may run at any time. */
enum { GUARDED_MAX = 2 };
static struct {
    char part[LS_PATH_MAX];
    atomic_bool used; /* the name is whole, and the file is there */
} guarded[GUARDED_MAX];

static void remove_guarded(int signal_number) {
    for (int i = 0; i < GUARDED_MAX; i++)
        if (guarded[i].used) (void)unlink(guarded[i].part);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

void ls_file_guard(const ls_file *file) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    int at = 0;
    while (at < GUARDED_MAX && guarded[at].used) at++;
    if (at == GUARDED_MAX) return;
    memcpy(guarded[at].part, file->part, sizeof file->part);
    guarded[at].used = true;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action = {.sa_handler = remove_guarded}, before;
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            (void)sigaction(signals[i], &action, NULL);
    }
}

static void unguard(const ls_file *file) {
    for (int i = 0; i < GUARDED_MAX; i++)
        if (guarded[i].used && strcmp(guarded[i].part, file->part) == 0) guarded[i].used = false;
}

ls_status ls_file_write(ls_file *file, const void *data, int64_t bytes) {
    return ls_fd_write(file->fd, data, bytes) ? LS_OK : fail(file->path, "cannot be written");
}

/* Makes the directory's entries, a rename among them, survive a power cut. */
static ls_status flush_directory_of(const char *path) {
    char copy[LS_PATH_MAX];
    (void)snprintf(copy, sizeof copy, "%s", path);
    int directory = ls_fd_open(dirname(copy), O_RDONLY | O_DIRECTORY);
    bool flushed = directory >= 0 && (ls_fd_flush(directory) || errno == EINVAL); /* EINVAL: it has no such thing */
    ls_status status = flushed ? LS_OK : fail(path, "its directory cannot be flushed to disk");
    if (directory >= 0) (void)close(directory);
    return status;
}

/* An entry that was there already is its maker's to flush. */
static ls_status make_one_directory(const char *path) {
    if (mkdir(path, 0777) == 0) return flush_directory_of(path);
    return errno == EEXIST ? LS_OK : fail(path, "the directory cannot be made");
}

ls_status ls_file_make_directory(const char *path) {
    char part[LS_PATH_MAX];
    if (snprintf(part, sizeof part, "%s/", path) >= (int)sizeof part)
        return LS_RAISE(LS_INVALID, "the path %s is too long", path);
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        LS_TRY(make_one_directory(part));
        *slash = '/';
    }
    return LS_OK;
}

ls_status ls_file_flush(ls_file *file) {
    return ls_fd_flush(file->fd) ? LS_OK : fail(file->path, "cannot be flushed to disk");
}

/* It is closed last, for its lock keeps others from the .part file until there is none any more; all is on the disk by
 * then, and an error of closing says nothing. */
ls_status ls_file_commit(ls_file *file) {
    ls_status status = ls_file_flush(file);
    if (status == LS_OK && rename(file->part, file->path) != 0)
        status = fail(file->path, "cannot be renamed from " PART);
    if (status != LS_OK) {
        ls_file_discard(file);
        return status;
    }
    unguard(file);
    (void)close(file->fd);
    file->fd = -1;
    return flush_directory_of(file->path);
}

void ls_file_discard(ls_file *file) {
    if (file->fd < 0) return;
    (void)unlink(file->part);
    unguard(file);
    (void)close(file->fd);
    file->fd = -1;
}

ls_status ls_file_write_text(const char *path, const char *text) {
    ls_file file;
    LS_TRY(ls_file_create(path, &file));
    ls_status status = ls_file_write(&file, text, (int64_t)strlen(text));
    if (status == LS_OK) return ls_file_commit(&file);
    ls_file_discard(&file);
    return status;
}

ls_status ls_file_link(const char *target, const char *path) {
    char part[LS_PATH_MAX];
    if (snprintf(part, sizeof part, "%s" PART, path) >= (int)sizeof part)
        return LS_RAISE(LS_ERROR, "%s: the name is too long", path);
    (void)unlink(part);
    if (symlink(target, part) == 0 && rename(part, path) == 0) return flush_directory_of(path);
    ls_status status = fail(path, "cannot be made a link");
    (void)unlink(part);
    return status;
}

/* A lock that can be had is one that nobody holds. Links have none: one writer makes them. */
static void remove_if_left(const char *path) {
    bool same;
    int fd = ls_fd_open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ELOOP) (void)unlink(path);
    if (fd < 0) return;
    if (ls_fd_lock(fd) && has_name(fd, path, &same) == LS_OK && same) (void)unlink(path);
    (void)close(fd);
}

void ls_file_sweep(const char *directory) {
    DIR *entries = opendir(directory);
    if (entries == NULL) return;
    for (struct dirent *entry; (entry = readdir(entries));) {
        char path[LS_PATH_MAX];
        size_t length = strlen(entry->d_name);
        if (length <= strlen(PART) || strcmp(entry->d_name + length - strlen(PART), PART) != 0) continue;
        if (snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) < (int)sizeof path) remove_if_left(path);
    }
    (void)closedir(entries);
}

bool ls_file_is_same(const char *a, const char *b) {
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

ls_status ls_fault_of(int error_number) {
    static const int wrong_paths[] = {ENOENT, ENOTDIR, EISDIR, EACCES, EPERM, ELOOP, ENAMETOOLONG};
    for (size_t i = 0; i < sizeof wrong_paths / sizeof *wrong_paths; i++)
        if (error_number == wrong_paths[i]) return LS_INVALID;
    return LS_ERROR;
}

bool ls_file_is_directory(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

ls_status ls_file_check_regular(const char *path) {
    struct stat about;
    if (stat(path, &about) != 0) return LS_RAISE(ls_fault_of(errno), "%s: cannot be opened: %s", path, strerror(errno));
    if (S_ISREG(about.st_mode)) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: is %s, not a file", path,
                    S_ISDIR(about.st_mode) ? "a directory" : "a pipe or a device");
}

ls_status ls_file_check_new(const char *path) {
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode)) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s exists already; give another name, or --overwrite", path);
}

ls_status ls_file_check_folder_of(const char *path) {
    char copy[LS_PATH_MAX];
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return LS_RAISE(LS_INVALID, "%s: the name is too long", path);
    const char *folder = dirname(copy);
    struct stat about;
    int reason = stat(folder, &about) == 0 ? 0 : errno;
    if (reason == ENOENT) return LS_RAISE(LS_INVALID, "%s: the folder %s/ does not exist; make it first", path, folder);
    if (reason != 0)
        return LS_RAISE(ls_fault_of(reason), "%s: the folder %s/ cannot be used: %s", path, folder, strerror(reason));
    if (S_ISDIR(about.st_mode)) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: %s is not a folder", path, folder);
}

ls_status ls_file_follow(const char *path, char place[LS_PATH_MAX]) {
    struct stat about;
    int length = snprintf(place, LS_PATH_MAX, "%s", path);
    if (length >= LS_PATH_MAX) return LS_RAISE(LS_INVALID, "the path %s is too long", path);
    if (lstat(path, &about) != 0 || !S_ISLNK(about.st_mode) || realpath(path, place)) return LS_OK;
    return LS_RAISE(ls_fault_of(errno), "%s: is a link that leads nowhere: %s; remove it, or make what it leads to",
                    path, strerror(errno));
}
