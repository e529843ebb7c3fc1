/* hdf5.c - the lock for all calls of HDF5, and HDF5's error stack as one phrase for messages. */
#include <errno.h>
#include <hdf5.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "store/hdf5.h"

enum { REASON_MAX = 512 };

/* The lock is fair: threads get it in the order in which they asked. A plain mutex would let a thread that reads block
 * after block take it again and again, before a thread that saves a checkpoint wakes up. */
static pthread_mutex_t counter = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t called = PTHREAD_COND_INITIALIZER;
static uint64_t tickets, serving;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Of the last call that failed since the lock was taken: why, and whose fault. */
static char reason[REASON_MAX];
static ls_status fault;

/* Of the first failure since then that was the system's fault: why, and whether memory was lacking. */
static char system_reason[REASON_MAX + 96]; /* with room for what to do */
static bool lacks_memory;

/* Takes the system's words out of "file write failed: time = ..., errno = 28, error message = 'No space left on
 * device', buf = ..."; of any other text the first line. */
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
    bool no_state = strstr(error->desc, "stat info") != NULL; /* fstat failed; HDF5 does not say why */
    if (memory || no_state) fault = LS_ERROR;
    if (fault == LS_ERROR && system_reason[0] == '\0') {
        bool many = strcmp(reason, strerror(EMFILE)) == 0;
        snprintf(system_reason, sizeof system_reason, "%s%s", reason,
                 many ? "; raise the limit with 'ulimit -n', or make fewer, larger files" : "");
        lacks_memory = memory;
    }
    return 1;
}

/* HDF5 calls this when one of its functions fails, in place of printing its stack to stderr. The stack must be read
 * now: the next call empties it. Walking upward begins at the function that failed first, which says most. */
static herr_t remember(hid_t stack, void *context) {
    H5Ewalk2(stack, H5E_WALK_UPWARD, take_first, context);
    return 0;
}

/* Without HDF5's own function at exit: after a failure of the disk it would try for ever to close what it cannot close.
 * We close everything ourselves. */
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
