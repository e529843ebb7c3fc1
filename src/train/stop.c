/* stop.c - a signal handler may do little more than set a mark, and that is all it does. */
#include "train/stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t requested;

static void note(int signal_number) {
    if (requested && signal_number == SIGINT) {
        signal(SIGINT, SIG_DFL);
        raise(SIGINT);
    }
    requested = 1;
}

void ls_stop_watch(void) {
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART}, before;
    requested = 0;
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGHUP, NULL, &before);
    if (before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, NULL);
}

bool ls_stop_requested(void) { return requested != 0; }
