/* faults.c - see faults.h. Each call here stands before the C library's of the same name and asks `decide` what to do.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include "support/faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DESCRIPTORS = 1024, NAME_BYTES = 4096, STREAMS = 64 };

static faults order;
static _Atomic int64_t counted;
static int error_number;                /* of order.how; 0: it is no error */
static char *_Atomic name[DESCRIPTORS]; /* of what is open and counts; NULL: does not count */

/* The C library's function, found once. */
#define NEXT(result, function, ...)                                                                                    \
    static result (*next)(__VA_ARGS__);                                                                                \
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, #function)

/* --- what to do --- */

typedef enum outcome { PASS, FAIL, SHORT, END, TEAR } outcome;

static int number_of(const char *how) {
    static const struct {
        const char *name;
        int number;
    } errors[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},   {"ENOMEM", ENOMEM}, {"ESTALE", ESTALE},
                  {"EMFILE", EMFILE}, {"EACCES", EACCES}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS},   {"ENOLCK", ENOLCK}};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(errors[i].name, how) == 0) return errors[i].number;
    return 0;
}

static void write_log(int64_t number, const char *call, const char *path) {
    NEXT(int, open, const char *, int, ...);
    static ssize_t (*next_write)(int, const void *, size_t);
    static int (*next_close)(int);
    if (!next_write) *(void **)&next_write = dlsym(RTLD_NEXT, "write");
    if (!next_close) *(void **)&next_close = dlsym(RTLD_NEXT, "close");
    char line[NAME_BYTES + 64];
    int length = snprintf(line, sizeof line, "%lld %s %s\n", (long long)number, call, path);
    int fd = next(order.log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || next_write(fd, line, (size_t)length) < 0) abort();
    (void)next_close(fd);
}

/* errno is set where it is to fail. */
static outcome decide(const char *call, const char *path) {
    if (!path || (order.call && strcmp(order.call, call) != 0)) return PASS;
    int64_t number = ++counted;
    int before = errno;
    if (order.log) write_log(number, call, path);
    errno = before;
    if (order.at == 0 || number < order.at || (number > order.at && !order.from)) return PASS;
    if (strcmp(order.how, "kill") == 0) (void)raise(SIGKILL);
    if (strcmp(order.how, "hang") == 0)
        while (true) (void)pause();
    if (strcmp(order.how, "slow") == 0) (void)usleep((useconds_t)(1000 * order.slow_ms));
    if (strcmp(order.how, "slow") == 0) return PASS;
    if (strcmp(order.how, "short") == 0) return SHORT;
    if (strcmp(order.how, "end") == 0) return END;
    if (strcmp(order.how, "tear") == 0) return TEAR;
    errno = error_number;
    return FAIL;
}

static bool fails(const char *call, const char *path) { return decide(call, path) == FAIL; }

/* The absolute name in `room`, where it counts; else NULL. */
static const char *counts(const char *path, char room[NAME_BYTES]) {
    if (!order.path || !path) return NULL;
    char here[NAME_BYTES] = "";
    if (path[0] != '/' && !getcwd(here, sizeof here)) return NULL;
    int length = snprintf(room, NAME_BYTES, "%s%s%s", here, here[0] ? "/" : "", path);
    return length < NAME_BYTES && strstr(room, order.path) ? room : NULL;
}

static bool path_fails(const char *call, const char *path) {
    char room[NAME_BYTES];
    return fails(call, counts(path, room));
}

static const char *name_of(int fd) { return fd >= 0 && fd < DESCRIPTORS ? name[fd] : NULL; }

static void set_name(int fd, const char *path) {
    if (fd >= 0 && fd < DESCRIPTORS) free(atomic_exchange(&name[fd], path ? strdup(path) : NULL));
}

void faults_begin(const faults *new_order) {
    order = (faults){0};
    counted = 0;
    error_number = new_order->how ? number_of(new_order->how) : 0;
    order = *new_order;
}

int64_t faults_end(void) {
    for (int fd = 0; fd < DESCRIPTORS; fd++) set_name(fd, NULL);
    order = (faults){0};
    return counted;
}

static bool is_rank(const char *wanted) {
    static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
    const char *rank = NULL;
    for (size_t i = 0; i < sizeof variables / sizeof *variables && !rank; i++) rank = getenv(variables[i]);
    return rank && strcmp(rank, wanted) == 0;
}

__attribute__((constructor)) static void begin_from_environment(void) {
    const char *at = getenv("FAULT_AT"), *from = getenv("FAULT_FROM"), *rank = getenv("FAULT_RANK");
    const char *slow_ms = getenv("FAULT_SLOW_MS");
    const faults given = {.path = getenv("FAULT_PATH"),
                          .call = getenv("FAULT_CALL"),
                          .at = at ? atoll(at) : 0,
                          .how = getenv("FAULT_HOW"),
                          .slow_ms = slow_ms ? atoll(slow_ms) : 0,
                          .from = from && strcmp(from, "1") == 0,
                          .log = getenv("FAULT_LOG")};
    if (given.path && (!rank || is_rank(rank))) faults_begin(&given);
}

/* --- opening --- */

typedef int open_fn(const char *, int, ...);

static int open_by(open_fn *next, const char *path, int flags, mode_t mode) {
    char room[NAME_BYTES];
    const char *whole = counts(path, room);
    if (fails("open", whole)) return -1;
    int fd = next(path, flags, mode);
    set_name(fd, whole);
    return fd;
}

#define MODE(flags, mode)                                                                                              \
    mode_t mode = 0;                                                                                                   \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                                           \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        mode = va_arg(arguments, mode_t);                                                                              \
        va_end(arguments);                                                                                             \
    }

#define OPEN(function)                                                                                                 \
    int function(const char *path, int flags, ...) {                                                                   \
        NEXT(int, function, const char *, int, ...);                                                                   \
        MODE(flags, mode)                                                                                              \
        return open_by(next, path, flags, mode);                                                                       \
    }
OPEN(open)
OPEN(open64)

/* What a fortified library calls where there is no mode. */
#define OPEN_2(function, plain)                                                                                        \
    int function(const char *path, int flags);                                                                         \
    int function(const char *path, int flags) { return plain(path, flags); }
OPEN_2(__open_2, open)
OPEN_2(__open64_2, open64)

/* Below a directory that is not the current one it counts by the directory's name. */
#define OPENAT(function)                                                                                               \
    int function(int directory, const char *path, int flags, ...) {                                                    \
        NEXT(int, function, int, const char *, int, ...);                                                              \
        MODE(flags, mode)                                                                                              \
        char room[NAME_BYTES];                                                                                         \
        const char *whole = directory == AT_FDCWD ? counts(path, room) : name_of(directory);                           \
        if (fails("open", whole)) return -1;                                                                           \
        int fd = next(directory, path, flags, mode);                                                                   \
        set_name(fd, whole);                                                                                           \
        return fd;                                                                                                     \
    }
OPENAT(openat)
OPENAT(openat64)

int creat(const char *path, mode_t mode) { return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode); }

/* --- reading and writing --- */

static size_t half(size_t bytes) { return bytes > 1 ? bytes / 2 : bytes; }

/* A transfer of `bytes`: how many to ask for; 0 with `over`: it is over, and `result` is its result. */
static size_t plan(const char *call, int fd, size_t bytes, bool *over, ssize_t *result, bool *tear) {
    outcome o = decide(call, name_of(fd));
    bool reads = strcmp(call, "read") == 0;
    *over = o == FAIL || (o == END && reads);
    *result = o == FAIL ? -1 : 0;
    *tear = o == TEAR && !reads;
    return o == SHORT || *tear ? half(bytes) : bytes;
}

#define TRANSFER(call, function, parameters, ...)                                                                      \
    ssize_t function parameters {                                                                                      \
        static ssize_t(*next) parameters;                                                                              \
        if (!next) *(void **)&next = dlsym(RTLD_NEXT, #function);                                                      \
        bool over, tear;                                                                                               \
        ssize_t result;                                                                                                \
        bytes = plan(call, fd, bytes, &over, &result, &tear);                                                          \
        if (!over) result = next(fd, __VA_ARGS__);                                                                     \
        if (tear) (void)raise(SIGKILL);                                                                                \
        return result;                                                                                                 \
    }
TRANSFER("read", read, (int fd, void *data, size_t bytes), data, bytes)
TRANSFER("read", pread, (int fd, void *data, size_t bytes, off_t at), data, bytes, at)
TRANSFER("read", pread64, (int fd, void *data, size_t bytes, off64_t at), data, bytes, at)
TRANSFER("write", write, (int fd, const void *data, size_t bytes), data, bytes)
TRANSFER("write", pwrite, (int fd, const void *data, size_t bytes, off_t at), data, bytes, at)
TRANSFER("write", pwrite64, (int fd, const void *data, size_t bytes, off64_t at), data, bytes, at)

/* What a fortified library calls. */
ssize_t __read_chk(int fd, void *data, size_t bytes, size_t room);
ssize_t __read_chk(int fd, void *data, size_t bytes, size_t room) {
    (void)room;
    return read(fd, data, bytes);
}
ssize_t __pread64_chk(int fd, void *data, size_t bytes, off64_t at, size_t room);
ssize_t __pread64_chk(int fd, void *data, size_t bytes, off64_t at, size_t room) {
    (void)room;
    return pread64(fd, data, bytes, at);
}

/* --- other calls on descriptors --- */

#define ON_DESCRIPTOR(call, result, function, parameters, ...)                                                         \
    result function parameters {                                                                                       \
        static result(*next) parameters;                                                                               \
        if (!next) *(void **)&next = dlsym(RTLD_NEXT, #function);                                                      \
        return fails(call, name_of(fd)) ? -1 : next(__VA_ARGS__);                                                      \
    }
ON_DESCRIPTOR("fsync", int, fsync, (int fd), fd)
ON_DESCRIPTOR("fsync", int, fdatasync, (int fd), fd)
ON_DESCRIPTOR("ftruncate", int, ftruncate, (int fd, off_t bytes), fd, bytes)
ON_DESCRIPTOR("ftruncate", int, ftruncate64, (int fd, off64_t bytes), fd, bytes)
ON_DESCRIPTOR("fallocate", int, fallocate, (int fd, int mode, off_t at, off_t bytes), fd, mode, at, bytes)
ON_DESCRIPTOR("fallocate", int, fallocate64, (int fd, int mode, off64_t at, off64_t bytes), fd, mode, at, bytes)
ON_DESCRIPTOR("flock", int, flock, (int fd, int operation), fd, operation)
ON_DESCRIPTOR("stat", int, fstat, (int fd, struct stat *about), fd, about)
ON_DESCRIPTOR("stat", int, fstat64, (int fd, struct stat64 *about), fd, about)
ON_DESCRIPTOR("lseek", off_t, lseek, (int fd, off_t at, int whence), fd, at, whence)
ON_DESCRIPTOR("lseek", off64_t, lseek64, (int fd, off64_t at, int whence), fd, at, whence)

/* It returns the error. */
int posix_fallocate(int fd, off_t at, off_t bytes) {
    NEXT(int, posix_fallocate, int, off_t, off_t);
    return fails("fallocate", name_of(fd)) ? errno : next(fd, at, bytes);
}

/* Linux closes a descriptor also where it says that it could not. */
int close(int fd) {
    NEXT(int, close, int);
    bool fail = fails("close", name_of(fd));
    int number = errno;
    set_name(fd, NULL);
    int result = next(fd);
    if (!fail) return result;
    errno = number;
    return -1;
}

/* --- calls on names --- */

#define ON_NAME(call, result, function, parameters, ...)                                                               \
    result function parameters {                                                                                       \
        static result(*next) parameters;                                                                               \
        if (!next) *(void **)&next = dlsym(RTLD_NEXT, #function);                                                      \
        return path_fails(call, path) ? -1 : next(__VA_ARGS__);                                                        \
    }
ON_NAME("stat", int, stat, (const char *path, struct stat *about), path, about)
ON_NAME("stat", int, stat64, (const char *path, struct stat64 *about), path, about)
ON_NAME("stat", int, lstat, (const char *path, struct stat *about), path, about)
ON_NAME("stat", int, lstat64, (const char *path, struct stat64 *about), path, about)
ON_NAME("stat", int, access, (const char *path, int mode), path, mode)
ON_NAME("mkdir", int, mkdir, (const char *path, mode_t mode), path, mode)
ON_NAME("rename", int, rename, (const char *path, const char *new_path), path, new_path)
ON_NAME("link", int, link, (const char *path, const char *new_path), path, new_path)
ON_NAME("symlink", int, symlink, (const char *target, const char *path), target, path)
ON_NAME("readlink", ssize_t, readlink, (const char *path, char *text, size_t bytes), path, text, bytes)
ON_NAME("unlink", int, unlink, (const char *path), path)

/* --- directories --- */

DIR *opendir(const char *path) {
    NEXT(DIR *, opendir, const char *);
    char room[NAME_BYTES];
    const char *whole = counts(path, room);
    if (fails("open", whole)) return NULL;
    DIR *directory = next(path);
    if (directory) set_name(dirfd(directory), whole);
    return directory;
}

struct dirent *readdir(DIR *directory) {
    NEXT(struct dirent *, readdir, DIR *);
    outcome o = decide("read", name_of(dirfd(directory)));
    return o == FAIL ? NULL : next(directory);
}

struct dirent64 *readdir64(DIR *directory) {
    NEXT(struct dirent64 *, readdir64, DIR *);
    outcome o = decide("read", name_of(dirfd(directory)));
    return o == FAIL ? NULL : next(directory);
}

int closedir(DIR *directory) {
    NEXT(int, closedir, DIR *);
    bool fail = fails("close", name_of(dirfd(directory)));
    int number = errno;
    set_name(dirfd(directory), NULL);
    int result = next(directory);
    if (!fail) return result;
    errno = number;
    return -1;
}

/* --- streams: the C library's read and write without asking anybody, so they are made of our descriptors --- */

static struct {
    FILE *stream;
    int fd;
} streams[STREAMS];

static ssize_t read_stream(void *cookie, char *data, size_t bytes) { return read((int)(intptr_t)cookie, data, bytes); }

/* -1 would be taken for an error without a reason. */
static ssize_t write_stream(void *cookie, const char *data, size_t bytes) {
    ssize_t written = write((int)(intptr_t)cookie, data, bytes);
    return written < 0 ? 0 : written;
}

static int seek_stream(void *cookie, off64_t *at, int whence) {
    off64_t place = lseek64((int)(intptr_t)cookie, *at, whence);
    if (place < 0) return -1;
    *at = place;
    return 0;
}

static int close_stream(void *cookie) {
    for (int i = 0; i < STREAMS; i++)
        if (streams[i].stream && streams[i].fd == (int)(intptr_t)cookie) streams[i].stream = NULL;
    return close((int)(intptr_t)cookie);
}

static FILE *make_stream(int fd, const char *mode) {
    const cookie_io_functions_t functions = {read_stream, write_stream, seek_stream, close_stream};
    FILE *stream = fopencookie((void *)(intptr_t)fd, mode, functions);
    int i = 0;
    while (i < STREAMS && streams[i].stream) i++;
    if (stream && i < STREAMS) {
        streams[i].stream = stream;
        streams[i].fd = fd;
    }
    return stream;
}

FILE *fdopen(int fd, const char *mode) {
    NEXT(FILE *, fdopen, int, const char *);
    return name_of(fd) ? make_stream(fd, mode) : next(fd, mode);
}

static int flags_of(const char *mode) {
    int access_mode = strchr(mode, '+') ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
    int how = mode[0] == 'w' ? O_CREAT | O_TRUNC : mode[0] == 'a' ? O_CREAT | O_APPEND : 0;
    return access_mode | how | (strchr(mode, 'e') ? O_CLOEXEC : 0) | (strchr(mode, 'x') ? O_EXCL : 0);
}

#define FOPEN(function)                                                                                                \
    FILE *function(const char *path, const char *mode) {                                                               \
        NEXT(FILE *, function, const char *, const char *);                                                            \
        char room[NAME_BYTES];                                                                                         \
        if (!counts(path, room)) return next(path, mode);                                                              \
        int fd = open(path, flags_of(mode), 0666);                                                                     \
        return fd >= 0 ? make_stream(fd, mode) : NULL;                                                                 \
    }
FOPEN(fopen)
FOPEN(fopen64)

int fileno(FILE *stream) {
    NEXT(int, fileno, FILE *);
    for (int i = 0; i < STREAMS; i++)
        if (streams[i].stream == stream) return streams[i].fd;
    return next(stream);
}
