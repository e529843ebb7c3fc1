/* descriptor.c - system calls on open files, repeated until all is done; see descriptor.h. */
#define _GNU_SOURCE
#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beat.h"
#include "base/integers.h"

/* What is read, written or flushed between two beats: even a slow disk does that in much less than a stall_timeout. */
enum { CALL_BYTES = 16 << 20 };

int ls_fd_open(const char *path, int flags) {
    int fd;
    do fd = open(path, flags | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* Beyond a million, a program that closes all that it could have (as MPI's helpers do) would take long. */
void ls_fd_allow_many(void) {
    enum { MANY = 1 << 20 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= MANY) return;
    limit.rlim_cur = limit.rlim_max < MANY ? limit.rlim_max : MANY;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

bool ls_fd_read_at(int fd, void *data, int64_t bytes, int64_t at) {
    for (char *next = data; bytes > 0;) {
        ssize_t got = pread(fd, next, (size_t)ls_min(bytes, CALL_BYTES), at);
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) errno = 0;
        if (got <= 0) return false;
        ls_beat();
        next += got;
        at += got;
        bytes -= got;
    }
    return true;
}

/* at -1: where the position is. */
static bool write_all(int fd, const char *next, int64_t bytes, int64_t at) {
    while (bytes > 0) {
        size_t part = (size_t)ls_min(bytes, CALL_BYTES);
        ssize_t written = at < 0 ? write(fd, next, part) : pwrite(fd, next, part, at);
        if (written < 0 && errno == EINTR) continue;
        if (written == 0) errno = ENOSPC; /* the system does not say why it takes nothing */
        if (written <= 0) return false;
        ls_beat();
        next += written;
        at += at < 0 ? 0 : written;
        bytes -= written;
    }
    return true;
}

bool ls_fd_write_at(int fd, const void *data, int64_t bytes, int64_t at) { return write_all(fd, data, bytes, at); }

bool ls_fd_write(int fd, const void *data, int64_t bytes) { return write_all(fd, data, bytes, -1); }

bool ls_fd_set_length(int fd, int64_t bytes) {
    int result;
    do result = ftruncate(fd, bytes);
    while (result != 0 && errno == EINTR);
    return result == 0;
}

/* File systems that cannot set aside go without. */
static bool set_aside(int fd, int mode, int64_t at, int64_t bytes) {
    int result;
    do result = fallocate(fd, mode, at, bytes);
    while (result != 0 && errno == EINTR);
    return result == 0 || errno == EOPNOTSUPP || errno == ENOSYS;
}

bool ls_fd_reserve(int fd, int64_t bytes) {
    struct stat about;
    if (!set_aside(fd, 0, 0, bytes) || fstat(fd, &about) != 0) return false;
    return about.st_size >= bytes || ls_fd_set_length(fd, bytes);
}

/* The system itself does not hold such bytes against the limit. */
bool ls_fd_reserve_behind(int fd, int64_t bytes) {
    struct stat about;
    struct rlimit limit;
    if (fstat(fd, &about) != 0 || getrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    if ((rlim_t)(about.st_size + bytes) <= limit.rlim_cur)
        return set_aside(fd, FALLOC_FL_KEEP_SIZE, about.st_size, bytes);
    errno = EFBIG;
    return false;
}

/* A part that is on its way to the disk and arrives. Its error is told once, here or by fsync. */
static bool flush_part(int fd, int64_t at) {
    unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    bool has_none = sync_file_range(fd, at, CALL_BYTES, all) != 0;
    ls_beat();
    return !has_none || errno == EINTR || errno == ENOSYS || errno == EINVAL || errno == ESPIPE || errno == EOPNOTSUPP;
}

/* In parts, for one call for all of a large file could take longer than anybody waits. After an error it is not tried
 * again: the system has forgotten by then what it could not write. */
bool ls_fd_flush(int fd) {
    struct stat about;
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode))
        for (int64_t at = 0; at < about.st_size; at += CALL_BYTES)
            if (!flush_part(fd, at)) return false;
    int result;
    do result = fsync(fd);
    while (result != 0 && errno == EINTR);
    return result == 0;
}

bool ls_fd_lock(int fd) {
    int result;
    do result = flock(fd, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    return result == 0;
}
