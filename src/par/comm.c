/* comm.c - the calls of MPI that are not the exchange's, and memory that a host's ranks share; see comm.h. */
#define _GNU_SOURCE /* memfd_create */

#include "par/comm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "par/comm_mpi.h"
#include "par/launcher.h"

/* MPI counts are ints, and Open MPI is faster with several messages of some MiB than with a long one. */
enum { MESSAGE_BYTES = 16 << 20 };

enum { TAG_COLLECT = 1000 }; /* the exchange's are smaller */

MPI_Comm ls_comm_mpi(const ls_comm *comm) { return comm->handles != NULL ? comm->handles->world : MPI_COMM_SELF; }

/* Open MPI takes 0.2 s to look for cluster networks that a job on one host has no use for. What is in the environment
 * already stays. */
static void shorten_start(const ls_launcher *launcher) {
    if (launcher->size > 0 && launcher->size == launcher->local_size) setenv("OMPI_MCA_pml", "ob1", 0);
}

/* Open MPI, by another MPI's launcher, takes each process for one without a launcher. It would start a daemon for it,
 * which is not wanted and can fail, and all would share one directory, which the first that ends removes under the
 * others. */
static void keep_apart(const ls_launcher *launcher) {
    if (getenv("PMIX_NAMESPACE") != NULL || strcmp(launcher->name, "srun") == 0) return;
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
}

/* A rank that waits gives its core away: its own loader and pool, or other ranks, may need it. */
static void wait_politely(void) { setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0); }

/* "Open MPI v4.1.4" of "Open MPI v4.1.4, package: ...". */
static void library_name(char name[MPI_MAX_LIBRARY_VERSION_STRING]) {
    int length;
    MPI_Get_library_version(name, &length);
    name[strcspn(name, ",\n")] = '\0';
}

/* Each process would take itself for the whole job, and all of them would work on the same run. */
static ls_status refuse_launcher(const ls_launcher *launcher) {
    char library[MPI_MAX_LIBRARY_VERSION_STRING], number[16] = "several";
    library_name(library);
    if (launcher->size > 0) snprintf(number, sizeof number, "%d", launcher->size);
    bool srun = strcmp(launcher->name, "srun") == 0;
    return LS_RAISE(LS_INVALID,
                    "%s started %s processes (%s), but MPI shows each of them only itself: the launcher and the MPI of "
                    "this program, %s, do not belong together. Start with %sthe mpirun of %s",
                    launcher->name, number, launcher->said_by, library, srun ? "'srun --mpi=pmix', or with " : "",
                    library);
}

/* Open MPI ends the process, with advice for those who build it, where srun offers it nothing to connect by. */
static bool cannot_connect(const ls_launcher *launcher) {
#ifdef OPEN_MPI
    return launcher->size > 1 && strcmp(launcher->name, "srun") == 0 && !launcher->connects;
#else
    (void)launcher;
    return false;
#endif
}

/* What MPI finds wrong while ranks talk is the loss of one of them or of the network, unless a message is not what its
 * receiver waits for: then the ranks do different things. MPI's own way would be to end with the number of the error,
 * which can be the number of anything. */
static void end_after_error(MPI_Comm *mpi, int *code, ...) {
    char text[MPI_MAX_ERROR_STRING];
    int length, class;
    MPI_Error_class(*code, &class);
    MPI_Error_string(*code, text, &length);
    bool differ = class == MPI_ERR_TRUNCATE || class == MPI_ERR_COUNT || class == MPI_ERR_TYPE;
    ls_log_rank("MPI: %s; %s", text,
                differ ? "the ranks do not do the same: start all of them with the same words and the same program"
                       : "another rank, or the way to it, is lost; --resume goes on from the last checkpoint");
    MPI_Abort(*mpi, differ ? LS_INVALID : LS_LOST);
}

static void handle_errors(void) {
    MPI_Errhandler handler;
    MPI_Comm_create_errhandler(end_after_error, &handler);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler); /* and all that is split off it */
    MPI_Errhandler_free(&handler);
}

static ls_status check_not_started(void) {
    int started, ended;
    MPI_Initialized(&started);
    MPI_Finalized(&ended);
    if (ended) return LS_RAISE(LS_INVALID, "MPI has ended, and a process cannot start it again");
    if (started) return LS_RAISE(LS_INVALID, "MPI is started already: leave MPI_Init out, for it is started here");
    return LS_OK;
}

/* FUNNELED: the main thread makes every MPI call; the pool's threads only compute, and the loader reads files without
 * MPI. More would make Open MPI lock on every call. */
static ls_status start_mpi(const ls_launcher *launcher, int *argc, char ***argv) {
    int provided;
    shorten_start(launcher);
    keep_apart(launcher);
    wait_politely();
    MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
    handle_errors();
    if (provided < MPI_THREAD_FUNNELED) return LS_RAISE(LS_ERROR, "this MPI was built without support for threads");
    return LS_OK;
}

/* A rank's number among the hosts that are to be pretended; 0 where none are. */
static int pretended_host(int rank) {
    const char *ranks_a_host = getenv("LOCKSTEP_RANKS_A_HOST");
    return ranks_a_host != NULL && atoi(ranks_a_host) > 0 ? rank / atoi(ranks_a_host) : 0;
}

static ls_status know_ranks(ls_comm *comm) {
    MPI_Comm host;
    LS_TRY(ls_alloc(&comm->handles, 1, sizeof *comm->handles, "MPI handles"));
    comm->handles->world = MPI_COMM_WORLD;
    MPI_Comm_rank(MPI_COMM_WORLD, &comm->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &comm->size);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
    MPI_Comm_split(host, pretended_host(comm->rank), 0, &comm->handles->host);
    MPI_Comm_free(&host);
    MPI_Comm_rank(comm->handles->host, &comm->host_rank);
    MPI_Comm_size(comm->handles->host, &comm->host_size);
    return LS_OK;
}

ls_status ls_comm_init(ls_comm *comm, int *argc, char ***argv) {
    ls_launcher launcher = ls_launcher_find();
    *comm = (ls_comm){.size = 1, .host_size = 1};
    gethostname(comm->host, sizeof comm->host - 1);
    if (launcher.alone) return LS_OK;
    if (cannot_connect(&launcher)) return refuse_launcher(&launcher);
    LS_TRY(check_not_started());
    LS_TRY(start_mpi(&launcher, argc, argv));
    LS_TRY(know_ranks(comm));
    bool has_others = launcher.size > 1 || launcher.rank > 0;
    return comm->size == 1 && has_others ? refuse_launcher(&launcher) : LS_OK;
}

void ls_comm_finalize(ls_comm *comm) {
    if (comm->handles == NULL) return;
    MPI_Comm_free(&comm->handles->host);
    ls_free(comm->handles);
    comm->handles = NULL;
    MPI_Finalize();
}

int ls_comm_host_leader(const ls_comm *comm) {
    int leader = comm->rank;
    if (comm->host_size > 1) MPI_Bcast(&leader, 1, MPI_INT, 0, comm->handles->host);
    return leader;
}

ls_cpus ls_comm_host_cpus(const ls_comm *comm) {
    ls_cpus cpus = ls_cpus_allowed();
    if (comm->host_size > 1) MPI_Allreduce(MPI_IN_PLACE, &cpus, sizeof cpus, MPI_BYTE, MPI_BOR, comm->handles->host);
    return cpus;
}

void ls_comm_abort(const ls_comm *comm, int code) {
    if (comm->handles != NULL) MPI_Abort(comm->handles->world, code);
    _exit(code);
}

/* ---- agreement ---- */

/* One small reduction where all is well, which is nearly always; the record travels only when there is one. */
static ls_status agree_over(MPI_Comm mpi, const ls_comm *comm, ls_status status) {
    int rank, size, lowest;
    MPI_Comm_rank(mpi, &rank);
    MPI_Comm_size(mpi, &size);
    int failed = status == LS_OK ? size : rank;
    MPI_Allreduce(&failed, &lowest, 1, MPI_INT, MPI_MIN, mpi);
    if (lowest == size) return LS_OK;

    if (rank == lowest && comm->rank > 0) ls_failure_prefix("rank %d on %s: ", comm->rank, comm->host);
    ls_failure record = *ls_failure_get();
    record.status = status;
    MPI_Bcast(&record, sizeof record, MPI_BYTE, lowest, mpi);
    return ls_failure_set(&record);
}

ls_status ls_agree(const ls_comm *comm, ls_status status) {
    if (comm->size == 1) return status;
    return agree_over(comm->handles->world, comm, status);
}

/* ---- collectives ---- */

void ls_comm_barrier(const ls_comm *comm) {
    if (comm->size > 1) MPI_Barrier(comm->handles->world);
}

static int message_bytes(int64_t left) { return left < MESSAGE_BYTES ? (int)left : MESSAGE_BYTES; }

void ls_comm_broadcast(const ls_comm *comm, void *data, int64_t bytes, int root) {
    if (comm->size == 1) return;
    for (int64_t done = 0; done < bytes; done += MESSAGE_BYTES)
        MPI_Bcast((char *)data + done, message_bytes(bytes - done), MPI_BYTE, root, comm->handles->world);
}

/* `count` bytes of what every rank gives. In all, what the ranks give lies `bytes` apart. */
static void gather_part(const ls_comm *comm, const char *mine, int count, int64_t bytes, char *all) {
    MPI_Datatype run, spaced;
    MPI_Type_contiguous(count, MPI_BYTE, &run);
    MPI_Type_create_resized(run, 0, bytes, &spaced);
    MPI_Type_commit(&spaced);
    MPI_Allgather(mine, count, MPI_BYTE, all, 1, spaced, comm->handles->world);
    MPI_Type_free(&spaced);
    MPI_Type_free(&run);
}

void ls_comm_gather_all(const ls_comm *comm, const void *mine, int64_t bytes, void *all) {
    if (comm->size == 1)
        memcpy(all, mine, (size_t)bytes);
    else if (bytes <= MESSAGE_BYTES)
        MPI_Allgather(mine, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, comm->handles->world);
    else
        for (int64_t done = 0; done < bytes; done += MESSAGE_BYTES)
            gather_part(comm, (const char *)mine + done, message_bytes(bytes - done), bytes, (char *)all + done);
}

static void send_part(const ls_comm *comm, const char *mine, int64_t bytes) {
    MPI_Send(&bytes, 1, MPI_INT64_T, 0, TAG_COLLECT, comm->handles->world);
    for (int64_t done = 0; done < bytes; done += MESSAGE_BYTES)
        MPI_Send(mine + done, message_bytes(bytes - done), MPI_BYTE, 0, TAG_COLLECT, comm->handles->world);
}

/* Returns its length. */
static int64_t receive_part(const ls_comm *comm, int rank, char *out) {
    int64_t bytes;
    MPI_Recv(&bytes, 1, MPI_INT64_T, rank, TAG_COLLECT, comm->handles->world, MPI_STATUS_IGNORE);
    for (int64_t done = 0; done < bytes; done += MESSAGE_BYTES)
        MPI_Recv(out + done, message_bytes(bytes - done), MPI_BYTE, rank, TAG_COLLECT, comm->handles->world,
                 MPI_STATUS_IGNORE);
    return bytes;
}

void ls_comm_collect(const ls_comm *comm, const void *mine, int64_t bytes, void *out) {
    if (comm->rank > 0) {
        send_part(comm, mine, bytes);
        return;
    }
    if (bytes > 0 && out != mine) memcpy(out, mine, (size_t)bytes);
    for (int rank = 1; rank < comm->size; rank++) bytes += receive_part(comm, rank, (char *)out + bytes);
}

static int64_t reduce(const ls_comm *comm, int64_t value, MPI_Op operation) {
    if (comm->size > 1) MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT64_T, operation, comm->handles->world);
    return value;
}

int64_t ls_comm_min(const ls_comm *comm, int64_t value) { return reduce(comm, value, MPI_MIN); }

int64_t ls_comm_max(const ls_comm *comm, int64_t value) { return reduce(comm, value, MPI_MAX); }

int64_t ls_comm_sum(const ls_comm *comm, int64_t value) { return reduce(comm, value, MPI_SUM); }

double ls_comm_max_double(const ls_comm *comm, double value) {
    if (comm->size > 1) MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MAX, comm->handles->world);
    return value;
}

/* ---- memory shared by a host ---- */

/* Why not MPI_Win_allocate_shared: where /dev/shm is too small (containers give 64 MiB) Open MPI 4.1 fails on one rank
 * and hangs the others, or the first touch ends in SIGBUS, and a killed job leaves its file behind. A memfd is memory
 * without a file system: no limit but the memory's, zeroed, placed near whoever touches a page first, gone with its
 * last process. The other ranks open it through the first one's /proc entry. */
typedef struct memory_door {
    int process, descriptor; /* of the host's rank 0 */
    dev_t device;            /* of the memory: to other eyes (a container's) the same path may lead elsewhere */
    ino_t inode;
} memory_door;

static ls_status make_memory(int64_t bytes, memory_door *door) {
    door->process = (int)getpid();
    door->descriptor = memfd_create("lockstep", MFD_CLOEXEC);
    struct stat about;
    if (door->descriptor < 0 || ftruncate(door->descriptor, bytes) != 0 || fstat(door->descriptor, &about) != 0)
        return LS_RAISE(LS_ERROR, "cannot make %lld bytes of shared memory: %s", (long long)bytes, strerror(errno));
    door->device = about.st_dev;
    door->inode = about.st_ino;
    return LS_OK;
}

static bool leads_to(int descriptor, const memory_door *door, int64_t bytes) {
    struct stat about;
    return fstat(descriptor, &about) == 0 && about.st_dev == door->device && about.st_ino == door->inode &&
           about.st_size == bytes;
}

static ls_status map_memory(const memory_door *door, int64_t bytes, void **data) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", door->process, door->descriptor);
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return LS_RAISE(LS_ERROR, "cannot share memory through %s: %s", path, strerror(errno));
    bool right = leads_to(descriptor, door, bytes);
    void *mapped = right ? mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) : MAP_FAILED;
    int error = errno;
    close(descriptor);
    if (!right) return LS_RAISE(LS_ERROR, "cannot share memory through %s: it is something else here", path);
    if (mapped == MAP_FAILED)
        return LS_RAISE(LS_ERROR, "cannot map %lld bytes of shared memory: %s", (long long)bytes, strerror(error));
    *data = mapped;
    return LS_OK;
}

static ls_status agree_on_host(const ls_comm *comm, ls_status status) {
    return comm->host_size == 1 ? status : agree_over(comm->handles->host, comm, status);
}

ls_status ls_shared_create(const ls_comm *comm, int64_t bytes, ls_shared *out) {
    *out = (ls_shared){0};
    memory_door door = {.descriptor = -1};
    ls_status status = comm->host_rank == 0 ? make_memory(bytes, &door) : LS_OK;
    if (LS_FAILED(status = agree_on_host(comm, status))) goto done;
    if (comm->host_size > 1) MPI_Bcast(&door, sizeof door, MPI_BYTE, 0, comm->handles->host);
    status = map_memory(&door, bytes, &out->data);
    out->bytes = bytes;
    /* Agreement is also the moment from which everyone has it open. */
    if (LS_FAILED(status = agree_on_host(comm, status))) ls_shared_release(out);
done:
    if (comm->host_rank == 0 && door.descriptor >= 0) close(door.descriptor);
    return status;
}

void ls_shared_release(ls_shared *shared) {
    if (shared->data != NULL) munmap(shared->data, (size_t)shared->bytes);
    *shared = (ls_shared){0};
}
