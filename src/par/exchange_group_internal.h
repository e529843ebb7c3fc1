/* exchange_group_internal.h - the ranks that share one copy of the weights, and wait for one another in memory. Private
 * to par.
 *
 * A member says how far it is by a number that only grows (its mark), and waits for the others' marks. Everything that
 * a member wrote before it raised its mark is seen by those who have seen the mark. A rank that shares nothing is a
 * group of one. */
#ifndef LS_PAR_EXCHANGE_GROUP_INTERNAL_H
#define LS_PAR_EXCHANGE_GROUP_INTERNAL_H

#include "base/lanes.h"
#include "par/comm.h"

typedef struct ls_group {
    const ls_comm *comm;
    int members, member;
    ls_shared shared; /* the memory; empty in a group of one */
    void *own;        /* the memory of a group of one */
    /* Parts of that memory. */
    struct ls_group_mark *marks;
    double *records;                /* [members][record_doubles] */
    float *weights;                 /* [count] */
    float *gradients[LS_LANES_MAX]; /* of each member: [subtrees][stride] */
    int64_t stride;                 /* floats from a subtree's gradients to the next one's */
    int launcher;                   /* the process that started this one */
} ls_group;

/* Bytes of a group's memory that are there once, and what a member with so many subtrees adds to them. Local. */
int64_t ls_group_common_bytes(int64_t count);
int64_t ls_group_member_bytes(int subtrees, int64_t count);

/* shared: with the ranks of this host. subtrees[members]: gradients of each member. Collective over the group. Errors
 * (agreed over the group): LS_ERROR. Release in every case. */
ls_status ls_group_init(ls_group *group, const ls_comm *comm, bool shared, const int *subtrees, int64_t count,
                        int64_t record_doubles);
void ls_group_release(ls_group *group);

/* Local. */
void ls_group_raise(ls_group *group, int64_t mark);
bool ls_group_reached(const ls_group *group, int64_t mark); /* whether all members have */

/* Until all members have. Sleeps when it takes long, so that a rank beside many on few cores leaves them to those who
 * compute. */
void ls_group_await(ls_group *group, int64_t mark);
/* What a rank must not forget while it waits, of this kind or another: MPI gets on with what it has promised to send,
 * and the process ends where the one that started it is gone. */
void ls_group_look_around(const ls_group *group);

#endif
