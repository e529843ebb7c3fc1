/* hdf5.c - what every use of HDF5 shares: the lock, and its error stack turned into one phrase. */
#include <errno.h>
#include <hdf5.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "store/hdf5.h"

enum { REASON_MAX = 512 };

/* The lock is had in the order of asking: a thread that reads block after block would else take it again and again
 * before another, which saves a checkpoint, is awake. */
static pthread_mutex_t counter = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t called = PTHREAD_COND_INITIALIZER;
static uint64_t tickets, serving;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Of the last call that failed since the lock was taken. */
static char reason[REASON_MAX];
static ls_status fault;

/* Of the first failure since then that was the system's; and whether that was a lack of memory. */
static char system_reason[REASON_MAX + 96]; /* and what to do */
static bool lacks_memory;

/* Of "file write failed: time = ..., errno = 28, error message = 'No space left on device', buf = ..." over several
 * lines only what the system said; of anything else the first line. */
static void shorten(const char *text) {
    static const char number[] = "errno = ", begin[] = "error message = '";
    const char *said = strstr(text, begin), *code = strstr(text, number);
    fault = code != NULL ? ls_fault_of((int)strtol(code + strlen(number), NULL, 10)) : LS_INVALID;
    if (said != NULL) text = said + strlen(begin);
    snprintf(reason, sizeof reason, "%.*s", (int)strcspn(text, said != NULL ? "'\n" : "\n"), text);
}

static herr_t take_first(unsigned n, const H5E_error2_t *error, void *context) {
    (void)n, (void)context;
    if (error->desc == NULL || error->desc[0] == '\0') return 0;
    shorten(error->desc);
    bool memory = error->maj_num == H5E_RESOURCE && error->min_num == H5E_NOSPACE;
    bool no_state = strstr(error->desc, "stat info") != NULL; /* fstat failed, and HDF5 keeps the cause to itself */
    if (memory || no_state) fault = LS_ERROR;
    if (fault == LS_ERROR && system_reason[0] == '\0') {
        bool many = strcmp(reason, strerror(EMFILE)) == 0;
        snprintf(system_reason, sizeof system_reason, "%s%s", reason,
                 many ? "; raise the limit with 'ulimit -n', or make fewer, larger files" : "");
        lacks_memory = memory;
    }
    return 1;
}

/* HDF5 calls this where a call of its interface fails, in place of printing its stack to stderr, on every rank; the
 * next call, which may only close something, empties the stack. Walking upward begins at the function where it went
 * wrong, which knows best. */
static herr_t remember(hid_t stack, void *context) {
    H5Ewalk2(stack, H5E_WALK_UPWARD, take_first, context);
    return 0;
}

/* Everything is closed by who opened it. What HDF5 cannot close after a failure of the disk it would try to close for
 * ever at the end of the process, and complain. */
static void listen(void) {
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, remember, NULL);
}

void ls_hdf5_lock(void) {
    pthread_mutex_lock(&counter);
    for (uint64_t ticket = tickets++; ticket != serving;) pthread_cond_wait(&called, &counter);
    pthread_mutex_unlock(&counter);
    pthread_once(&once, listen);
    snprintf(reason, sizeof reason, "no reason given");
    fault = LS_INVALID;
    system_reason[0] = '\0';
    lacks_memory = false;
}

void ls_hdf5_unlock(void) {
    pthread_mutex_lock(&counter);
    serving++;
    pthread_cond_broadcast(&called);
    pthread_mutex_unlock(&counter);
}

const char *ls_hdf5_reason(void) { return reason; }

ls_status ls_hdf5_fault(void) { return fault; }

const char *ls_hdf5_system_reason(void) { return system_reason[0] != '\0' ? system_reason : NULL; }

bool ls_hdf5_lacks_memory(void) { return lacks_memory; }
