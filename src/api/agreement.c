/* agreement.c - rank 0 says what it was called with, and the others compare; see agreement_internal.h. */
#include "api/agreement_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "store/data_format.h"

enum { FUNCTION_MAX = 32 };

ls_status ls_same_function(const ls_comm *comm, const char *name) {
    char first[FUNCTION_MAX] = "";
    ls_status status = LS_OK;
    snprintf(first, sizeof first, "%s", name);
    ls_comm_broadcast(comm, first, sizeof first, 0);
    if (strcmp(first, name) != 0) status = LS_RAISE(LS_INVALID, "%s is called here, but %s on rank 0", name, first);
    return ls_agree(comm, status);
}

static ls_status compare(const ls_argument *arguments, int count, const uint64_t *mine, const uint64_t *first) {
    for (int i = 0; i < count; i++)
        if (mine[i] != first[i])
            return LS_RAISE(LS_INVALID, "%s is not the same here as on rank 0; all processes must give the same",
                            arguments[i].name);
    return LS_OK;
}

ls_status ls_same_arguments(const ls_comm *comm, const ls_argument *arguments, int count) {
    uint64_t mine[LS_ARGUMENTS_MAX], first[LS_ARGUMENTS_MAX];
    assert(count <= LS_ARGUMENTS_MAX);
    if (comm->size == 1) return LS_OK;
    for (int i = 0; i < count; i++) mine[i] = ls_sample_hash(arguments[i].data, arguments[i].bytes, 0, i);
    memcpy(first, mine, (size_t)count * sizeof *first);
    ls_comm_broadcast(comm, first, count * (int64_t)sizeof *first, 0);
    return ls_agree(comm, compare(arguments, count, mine, first));
}
