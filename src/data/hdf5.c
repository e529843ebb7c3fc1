/* hdf5.c - what every use of HDF5 shares: the lock, and its error stack turned into one phrase. */
#include <hdf5.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lockstep/dataset.h"

enum { REASON_MAX = 512 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* HDF5 would print its stack to stderr, on every rank. */
static void silence(void) { (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

void ls_hdf5_lock(void) {
    (void)pthread_mutex_lock(&lock);
    (void)pthread_once(&once, silence);
}

void ls_hdf5_unlock(void) { (void)pthread_mutex_unlock(&lock); }

/* Of "file write failed: time = ..., error message = 'No space left on device', buf = ..." over several lines only what
 * the system said; of anything else the first line. */
static void shorten(const char *reason, char *text) {
    static const char begin[] = "error message = '";
    const char *said = strstr(reason, begin);
    if (said != NULL) reason = said + strlen(begin);
    (void)snprintf(text, REASON_MAX, "%.*s", (int)strcspn(reason, said != NULL ? "'\n" : "\n"), reason);
}

static herr_t first_reason(unsigned n, const H5E_error2_t *error, void *text) {
    (void)n;
    if (error->desc == NULL || error->desc[0] == '\0') return 0;
    shorten(error->desc, text);
    return 1;
}

/* Walking upward begins at the function where it went wrong, which knows best. */
const char *ls_hdf5_reason(void) {
    static char text[REASON_MAX];
    (void)snprintf(text, sizeof text, "no reason given");
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, first_reason, text);
    return text;
}
