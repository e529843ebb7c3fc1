/* exchange_group.c - one memory for the ranks of a host: its layout, and waiting in it by futex; see
 * exchange_group_internal.h. */
#include "par/exchange_group_internal.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/spin.h"
#include "par/comm_mpi.h"
#include "par/shards.h"

static const long sleep_ns = 100000000; /* how long a rank sleeps at a time */

/* Each on a cache line of its own. The bell is rung for those who sleep; it is in the first one. */
struct ls_group_mark {
    _Alignas(LS_ALIGN_BYTES) atomic_int_fast64_t mark;
    _Alignas(LS_ALIGN_BYTES) atomic_uint bell;
    atomic_uint sleepers;
};

/* ---- memory ---- */

/* Places in the group's memory, each at a page. */
typedef struct layout {
    int64_t records, weights, gradients, bytes;
} layout;

static int64_t pages(int64_t bytes) { return ls_round_up(bytes, LS_GRAIN_FLOATS * (int64_t)sizeof(float)); }

static int64_t vector_bytes(int64_t count) { return pages(count * (int64_t)sizeof(float)); }

int64_t ls_group_common_bytes(int64_t count) { return vector_bytes(count); }

int64_t ls_group_member_bytes(int subtrees, int64_t count) { return subtrees * vector_bytes(count); }

static layout lay_out(int members, const int *subtrees, int64_t count, int64_t record_doubles) {
    layout at = {.records = pages(members * (int64_t)sizeof(struct ls_group_mark))};
    at.weights = at.records + pages(members * record_doubles * (int64_t)sizeof(double));
    at.gradients = at.weights + vector_bytes(count);
    at.bytes = at.gradients;
    for (int member = 0; member < members; member++) at.bytes += ls_group_member_bytes(subtrees[member], count);
    return at;
}

/* Nothing is touched here: a page lies near whoever touches it first. */
static ls_status alloc_memory(ls_group *group, bool shared, int64_t bytes) {
    if (!shared) return ls_alloc(&group->own, bytes, 1, "weights and gradients");
    return ls_shared_create(group->comm, bytes, &group->shared);
}

static void find_parts(ls_group *group, const layout *at, const int *subtrees) {
    char *memory = group->own != NULL ? group->own : group->shared.data;
    group->marks = (struct ls_group_mark *)memory;
    group->records = (double *)(memory + at->records);
    group->weights = (float *)(memory + at->weights);
    int64_t place = at->gradients;
    for (int member = 0; member < group->members; member++) {
        group->gradients[member] = (float *)(memory + place);
        place += subtrees[member] * group->stride * (int64_t)sizeof(float);
    }
}

/* A member is the first to write its gradients. Its part of the weights, which is its slice where this group is the
 * only one, would be filled by another. */
static void touch_own_weights(ls_group *group) {
    int64_t begin = group->stride * group->member / group->members;
    int64_t end = group->stride * (group->member + 1) / group->members;
    memset(group->weights + begin, 0, (size_t)(end - begin) * sizeof(float));
}

ls_status ls_group_init(ls_group *group, const ls_comm *comm, bool shared, const int *subtrees, int64_t count,
                        int64_t record_doubles) {
    *group = (ls_group){.comm = comm,
                        .members = shared ? comm->host_size : 1,
                        .member = shared ? comm->host_rank : 0,
                        .launcher = (int)getppid()};
    layout at = lay_out(group->members, subtrees, count, record_doubles);
    group->stride = vector_bytes(count) / (int64_t)sizeof(float);
    LS_TRY(alloc_memory(group, shared, at.bytes));
    find_parts(group, &at, subtrees);
    touch_own_weights(group);
    return LS_OK;
}

void ls_group_release(ls_group *group) {
    ls_shared_release(&group->shared);
    ls_free(group->own);
    *group = (ls_group){0};
}

/* ---- marks ---- */

static long futex(atomic_uint *word, int operation, unsigned value, const struct timespec *limit) {
    return syscall(SYS_futex, word, operation, value, limit, NULL, 0);
}

/* Those who sleep count themselves before they look at the marks, and this looks for them after it has raised its own:
 * one of the two sees the other. */
void ls_group_raise(ls_group *group, int64_t mark) {
    struct ls_group_mark *first = group->marks;
    atomic_store(&group->marks[group->member].mark, mark);
    if (atomic_load(&first->sleepers) == 0) return;
    atomic_fetch_add(&first->bell, 1);
    futex(&first->bell, FUTEX_WAKE, (unsigned)group->members, NULL);
}

bool ls_group_reached(const ls_group *group, int64_t mark) {
    for (int member = 0; member < group->members; member++)
        if (atomic_load(&group->marks[member].mark) < mark) return false;
    return true;
}

typedef struct expectation {
    const ls_group *group;
    int64_t mark;
} expectation;

static bool is_met(const void *context) {
    const expectation *e = context;
    return ls_group_reached(e->group, e->mark);
}

/* mpirun ends the ranks when one of them dies; where mpirun itself is gone nobody does, and they would wait for ever.
 */
void ls_group_look_around(const ls_group *group) {
    int flag;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, ls_comm_mpi(group->comm), &flag, MPI_STATUS_IGNORE);
    if (getppid() == group->launcher) return;
    ls_log_rank("on %s the launcher is gone; this rank ends; --resume goes on from the last checkpoint",
                group->comm->host);
    ls_comm_abort(group->comm, LS_LOST);
}

void ls_group_await(ls_group *group, int64_t mark) {
    static const struct timespec limit = {.tv_nsec = sleep_ns};
    struct ls_group_mark *first = group->marks;
    if (ls_spin(is_met, &(expectation){group, mark})) return;
    atomic_fetch_add(&first->sleepers, 1);
    for (unsigned bell = atomic_load(&first->bell); !ls_group_reached(group, mark); bell = atomic_load(&first->bell)) {
        futex(&first->bell, FUTEX_WAIT, bell, &limit);
        ls_group_look_around(group);
    }
    atomic_fetch_sub(&first->sleepers, 1);
}
