/* data_probe.c - tries data files in a child process. The child is this program, started anew: a fork would break the
 * networks of MPI. It answers through a pipe: a byte for each file that HDF5 could open, then the failure, if one
 * failed. */
#define _GNU_SOURCE /* pipe2 */
#include "store/data_probe.h"
#include "store/hdf5.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/integers.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/data_array_internal.h"
#include "store/data_file_internal.h"

extern char **environ;

/* ANSWER: the descriptor on which the child answers. BASE_SECONDS, BASE_BYTES: processor time and memory that it may
 * use in any case; more is allowed by the bytes of the files, BYTES_A_SECOND. NOT_STARTED: its exit status if it could
 * not be started, as a shell has it. */
enum { ANSWER = 3, BATCH = 256, BASE_SECONDS = 5, BYTES_A_SECOND = 16 << 20, BASE_BYTES = 1 << 30, NOT_STARTED = 127 };

static const char GOOD = '.', BAD = '!';
static char prober[LS_PATH_MAX];

void ls_data_probe_by(const char *program) { snprintf(prober, sizeof prober, "%s", program); }

/* --- the child --- */

/* A limit of the child, and the limit that it was started with, which is never raised. */
typedef struct allowance {
    int resource;
    bool known;
    struct rlimit own;
} allowance;

/* Bytes of all files that the child reads or decodes, and the memory that it may use in any case. */
static int64_t work_bytes, base_bytes;

static void allow(allowance *a, int64_t most) {
    if (!a->known && getrlimit(a->resource, &a->own) != 0) return;
    a->known = true;
    struct rlimit now = a->own;
    if (now.rlim_cur > (rlim_t)most) now.rlim_cur = (rlim_t)most;
    setrlimit(a->resource, &now);
}

/* The memory that the program has mapped already. */
static int64_t mapped_bytes(void) {
    int64_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return INT64_MAX / 2;
    if (fscanf(file, "%" SCNd64, &pages) != 1) pages = 0;
    fclose(file);
    return pages > 0 ? pages * sysconf(_SC_PAGESIZE) : INT64_MAX / 2;
}

/* Sanitizers map far more memory than they use, and end a program that crashes with an exit status of their own. */
#ifdef __has_feature
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HAS_FEATURE(address_sanitizer) ||                 \
    HAS_FEATURE(thread_sanitizer)
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

static void allow_more(int64_t work, int64_t room) {
    static allowance seconds = {.resource = RLIMIT_CPU}, memory = {.resource = RLIMIT_AS};
    work_bytes += work;
    allow(&seconds, BASE_SECONDS + work_bytes / BYTES_A_SECOND);
    if (!IS_SANITIZED) allow(&memory, base_bytes + room);
}

static void set_limits(int count, char *const *paths) {
    int64_t all = 0;
    struct stat about;
    for (int i = 0; i < count; i++)
        if (stat(paths[i], &about) == 0) all += (int64_t)about.st_size;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    base_bytes = mapped_bytes() + BASE_BYTES + 4 * all;
    allow_more(all, 0);
}

/* Compressed samples need more memory than the file's bytes. The header may be trusted here: opening has checked that
 * the file is large enough for its samples and chunks. HDF5 allocates a chunk several times, for its filters. */
static void allow_for_samples(const ls_data_file *file) {
    const ls_dataset_info *info = &file->info;
    int64_t unit = ls_data_array_unit(file), block = ls_max(unit, info->block_samples);
    int64_t samples = ls_min(info->count, LS_FINGERPRINT_PROBES * unit) + 2 * block;
    int64_t labels = 2 * (int64_t)sizeof(int64_t) * info->count, chunk = ls_data_array_chunk_bytes(&file->layout);
    for (int i = 0; i < file->part_count; i++) chunk = ls_max(chunk, ls_data_array_chunk_bytes(&file->parts[i].layout));
    allow_more(samples * info->sample_bytes + labels, 4 * block * info->sample_bytes + 8 * chunk + labels);
}

/* After the header, attributes and labels: the first block and its names. */
static ls_status try_file(ls_data_file *file) {
    int64_t count = file->info.block_samples;
    ls_sample_name *names = NULL;
    void *block;
    LS_TRY(ls_alloc(&block, count, (size_t)file->info.sample_bytes, "a block of a data set"));
    ls_status status = ls_data_file_read(file, 0, count, block);
    ls_free(block);
    LS_TRY(status);
    if (!file->info.named) return LS_OK;
    LS_TRY(ls_alloc(&names, count, sizeof *names, "the names of samples"));
    status = ls_data_file_read_names(file, 0, count, names);
    ls_free(names);
    return status;
}

/* A damaged block is reported when it is read; here it only matters that HDF5 returns. */
static ls_status try_path(const char *path) {
    ls_data_file file;
    ls_status status = ls_data_file_open_header(path, &file);
    if (status == LS_OK) {
        allow_for_samples(&file);
        status = ls_data_file_load(&file);
    }
    if (status == LS_OK) (void)try_file(&file);
    if (status == LS_ERROR && ls_hdf5_lacks_memory())
        status = LS_RAISE(
            LS_INVALID,
            "%s: HDF5 fails on its header: it asks for too much memory. The file is damaged or malicious; import "
            "it again",
            path);
    ls_data_file_release(&file);
    return status;
}

static void answer(const void *data, size_t bytes) {
    const char *next = data;
    while (bytes > 0) {
        ssize_t written = write(ANSWER, next, bytes);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) _exit(LS_ERROR);
        next += written;
        bytes -= (size_t)written;
    }
}

int ls_data_probe_answer(int count, char *const *paths) {
    set_limits(count, paths);
    for (int i = 0; i < count; i++) {
        if (try_path(paths[i]) == LS_OK) {
            answer(&GOOD, 1);
            continue;
        }
        answer(&BAD, 1);
        answer(ls_failure_get(), sizeof(ls_failure));
        break;
    }
    return LS_OK;
}

/* --- the parent --- */

/* Starts the child. Returns 0, or the errno of a failure. */
static int start(char *const *paths, int count, int pipe_end, pid_t *child) {
    char *words[BATCH + 3] = {prober, LS_PROBE_WORD};
    for (int i = 0; i < count; i++) words[2 + i] = paths[i];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_end, ANSWER);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int error = posix_spawn(child, prober, &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Reads up to `most` bytes, until the child ends. */
static size_t listen_to(int pipe_end, void *data, size_t most) {
    size_t got = 0;
    while (got < most) {
        ssize_t bytes = read(pipe_end, (char *)data + got, most - got);
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes <= 0) break;
        got += (size_t)bytes;
    }
    return got;
}

/* How a file made HDF5 fail, in words; NULL: something else ended the child, such as a lack of memory or an
 * administrator. */
static const char *harm_of(int status) {
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    if (IS_SANITIZED && WIFEXITED(status)) return "it crashes";
    if (!WIFSIGNALED(status)) return NULL;
    if (WTERMSIG(status) == SIGXCPU) return "it computes without end";
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        if (WTERMSIG(status) == crashes[i]) return "it crashes";
    return NULL;
}

static ls_status fail_probe(const char *path, int status) {
    const char *harm = harm_of(status);
    if (harm != NULL)
        return LS_RAISE(LS_INVALID,
                        "%s: HDF5 fails on its header: %s. The file is damaged or malicious; import it again", path,
                        harm);
    if (WIFSIGNALED(status))
        return LS_RAISE(LS_ERROR, "%s: the process that tries the file was ended (%s), not by the file; try again",
                        path, strsignal(WTERMSIG(status)));
    return LS_RAISE(LS_ERROR, "%s: the process that tries the file ended early, with status %d; try again", path,
                    WEXITSTATUS(status));
}

/* If no child can be started, the files are opened without a trial. */
static ls_status go_without(const char *why) {
    ls_log_warn("cannot start %s to try the data files before they are opened (%s); they are opened without that",
                prober, why);
    return LS_OK;
}

static ls_status judge(char *const *paths, int count, const char *said, size_t bytes, int status) {
    size_t good = 0;
    ls_failure failure;
    while (good < bytes && good < (size_t)count && said[good] == GOOD) good++;
    if (good == (size_t)count) return LS_OK;
    if (bytes == 0 && WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED) return go_without("it ends at once");
    if (bytes < good + 1 + sizeof failure || said[good] != BAD) return fail_probe(paths[good], status);
    memcpy(&failure, said + good + 1, sizeof failure);
    return ls_failure_set(&failure);
}

static ls_status probe(char *const *paths, int count) {
    char said[BATCH + 1 + sizeof(ls_failure)];
    int ends[2], status = 0;
    pid_t child;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return LS_RAISE(LS_ERROR, "cannot make a pipe to try the data files: %s", strerror(errno));
    int error = start(paths, count, ends[1], &child);
    close(ends[1]);
    size_t bytes = error == 0 ? listen_to(ends[0], said, sizeof said) : 0;
    close(ends[0]);
    if (error != 0) return go_without(strerror(error));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return judge(paths, count, said, bytes, status);
}

ls_status ls_data_probe(char *const *paths, int count) {
    if (prober[0] == '\0') return LS_OK;
    for (int first = 0; first < count; first += BATCH) LS_TRY(probe(paths + first, (int)ls_min(BATCH, count - first)));
    return LS_OK;
}
