/* faults.h - a disk that fails on order: one system call, the n-th on certain files, fails, is cut short, or is where
 * the process is killed.
 *
 * A test program that calls faults_begin has these calls in place of the C library's, also for HDF5 and other shared
 * libraries: open, openat, creat, fopen, fdopen, opendir, readdir, stat, lstat, fstat, access, read, pread, write,
 * pwrite (of streams, too), lseek, fsync, fdatasync, ftruncate, fallocate, posix_fallocate, flock, close, closedir,
 * mkdir, rename, link, symlink, readlink, unlink. Any other program has them by
 *
 *   LD_PRELOAD=build/release/tests/faults.so FAULT_PATH=... [FAULT_CALL=...] [FAULT_AT=...] [FAULT_HOW=...]
 *   [FAULT_SLOW_MS=300] [FAULT_FROM=1] [FAULT_RANK=...] [FAULT_LOG=FILE]
 *
 * FAULT_RANK: only in this rank of MPI. FAULT_LOG: each counted call is a line "NUMBER CALL NAME" at its end, so that a
 * first run without a fault says what there is to fail. */
#ifndef SUPPORT_FAULTS_H
#define SUPPORT_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct faults {
    const char *path; /* what the absolute name of a file contains whose calls count */
    const char *call; /* the calls that count: "open", "read", "write", "stat" and so on, where "read" is pread, too,
                         "open" everything that opens, "close" everything that closes; NULL: all */
    int64_t at;       /* the call, counted from 1; 0: only count */
    const char *how;  /* a name of an error, as "EIO": it fails so; what closes something closes it all the same
                         "short": reads or writes half of what it could, at least a byte
                         "end": reads nothing, as at the end of a file
                         "kill": the process ends by SIGKILL in its place
                         "tear": so in the middle of it: half is written
                         "slow": it takes slow_ms longer
                         "hang": it never returns
                         A call that has no such thing does what it always does. */
    int64_t slow_ms;
    bool from;       /* it and all that come after it */
    const char *log; /* NULL: none */
} faults;

/* The texts stay the caller's, and must stay. */
void faults_begin(const faults *order);
/* Ends it. Returns how many calls have counted. */
int64_t faults_end(void);

#endif
