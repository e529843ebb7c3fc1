/* roll_call.c - the packets of a roll call: who sends them, who acknowledges them, and what rank 0 keeps of them. */
#include "train/roll_call.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

/* Opening waits so long for the ranks' first packets, which are repeated meanwhile: UDP may lose some. */
static const double first_call_s = 2, repeat_s = 0.1;

typedef struct packet {
    uint64_t token; /* of the job: anything else that comes to the port is not for us */
    int64_t step;
    int32_t rank, activity;
    double idle_s;
} packet;

/* Where rank 0 listens. */
typedef struct meeting_point {
    uint64_t token;
    uint16_t port; /* in network order; 0: there is none */
    char host[LS_HOST_MAX];
} meeting_point;

struct ls_roll_call {
    const ls_comm *comm;
    int socket, end_event;
    meeting_point point;
    struct sockaddr_in address; /* rank 0's, as this rank reaches it; family 0: it does not */
    ls_answer *latest;          /* [size] */
};

/* ---- sockets ---- */

static void listen_as_rank_0(ls_roll_call *roll) {
    struct sockaddr_in any = {.sin_family = AF_INET};
    socklen_t length = sizeof any;
    memcpy(roll->point.host, roll->comm->host, sizeof roll->point.host);
    if (getrandom(&roll->point.token, sizeof roll->point.token, 0) < 0) return;
    if (bind(roll->socket, (struct sockaddr *)&any, length) != 0) return;
    if (getsockname(roll->socket, (struct sockaddr *)&any, &length) == 0) roll->point.port = any.sin_port;
}

/* A host need not know its own name. */
static void find_rank_0(ls_roll_call *roll) {
    if (roll->point.port == 0) return;
    if (strcmp(roll->point.host, roll->comm->host) == 0) {
        roll->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    } else {
        struct addrinfo *found, wanted = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
        if (getaddrinfo(roll->point.host, NULL, &wanted, &found) != 0) return;
        memcpy(&roll->address, found->ai_addr, sizeof roll->address);
        freeaddrinfo(found);
    }
    roll->address.sin_port = roll->point.port;
}

/* What cannot be sent is not heard, and that is what the report says. */
static void send_packet(const ls_roll_call *roll, const struct sockaddr_in *to, int64_t step, int activity,
                        double idle_s) {
    packet p = {
        .token = roll->point.token, .step = step, .rank = roll->comm->rank, .activity = activity, .idle_s = idle_s};
    (void)sendto(roll->socket, &p, sizeof p, MSG_DONTWAIT, (const struct sockaddr *)to, sizeof *to);
}

static void receive_packet(ls_roll_call *roll, double now_s) {
    packet p;
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    if (recvfrom(roll->socket, &p, sizeof p, MSG_DONTWAIT, (struct sockaddr *)&from, &length) != (ssize_t)sizeof p)
        return;
    if (p.token != roll->point.token || p.rank < 0 || p.rank >= roll->comm->size) return;
    roll->latest[p.rank] = (ls_answer){
        .step = p.step, .activity = p.activity, .heard_s = now_s, .moved_s = now_s - p.idle_s, .reachable = true};
    const ls_answer *own = &roll->latest[0];
    if (roll->comm->rank == 0) send_packet(roll, &from, own->step, own->activity, 0);
}

bool ls_roll_call_listen(ls_roll_call *roll, double wait_s, double now_s) {
    struct pollfd ready[] = {{.fd = roll->end_event, .events = POLLIN}, {.fd = roll->socket, .events = POLLIN}};
    if (poll(ready, 2, (int)(wait_s * 1e3) + 1) <= 0) return true;
    if (ready[0].revents) return false;
    receive_packet(roll, now_s);
    return true;
}

void ls_roll_call_end(ls_roll_call *roll) { (void)eventfd_write(roll->end_event, 1); }

void ls_roll_call_answer(ls_roll_call *roll, int64_t step, int activity, double idle_s) {
    if (roll->comm->rank == 0)
        roll->latest[0] = (ls_answer){.step = step, .activity = activity, .reachable = true};
    else if (roll->address.sin_family != 0)
        send_packet(roll, &roll->address, step, activity, idle_s);
}

/* ---- opening ---- */

static bool all_came(const ls_roll_call *roll) {
    for (int rank = 1; rank < roll->comm->size; rank++)
        if (!roll->latest[rank].reachable) return false;
    return true;
}

/* Until rank 0 has heard all, and each of the others rank 0. */
static void first_call(ls_roll_call *roll) {
    double end_s = ls_clock_s() + first_call_s;
    bool done = roll->comm->size == 1;
    while (!done && ls_clock_s() < end_s) {
        ls_roll_call_answer(roll, 0, 0, 0);
        ls_roll_call_listen(roll, roll->comm->rank == 0 ? 1e-3 : repeat_s, 0);
        done = roll->comm->rank == 0 ? all_came(roll) : roll->latest[0].reachable;
    }
}

static ls_status open_local(ls_roll_call *roll) {
    LS_TRY(ls_alloc(&roll->latest, roll->comm->size, sizeof *roll->latest, "the roll call"));
    roll->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    roll->end_event = eventfd(0, EFD_CLOEXEC);
    if (roll->end_event < 0) return LS_RAISE(LS_ERROR, "cannot make an event for the watchdog");
    return LS_OK;
}

ls_status ls_roll_call_open(const ls_comm *comm, ls_roll_call **out) {
    *out = NULL;
    ls_roll_call *roll = NULL;
    ls_status status = ls_alloc(&roll, 1, sizeof *roll, "the roll call");
    if (status == LS_OK) {
        *roll = (ls_roll_call){.comm = comm, .socket = -1, .end_event = -1};
        status = open_local(roll);
    }
    if (LS_FAILED(status = ls_agree(comm, status))) {
        ls_roll_call_close(roll);
        return status;
    }
    if (comm->rank == 0) listen_as_rank_0(roll);
    ls_comm_broadcast(comm, &roll->point, sizeof roll->point, 0);
    if (comm->rank > 0) find_rank_0(roll);
    first_call(roll);
    *out = roll;
    return LS_OK;
}

void ls_roll_call_close(ls_roll_call *roll) {
    if (roll == NULL) return;
    if (roll->socket >= 0) close(roll->socket);
    if (roll->end_event >= 0) close(roll->end_event);
    ls_free(roll->latest);
    ls_free(roll);
}

const ls_answer *ls_roll_call_latest(const ls_roll_call *roll, int rank) { return &roll->latest[rank]; }
