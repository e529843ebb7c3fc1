/* status.c - the error record of a thread. */
#include "base/status.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local ls_failure current;

ls_status ls_raise(ls_status status, const char *file, int line, const char *function, const char *format, ...) {
    assert(status != LS_OK);
    char message[LS_MESSAGE_MAX]; /* the arguments may point into the record that is replaced */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    memcpy(current.message, message, sizeof message);
    current.status = status;
    current.trace[0] = '\0';
    return ls_trace(status, file, line, function);
}

ls_status ls_trace(ls_status status, const char *file, int line, const char *function) {
    if (status == LS_OK) return LS_OK;
    size_t used = strlen(current.trace);
    snprintf(current.trace + used, sizeof current.trace - used, "%s (%s:%d)\n", function, file, line);
    return status;
}

ls_status ls_failure_prefix(const char *format, ...) {
    char message[LS_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    size_t used = strlen(message);
    snprintf(message + used, sizeof message - used, "%s", current.message);
    memcpy(current.message, message, sizeof message);
    return current.status;
}

const ls_failure *ls_failure_get(void) { return &current; }

ls_status ls_failure_set(const ls_failure *failure) {
    memmove(&current, failure, sizeof current);
    return current.status;
}
