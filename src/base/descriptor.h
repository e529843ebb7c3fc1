/* descriptor.h - open files: the system's calls, repeated where a signal interrupts them or they do a part only. What
 * reads, writes or flushes much beats (beat.h) as it gets on. Local, thread-safe. Errors: false (or -1) and errno. */
#ifndef LS_BASE_DESCRIPTOR_H
#define LS_BASE_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

/* flags: of open(2); it is closed when another program is started. A new file may be read and written by all whom the
 * umask allows. */
int ls_fd_open(const char *path, int flags);

/* Lets this process have as many files open as its hard limit allows, or a million: a data set may be thousands. */
void ls_fd_allow_many(void);

/* All of the bytes. errno is 0 where the file ends before. */
bool ls_fd_read_at(int fd, void *data, int64_t bytes, int64_t at);
bool ls_fd_write_at(int fd, const void *data, int64_t bytes, int64_t at);
/* All of the bytes, where the file's position is. */
bool ls_fd_write(int fd, const void *data, int64_t bytes);

bool ls_fd_set_length(int fd, int64_t bytes);
/* Sets aside the disk's room for this length, and gives the file it, where that is longer. On file systems that cannot
 * set aside only the length. */
bool ls_fd_reserve(int fd, int64_t bytes);
/* The same for so many bytes behind the end of the file, which keeps its length. They count against the limit of file
 * sizes (RLIMIT_FSIZE) at once: errno is EFBIG. */
bool ls_fd_reserve_behind(int fd, int64_t bytes);
/* To the disk, with its length. */
bool ls_fd_flush(int fd);

/* For this process alone, until it is closed; does not wait: errno is EWOULDBLOCK where another process has it. */
bool ls_fd_lock(int fd);

#endif
