/* agreement_internal.h - whether all ranks make the same call with the same arguments. A program that lets them differ
 * would hang, or train on a mix that no single process could train on.
 *
 * Collective. Errors (agreed): LS_INVALID; the message names the function or the argument, and the first rank that has
 * another one than rank 0. */
#ifndef LS_API_AGREEMENT_INTERNAL_H
#define LS_API_AGREEMENT_INTERNAL_H

#include "par/comm.h"

typedef struct ls_argument {
    const char *name;
    const void *data; /* [bytes] */
    int64_t bytes;    /* may differ between ranks, which makes the argument another one */
} ls_argument;

enum { LS_ARGUMENTS_MAX = 16 };

/* Before anything else that is collective: functions differ in that. */
ls_status ls_same_function(const ls_comm *comm, const char *name);
/* What is compared are hashes, so that large arrays are not sent. */
ls_status ls_same_arguments(const ls_comm *comm, const ls_argument *arguments, int count);

#endif
