/* status.h - how a function says that it failed.
 *
 * Every fallible function returns an ls_status and leaves one message in the calling thread's error record:
 * what is wrong, in which file and place, and how to mend it. The value is the exit code of the program.
 *
 *   return LS_RAISE(LS_INVALID, "%s: not a Lockstep dataset; make one with 'lockstep import'", path);
 *   LS_TRY(read_header(file));                                   passes a failure on, with a trace line
 *   if (LS_FAILED(status = read_header(file))) goto done;        the same where resources are owned
 *
 * Broken invariants assert; kernels return void. All functions here are Local and thread-safe. */
#ifndef LS_BASE_STATUS_H
#define LS_BASE_STATUS_H

#include <stddef.h>

typedef enum ls_status {
    LS_OK = 0,
    LS_ERROR = 1,    /* the run failed: disk, memory, another rank, a number that is not finite */
    LS_INVALID = 2,  /* the command line, config or data is wrong; trying again will not help */
    LS_STOPPED = 75, /* stopped by a signal after saving; run again with --resume */
    LS_LOST = 76,    /* another rank, its host or the launcher is lost or hangs; run again with --resume */
} ls_status;

enum { LS_MESSAGE_MAX = 2048, LS_TRACE_MAX = 1024 };

/* The last failure of a thread. Plain data, so that it can be copied to another thread or rank. */
typedef struct ls_failure {
    ls_status status;
    char message[LS_MESSAGE_MAX];
    char trace[LS_TRACE_MAX]; /* "function (file:line)" from the origin outwards, one a line */
} ls_failure;

#define LS_RAISE(status, ...) ls_raise((status), __FILE__, __LINE__, __func__, __VA_ARGS__)
#define LS_FAILED(expression) (ls_trace((expression), __FILE__, __LINE__, __func__) != LS_OK)
#define LS_TRY(expression)                                                                                             \
    do {                                                                                                               \
        ls_status ls_try_ = (expression);                                                                              \
        if (LS_FAILED(ls_try_)) return ls_try_;                                                                        \
    } while (0)

/* Starts a new failure: replaces the thread's record and returns status. */
ls_status ls_raise(ls_status status, const char *file, int line, const char *function, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Adds a trace line to the thread's record when status is a failure; returns status. */
ls_status ls_trace(ls_status status, const char *file, int line, const char *function);

/* Puts text in front of the thread's message: "config.yaml:12:5: " before "units must be at least 1". Returns its
 * status. */
ls_status ls_failure_prefix(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The calling thread's record (never NULL; LS_OK and empty when nothing failed yet). */
const ls_failure *ls_failure_get(void);

/* Replaces the calling thread's record by a copy of *failure (from another thread or rank); returns its status. */
ls_status ls_failure_set(const ls_failure *failure);

#endif
