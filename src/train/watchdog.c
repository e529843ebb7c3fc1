/* watchdog.c - a thread that compares what has moved with a clock that stands still while the process is suspended. */
#include "train/watchdog.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/beat.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/threads.h"
#include "train/roll_call.h"

enum {
    LISTED_MAX = 12,   /* ranks that a message names */
    LAST_WORDS_S = 10, /* for the message itself: its disk or pipe may be what hangs */
    LAUNCHER_S = 60,   /* that mpirun or srun may take to end the others */
    BELIEF_LOOKS = 5,  /* a rank that has not answered for so many looks is not there */
};

static const char *const activity_texts[LS_ACTIVITIES] = {
    "starting", "waiting for data", "computing", "exchanging gradients", "validating", "saving a checkpoint"};

struct ls_watchdog {
    const ls_comm *comm;
    const ls_pulse *pulse;
    double timeout_s, look_s;
    char (*hosts)[LS_HOST_MAX]; /* [size] */
    ls_roll_call *roll;
    pthread_t thread;
    bool running;

    /* The thread's. awake_s is its clock: it stands still while the process is suspended, with which all that is
     * reckoned from it. */
    double looked_s, awake_s, moved_s, answered_s;
    int64_t beats; /* of the pulse and the process, at moved_s */
};

/* ---- the report ---- */

typedef struct report {
    char text[LS_MESSAGE_MAX];
    int length, listed;
} report;

static void say(report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(report *r, const char *format, ...) {
    int room = (int)sizeof r->text - r->length;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(r->text + r->length, (size_t)room, format, arguments);
    va_end(arguments);
    r->length += length < room ? length : room - 1;
}

static void say_where(report *r, int64_t step, int activity) {
    say(r, "is %s", activity_texts[activity]);
    if (step > 0) say(r, " in step %" PRId64, step);
}

static bool answers(const ls_watchdog *w, int rank) {
    return rank == w->comm->rank || w->awake_s - ls_roll_call_latest(w->roll, rank)->heard_s < BELIEF_LOOKS * w->look_s;
}

/* A later step, or a later activity of the same one. */
static bool is_behind(const ls_answer *a, const ls_answer *b) {
    return a->step < b->step || (a->step == b->step && a->activity < b->activity);
}

static const ls_answer *furthest_answer(const ls_watchdog *w) {
    const ls_answer *furthest = ls_roll_call_latest(w->roll, w->comm->rank);
    for (int rank = 0; rank < w->comm->size; rank++) {
        const ls_answer *answer = ls_roll_call_latest(w->roll, rank);
        if (answers(w, rank) && is_behind(furthest, answer)) furthest = answer;
    }
    return furthest;
}

static void name_missing(const ls_watchdog *w, int rank, const ls_answer *furthest, report *r) {
    const ls_answer *answer = ls_roll_call_latest(w->roll, rank);
    if (answers(w, rank) && !is_behind(answer, furthest)) return;
    if (r->listed++ >= LISTED_MAX) return;
    say(r, "; rank %d on %s ", rank, w->hosts[rank]);
    if (answers(w, rank))
        say_where(r, answer->step, answer->activity);
    else
        say(r, answer->reachable ? "does not answer" : "cannot be asked");
}

/* Rank 0 asks all; the others know of themselves and of rank 0. */
static void name_all_missing(const ls_watchdog *w, report *r) {
    const ls_answer *furthest = furthest_answer(w);
    int asked = w->comm->rank == 0 ? w->comm->size : 1;
    for (int rank = 0; rank < asked; rank++) name_missing(w, rank, furthest, r);
    if (r->listed > LISTED_MAX) say(r, "; and %d more", r->listed - LISTED_MAX);
    if (r->listed == 0) say(r, "; all ranks have come that far");
}

/* Not MPI_Abort: only the main thread may call MPI. A rank that ends without goodbye makes mpirun, and srun with
 * --kill-on-bad-exit, end the others, the stopped ones too. */
static void end_job(const ls_watchdog *w) {
    report r = {.length = 0};
    signal(SIGALRM, SIG_DFL);
    alarm(LAST_WORDS_S);
    say(&r, "nothing has moved for %.3g s (training.stall_timeout): rank %d on %s ", w->timeout_s, w->comm->rank,
        w->comm->host);
    say_where(&r, w->pulse->step, w->pulse->activity);
    name_all_missing(w, &r);
    say(&r, "; the job is ended%s", w->pulse->step > 0 ? "; --resume goes on from the last checkpoint" : "");
    if (w->comm->rank == 0) {
        LS_RAISE(LS_LOST, "%s", r.text);
        ls_log_failure();
    } else {
        ls_log_rank("%s", r.text);
    }
    _exit(LS_LOST);
}

/* ---- watching ---- */

/* What happened between two looks counts as little more than a look: the process may have been suspended. */
static void tell_time(ls_watchdog *w) {
    double now_s = ls_clock_s(), passed_s = now_s - w->looked_s;
    w->looked_s = now_s;
    w->awake_s += passed_s < 2 * w->look_s ? passed_s : 2 * w->look_s;
    int64_t beats = w->pulse->beats + ls_beats();
    if (w->beats == beats) return;
    w->beats = beats;
    w->moved_s = w->awake_s;
}

/* Of all ranks that rank 0 hears of; the others know of themselves. One may read its part of a checkpoint for long, and
 * the rest wait for it. */
static double last_move_s(const ls_watchdog *w) {
    double moved_s = w->moved_s;
    for (int rank = 1; w->comm->rank == 0 && rank < w->comm->size; rank++) {
        double other_s = ls_roll_call_latest(w->roll, rank)->moved_s;
        if (other_s > moved_s) moved_s = other_s;
    }
    return moved_s;
}

/* A rank that gets on says so now and then, and one that does not at every look. */
static bool is_time_to_answer(const ls_watchdog *w, double idle_s) {
    double pause_s = idle_s < w->timeout_s / 2 ? w->timeout_s / 4 : w->look_s;
    return w->awake_s >= w->answered_s + pause_s;
}

/* Rank 0 speaks for all. Only where it does not answer do the others, one after the other, so that the first one's end
 * spares the rest their messages. Where it has answered since nothing moves it has spoken and gone, and the launcher is
 * given time: Open MPI 4.1's mpirun hangs when ranks leave by themselves while it looks for a lost host. */
static bool is_mine_to_end(const ls_watchdog *w, double idle_s) {
    if (w->comm->rank == 0) return idle_s >= w->timeout_s;
    bool has_spoken = ls_roll_call_latest(w->roll, 0)->heard_s > w->moved_s;
    int turn = w->comm->rank < 16 ? w->comm->rank : 16;
    return !answers(w, 0) && idle_s > w->timeout_s + (has_spoken ? LAUNCHER_S : 0) + (1 + turn) * w->look_s;
}

static void *watch(void *context) {
    ls_watchdog *w = context;
    while (ls_roll_call_listen(w->roll, w->look_s, w->awake_s)) {
        tell_time(w);
        double idle_s = w->awake_s - w->moved_s;
        if (!is_time_to_answer(w, idle_s)) continue;
        w->answered_s = w->awake_s;
        ls_roll_call_answer(w->roll, w->pulse->step, w->pulse->activity, idle_s);
        if (is_mine_to_end(w, w->awake_s - last_move_s(w))) end_job(w);
    }
    return NULL;
}

/* ---- starting and stopping ---- */

static ls_status start_thread(ls_watchdog *w) {
    w->looked_s = ls_clock_s();
    LS_TRY(ls_thread_start(&w->thread, watch, w, "the watchdog's thread"));
    w->running = true;
    return LS_OK;
}

ls_status ls_watchdog_start(const ls_comm *comm, const ls_pulse *pulse, double timeout_s, ls_watchdog **out) {
    *out = NULL;
    if (timeout_s == 0) return LS_OK;
    ls_watchdog *w;
    ls_status status = ls_alloc(&w, 1, sizeof *w, "the watchdog");
    if (status == LS_OK) {
        *w = (ls_watchdog){.comm = comm, .pulse = pulse, .timeout_s = timeout_s};
        w->look_s = timeout_s < 10 ? timeout_s / 10 : 1;
        status = ls_alloc(&w->hosts, comm->size, sizeof *w->hosts, "the hosts' names");
    }
    if (LS_FAILED(status = ls_agree(comm, status))) goto failed;
    ls_comm_gather_all(comm, comm->host, sizeof *w->hosts, w->hosts);
    if (LS_FAILED(status = ls_roll_call_open(comm, &w->roll))) goto failed;
    if (LS_FAILED(status = ls_agree(comm, start_thread(w)))) goto failed;
    *out = w;
    return LS_OK;
failed:
    ls_watchdog_stop(w);
    return status;
}

void ls_watchdog_stop(ls_watchdog *w) {
    if (w == NULL) return;
    if (w->running) {
        ls_roll_call_end(w->roll);
        pthread_join(w->thread, NULL);
    }
    ls_roll_call_close(w->roll);
    ls_free(w->hosts);
    ls_free(w);
}
