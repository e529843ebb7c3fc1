/* main.c - the program: parses the command line, runs the command on all ranks, and ends every rank with the same
 * status. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/command.h"
#include "par/launcher.h"
#include "store/data_probe.h"

/* Output contains names from files, whose control characters must not reach a terminal. (glibc lets stdout be set.) */
static void guard_output(void) {
    FILE *guarded = ls_text_stream(STDOUT_FILENO);
    if (guarded != NULL) stdout = guarded;
}

/* Output that was not written is a failure too. */
static ls_status flush_output(void) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return LS_OK;
    return LS_RAISE(LS_ERROR, "cannot write to the standard output: %s", strerror(errno));
}

/* The words of the command line and the version, a line each. *text is the caller's (free). */
static ls_status join_words(int argc, char *const *argv, char **text) {
    size_t bytes;
    FILE *out = open_memstream(text, &bytes);
    if (out == NULL) return LS_RAISE(LS_ERROR, "no memory for the command line");
    for (int i = 1; i < argc; i++) fprintf(out, "%s\n", argv[i]);
    fputs(LS_VERSION, out);
    return fclose(out) == 0 ? LS_OK : LS_RAISE(LS_ERROR, "no memory for the command line");
}

/* Collective. Ranks that were told different things would wait for each other for ever. */
static ls_status check_same_words(const ls_comm *comm, int argc, char *const *argv) {
    char *mine = NULL, *first = NULL;
    ls_status status = join_words(argc, argv, &mine);
    int64_t bytes = status == LS_OK ? (int64_t)strlen(mine) + 1 : 1;
    int64_t room = ls_comm_max(comm, bytes);
    if (status == LS_OK) status = ls_alloc(&first, room, 1, "the command line");
    status = ls_agree(comm, status);
    if (status == LS_OK) {
        if (comm->rank == 0) memcpy(first, mine, (size_t)bytes);
        ls_comm_broadcast(comm, first, room, 0);
        if (strcmp(first, mine) != 0)
            status = LS_RAISE(LS_INVALID,
                              "rank %d has other words on its command line than rank 0, or is another "
                              "version of lockstep; start all ranks alike",
                              comm->rank);
        status = ls_agree(comm, status);
    }
    ls_free(first);
    free(mine);
    return status;
}

static ls_status run(const ls_comm *comm, int argc, char *const *argv, const ls_call *call) {
    LS_TRY(check_same_words(comm, argc, argv));
    LS_TRY(call->command->run(comm, call));
    return ls_agree(comm, flush_output());
}

/* When the first rank exits, the launcher may end the others by TERM (mpirun, srun --kill-on-bad-exit). That signal
 * must not become the status of the job. */
static void keep_status(void) { (void)signal(SIGTERM, SIG_IGN); }

/* Logs a failure without MPI: all processes found the same one. The launcher ends all of them when the first one exits,
 * so the others wait until rank 0 has logged it. */
static void fail_apart(int rank) {
    enum { PATIENCE_S = 1 };
    keep_status();
    ls_log_failure();
    if (rank > 0) sleep(PATIENCE_S);
}

/* The ranks agree on a failure. MPI_Finalize waits for all ranks, so none exits before all have come here. */
static ls_status run_parallel(int argc, char **argv, int launched_as, const ls_call *call) {
    ls_comm comm;
    ls_status status = ls_comm_init(&comm, &argc, &argv);
    if (status != LS_OK) {
        fail_apart(launched_as);
    } else {
        ls_log_init(comm.rank);
        status = run(&comm, argc, argv, call);
        if (status != LS_OK) keep_status();
        if (status != LS_OK) ls_log_failure();
    }
    ls_log_close();
    ls_comm_finalize(&comm);
    return status;
}

/* Data files are tried in another process, which is this program too (data_probe.h). */
static void name_prober(void) {
    char program[LS_PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0) return;
    program[length] = '\0';
    ls_data_probe_by(program);
}

static ls_status print_help(int rank, const ls_call *call) {
    if (rank > 0) return LS_OK;
    ls_call_print_help(call, stdout);
    ls_status status = flush_output();
    if (status != LS_OK) ls_log_failure();
    return status;
}

int main(int argc, char **argv) {
    ls_call call;
    int rank = ls_launcher_find().rank;
    if (argc > 2 && strcmp(argv[1], LS_PROBE_WORD) == 0) return ls_data_probe_answer(argc - 2, argv + 2);
    name_prober();
    if (argc > 0) ls_program_set(argv[0]);
    (void)signal(SIGXFSZ, SIG_IGN); /* so that a write beyond the limit of file sizes fails with a message */
    ls_fd_allow_many();
    guard_output();
    ls_log_init(rank);
    ls_status status = ls_call_parse(argc, argv, &call);
    if (status != LS_OK)
        fail_apart(rank);
    else if (call.help || call.version || call.tables)
        status = print_help(rank, &call);
    else
        status = run_parallel(argc, argv, rank, &call);
    ls_call_release(&call);
    return (int)status;
}
