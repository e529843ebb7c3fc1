/* time_breakdown.c - gathers the ranks' seconds, and says who needed least and most. */
#include "train/time_breakdown.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"

static const char *const names[LS_TIMES] = {"read", "compute", "exchange", "waiting", "validation", "checkpoint"};

typedef struct share {
    double seconds[LS_TIMES];
    char host[LS_HOST_MAX];
} share; /* of a rank */

typedef struct extremes {
    int least, most; /* ranks */
} extremes;

static double tenth_of_ms(double seconds) { return round(seconds * 1e4) / 1e4; }

static ls_epoch_time add_up(const share *shares, int ranks, int item, extremes *who) {
    double sum = 0;
    *who = (extremes){0};
    for (int rank = 0; rank < ranks; rank++) {
        double seconds = shares[rank].seconds[item];
        sum += seconds;
        if (seconds < shares[who->least].seconds[item]) who->least = rank;
        if (seconds > shares[who->most].seconds[item]) who->most = rank;
    }
    return (ls_epoch_time){.name = names[item],
                           .least_s = tenth_of_ms(shares[who->least].seconds[item]),
                           .mean_s = tenth_of_ms(sum / ranks),
                           .most_s = tenth_of_ms(shares[who->most].seconds[item])};
}

static void describe(const share *shares, const ls_epoch_time *time, const extremes *who, char *text, size_t capacity) {
    (void)snprintf(text, capacity, "%s %.3f (rank %d on %s) / %.3f / %.3f (rank %d on %s)", time->name, time->least_s,
                   who->least, shares[who->least].host, time->mean_s, time->most_s, who->most, shares[who->most].host);
}

ls_status ls_time_breakdown(const ls_comm *comm, int64_t epoch, const double *seconds, ls_epoch_time *times) {
    share *shares, mine = {.host = ""};
    memcpy(mine.seconds, seconds, sizeof mine.seconds);
    memcpy(mine.host, comm->host, sizeof mine.host);
    LS_TRY(ls_agree(comm, ls_alloc(&shares, comm->size, sizeof *shares, "the ranks' times")));
    ls_comm_gather_all(comm, &mine, sizeof mine, shares);
    char line[LS_MESSAGE_MAX], text[LS_TIMES][256];
    for (int item = 0; item < LS_TIMES; item++) {
        extremes who;
        times[item] = add_up(shares, comm->size, item, &who);
        describe(shares, &times[item], &who, text[item], sizeof text[item]);
    }
    (void)snprintf(line, sizeof line, "%s, %s, %s, %s, %s, %s", text[0], text[1], text[2], text[3], text[4], text[5]);
    ls_log_detail("epoch %" PRId64 ": seconds of ranks, least / mean / most: %s", epoch, line);
    ls_free(shares);
    return LS_OK;
}
