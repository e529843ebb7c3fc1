/* exchange_state_internal.h - what a gradient exchange is made of; private to exchange.c (making), exchange_sum.c (a
 * slice of a bucket) and exchange_step.c (the order of things in a step). */
#ifndef LS_PAR_EXCHANGE_STATE_INTERNAL_H
#define LS_PAR_EXCHANGE_STATE_INTERNAL_H

#include "par/comm_mpi.h"
#include "par/exchange.h"
#include "par/exchange_group_internal.h"
#include "par/exchange_messages_internal.h"
#include "par/exchange_norm_internal.h"
#include "par/exchange_plan_internal.h"

enum { LS_STRIP_FLOATS = 128 << 10 }; /* added up at a time: still in the second cache when the update reads the sum */

struct ls_exchange {
    const ls_comm *comm;
    ls_lanes lanes;
    ls_pool *pool;
    ls_shards shards;
    ls_exchange_plan plan;
    ls_group group;
    ls_messages messages;
    double clip_norm; /* 0: no clipping */
    ls_norm norm;
    float *gradients[LS_SUBTREES_MAX];
    const float **terms; /* of expressions, at the slice in hand */
    float *sum;          /* [LS_STRIP_FLOATS] */

    /* Signals: a record a rank. */
    double *all_records, *own_records; /* own_records: where there are messages */
    MPI_Request records_under_way;

    /* The step in hand. */
    ls_contribution mine;
    int64_t mark;    /* the group's marks in this step are this plus what is finished, and plus count + 1 at its end */
    bool informed;   /* all records are here */
    bool sound;      /* no record forbids the update */
    bool advancing;  /* within advance(): the pool's tasks call it again */
    double looked_s; /* when it last was called */
    int64_t opened, sent, applied, done; /* buckets that have come through each stage */
};

/* Numbers in a rank's record: flags and its lanes' values. */
int64_t ls_exchange_record_doubles(const ls_lanes *lanes, int values);

/* ---- of one bucket; all members of the group are through with it ---- */

/* Adds up this group's partial sums for the ranks that this one is a server for, and sends them. */
void ls_exchange_send_partials(ls_exchange *x, int64_t bucket);
/* Adds up this rank's slice, of what has arrived too, and updates its weights. */
void ls_exchange_update_slice(ls_exchange *x, int64_t bucket);
/* The same in two steps, where the gradient is clipped. The first keeps the sum and notes what it adds to the norm; the
 * second updates the weights by the sum times the factor. */
void ls_exchange_measure_slice(ls_exchange *x, int64_t bucket);
void ls_exchange_update_measured_slice(ls_exchange *x, int64_t bucket, float factor);

#endif
