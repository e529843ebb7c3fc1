/* import.c - imports the samples of a source into a data file: shuffles them, shares them among the ranks, writes them,
 * and reports the samples that were skipped.
 *
 * It works in rounds of some megabytes for each rank, which limits the memory. In a round each rank has a run of the
 * shuffled samples. It leaves out samples that fail, and samples after the last one that is wanted; so the file and the
 * messages do not depend on the number of ranks. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/integers.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"
#include "data/importer.h"
#include "store/writer.h"

enum { ROUND_BYTES = 16 << 20, ROUND_SAMPLES = 256, ROUND_LEAST = 64 /* of all ranks */, FILES_NAMED = 8 };

const ls_option ls_import_options[] = {
    {"output", LS_OPTION_STRING, offsetof(ls_import_settings, output), .required = true,
     .capacity = sizeof((ls_import_settings *)0)->output, .help = "the data set to write (HDF5)", .letter = 'o'},
    {"seed", LS_OPTION_INT, offsetof(ls_import_settings, seed), .preset = "1", .min = 0, .max = 1e15,
     .help = "seed of the order of the samples, and of what is generated"},
    {"deflate", LS_OPTION_INT, offsetof(ls_import_settings, deflate), .preset = "0", .min = 0, .max = 9,
     .help = "level of compression, 0 (none) to 9"},
    {"strict", LS_OPTION_BOOL, offsetof(ls_import_settings, strict), .preset = "false",
     .help = "a sample, folder or link that cannot be read is an error"},
    {"overwrite", LS_OPTION_BOOL, offsetof(ls_import_settings, overwrite), .preset = "false",
     .help = "replace a data set of this name"},
    {"limit", LS_OPTION_INT, offsetof(ls_import_settings, limit), .preset = "0", .min = 0, .max = 1e15,
     .help = "how many of the samples that can be read to import, chosen by the seed; 0: all"},
    LS_OPTIONS_END,
};

typedef struct import_job {
    const ls_comm *comm;
    ls_pool *pool;
    const ls_importer_type *type;
    const ls_import_settings *settings;
    void *source;
    ls_source_info info;
    int64_t *order, count; /* [info.count] the shuffled samples; how many of them are wanted */
    ls_writer *writer;
    int64_t written, skipped; /* on all ranks */
    /* Of this rank in a round: */
    int64_t capacity, sample_bytes;
    const int64_t *samples; /* the numbers of its samples */
    uint8_t *data;
    int32_t *labels;
    const char **names;
    ls_status *status;
    int64_t *good;  /* [size] how many samples of each rank were read */
    FILE *messages; /* why samples were skipped; each text ends with a zero */
} import_job;

/* --- a round --- */

static ls_status read_sample(const import_job *im, int64_t at) {
    im->labels[at] = 0;
    im->names[at] = NULL;
    return im->type->sample(im->source, im->samples[at], im->data + at * im->sample_bytes, &im->labels[at],
                            &im->names[at]);
}

static void read_task(void *context, int64_t task, int thread) {
    (void)thread;
    const import_job *im = context;
    im->status[task] = read_sample(im, task);
}

/* A sample that failed in another thread is read again here, so that its message is in this thread's record. */
static ls_status keep_or_skip(import_job *im, int64_t at, int64_t *kept) {
    ls_status status = im->status[at] == LS_OK ? LS_OK : read_sample(im, at);
    if (status == LS_INVALID && !im->settings->strict) {
        fprintf(im->messages, "%s%c", ls_failure_get()->message, '\0');
        return LS_OK;
    }
    if (status != LS_OK) return status;
    int64_t to = (*kept)++;
    if (to == at) return LS_OK;
    memcpy(im->data + to * im->sample_bytes, im->data + at * im->sample_bytes, (size_t)im->sample_bytes);
    im->labels[to] = im->labels[at];
    im->names[to] = im->names[at];
    return LS_OK;
}

/* Collective. How many of this rank's samples are still wanted, after those of lower ranks. */
static int64_t count_wanted(const import_job *im, int64_t count) {
    int64_t mine = 0, wanted = im->count - im->written;
    for (int64_t i = 0; i < count; i++) mine += im->status[i] == LS_OK;
    ls_comm_gather_all(im->comm, &mine, sizeof mine, im->good);
    for (int r = 0; r < im->comm->rank; r++) wanted -= im->good[r];
    return wanted;
}

/* Local. Moves the samples that were read to the front, in order: *kept of them, at most `wanted`. *seen: how many
 * samples were looked at. */
static ls_status keep_samples(import_job *im, int64_t count, int64_t wanted, int64_t *seen, int64_t *kept) {
    for (*seen = *kept = 0; *seen < count && *kept < wanted; ++*seen) LS_TRY(keep_or_skip(im, *seen, kept));
    return LS_OK;
}

/* Collective. Rank 0 prints the messages of all ranks, in the order of the samples. */
static ls_status report_skipped(const import_job *im, const char *messages, int64_t bytes) {
    int64_t room = ls_comm_max(im->comm, bytes) + 1;
    if (room == 1) return LS_OK;
    char *mine = NULL, *all = NULL;
    ls_status status = ls_alloc(&mine, room, 1, "messages");
    if (status == LS_OK) status = ls_alloc(&all, im->comm->size, (size_t)room, "messages");
    if (LS_FAILED(status = ls_agree(im->comm, status))) goto done;
    memcpy(mine, messages, (size_t)bytes);
    ls_comm_gather_all(im->comm, mine, room, all);
    for (int r = 0; r < im->comm->size; r++)
        for (const char *text = all + r * room; *text != '\0'; text += strlen(text) + 1)
            ls_log_warn("%s: skipped", text);
done:
    ls_free(mine);
    ls_free(all);
    return status;
}

/* Collective. Reads and writes this rank's run of the round's samples. */
static ls_status import_run(import_job *im, int64_t count) {
    char *messages = NULL;
    size_t bytes = 0;
    int64_t seen = 0, kept = 0;
    ls_pool_run(im->pool, count, read_task, im);
    int64_t wanted = count_wanted(im, count);
    im->messages = open_memstream(&messages, &bytes);
    ls_status status = im->messages != NULL ? keep_samples(im, count, wanted, &seen, &kept)
                                            : LS_RAISE(LS_ERROR, "no memory for messages");
    if (im->messages != NULL) fclose(im->messages);
    status = ls_agree(im->comm, status);
    if (status == LS_OK) status = report_skipped(im, messages, (int64_t)bytes);
    if (status == LS_OK) status = ls_writer_append(im->writer, kept, im->data, im->labels, im->names);
    free(messages);
    int64_t written = ls_comm_sum(im->comm, kept);
    im->written += written;
    im->skipped += ls_comm_sum(im->comm, seen) - written;
    return status;
}

static ls_status import_all(import_job *im) {
    int rank = im->comm->rank, size = im->comm->size;
    ls_progress progress;
    ls_progress_begin(&progress, im->type->name, im->count);
    for (int64_t first = 0; first < im->info.count && im->written < im->count;) {
        int64_t enough = ls_max(im->count - im->written, ROUND_LEAST);
        int64_t round = ls_min(ls_min(enough, im->info.count - first), im->capacity * size);
        int64_t begin = round * rank / size, end = round * (rank + 1) / size;
        im->samples = im->order + first + begin;
        LS_TRY(import_run(im, end - begin));
        first += round;
        ls_progress_update(&progress, ls_min(first, im->count), "");
    }
    ls_progress_end(&progress, im->count, "");
    return im->written > 0 ? LS_OK
                           : LS_RAISE(LS_INVALID, "none of the %" PRId64 " samples could be imported", im->skipped);
}

/* --- before the first round --- */

/* Local. */
static ls_status prepare(import_job *im) {
    int64_t bytes = ls_shape_count(&im->info.shape) * ls_element_bytes(im->info.element);
    im->sample_bytes = bytes;
    im->capacity = bytes > ROUND_BYTES ? 1 : ROUND_BYTES / bytes < ROUND_SAMPLES ? ROUND_BYTES / bytes : ROUND_SAMPLES;
    LS_TRY(ls_alloc(&im->data, im->capacity, (size_t)bytes, "a round of samples"));
    LS_TRY(ls_alloc(&im->labels, im->capacity, sizeof *im->labels, "a round of samples"));
    LS_TRY(ls_alloc(&im->names, im->capacity, sizeof *im->names, "a round of samples"));
    LS_TRY(ls_alloc(&im->status, im->capacity, sizeof *im->status, "a round of samples"));
    LS_TRY(ls_alloc(&im->good, im->comm->size, sizeof *im->good, "a round of samples"));
    LS_TRY(ls_alloc(&im->order, im->info.count, sizeof *im->order, "the order of the samples"));
    for (int64_t i = 0; i < im->info.count; i++) im->order[i] = i;
    ls_rng rng = ls_rng_stream((uint64_t)im->settings->seed, LS_RNG_IMPORT, 0, 0);
    ls_rng_shuffle(&rng, 0, im->info.count, im->order);
    im->count = im->settings->limit > 0 ? ls_min(im->settings->limit, im->info.count) : im->info.count;
    return LS_OK;
}

/* Collective. Ranks on different hosts may see different files under the same name. */
static ls_status check_same_source(const import_job *im) {
    int64_t least = ls_comm_min(im->comm, im->info.count), most = ls_comm_max(im->comm, im->info.count);
    if (least != most)
        return LS_RAISE(LS_INVALID, "ranks see different files: %" PRId64 " samples on one, %" PRId64 " on another",
                        least, most);
    int64_t hash = (int64_t)im->info.hash;
    if (ls_comm_min(im->comm, hash) == ls_comm_max(im->comm, hash)) return LS_OK;
    return LS_RAISE(LS_INVALID, "ranks see different files: %" PRId64 " samples on all, but not the same ones", most);
}

static void print_options(FILE *out, const ls_option *table, const void *record) {
    for (const ls_option *option = table; option->name != NULL; option++) {
        fprintf(out, " --%s ", option->name);
        ls_option_print(option, record, out);
    }
}

/* The command line as a text, which the file keeps. Owned by the caller: free. */
static char *describe(const import_job *im, const void *options, const char *const *files, int count) {
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL) return NULL;
    fprintf(out, "lockstep %s %s", im->type->generates ? "synth" : "import", im->type->name);
    for (int i = 0; i < count && i < FILES_NAMED; i++) fprintf(out, " %s", files[i]);
    if (count > FILES_NAMED) fprintf(out, " ... (%d in all)", count);
    print_options(out, im->type->options, options);
    fprintf(out, " --seed %" PRId64 " --limit %" PRId64, im->settings->seed, im->settings->limit);
    fclose(out);
    return text;
}

/* Collective. */
static ls_status open_writer(import_job *im, const void *options, const char *const *files, int count) {
    char *text = describe(im, options, files, count);
    ls_writer_spec spec = {
        .shape = im->info.shape,
        .element = im->info.element,
        .max_count = im->count,
        .labelled = im->info.labelled,
        .named = im->info.named,
        .classes = im->info.classes,
        .class_names = im->info.class_names,
        .settings = text,
        .deflate = (int)im->settings->deflate,
    };
    ls_status status = ls_writer_open(im->comm, im->settings->output, &spec, &im->writer);
    free(text);
    return status;
}

static void release(import_job *im) {
    if (im->source != NULL) im->type->close(im->source);
    ls_free(im->data);
    ls_free(im->labels);
    ls_free(im->names);
    ls_free(im->status);
    ls_free(im->good);
    ls_free(im->order);
}

/* --- the whole import --- */

/* The ending must be that of a data set, and an existing file is not replaced by accident. */
static ls_status check_output(const ls_import_settings *settings, const char *const *files, int count) {
    const char *output = settings->output;
    const char *ending = strrchr(output, '.');
    if (ending == NULL || (strcmp(ending, ".h5") != 0 && strcmp(ending, ".hdf5") != 0))
        return LS_RAISE(LS_INVALID, "%s: a data set's name must end in .h5 or .hdf5", output);
    for (int i = 0; i < count; i++)
        if (ls_file_is_same(output, files[i]))
            return LS_RAISE(LS_INVALID, "%s is one of the files to import; write the data set under another name",
                            output);
    LS_TRY(ls_file_check_folder_of(output));
    return settings->overwrite ? LS_OK : ls_file_check_new(output);
}

static ls_status run(import_job *im, const void *options, const char *const *files, int count) {
    ls_source_request request = {.comm = im->comm,
                                 .pool = im->pool,
                                 .options = options,
                                 .seed = (uint64_t)im->settings->seed,
                                 .files = files,
                                 .count = count,
                                 .strict = im->settings->strict};
    LS_TRY(ls_agree(im->comm, im->comm->rank == 0 ? check_output(im->settings, files, count) : LS_OK));
    LS_TRY(ls_agree(im->comm, im->type->open(&request, &im->source, &im->info)));
    LS_TRY(check_same_source(im));
    im->skipped = im->info.skipped;
    LS_TRY(ls_agree(im->comm, prepare(im)));
    LS_TRY(open_writer(im, options, files, count));
    ls_status status = import_all(im);
    if (im->type->report != NULL) im->type->report(im->comm, im->source);
    ls_status closed = ls_writer_close(im->writer, status == LS_OK);
    return status != LS_OK ? status : closed;
}

/* Reads the header of the new file. */
static ls_status read_info(const char *path, ls_dataset_info *info) {
    ls_dataset *dataset = NULL;
    LS_TRY(ls_dataset_open(&path, 1, &dataset));
    *info = *ls_dataset_get_info(dataset);
    ls_dataset_close(dataset);
    return LS_OK;
}

/* Collective. Rank 0 named the file; on a shared file system other hosts may see it later. */
static ls_status share_info(const ls_comm *comm, const char *path, ls_dataset_info *info) {
    LS_TRY(ls_agree(comm, comm->rank == 0 ? read_info(path, info) : LS_OK));
    ls_comm_broadcast(comm, info, sizeof *info, 0);
    return LS_OK;
}

ls_status ls_import_run(const ls_comm *comm, ls_pool *pool, const ls_importer_type *type, const void *options,
                        const char *const *files, int count, const ls_import_settings *settings,
                        ls_import_result *result) {
    double start_s = ls_clock_s();
    import_job im = {.comm = comm, .pool = pool, .type = type, .settings = settings};
    ls_status status = run(&im, options, files, count);
    release(&im);
    if (status == LS_OK) status = share_info(comm, settings->output, &result->info);
    result->written = im.written;
    result->skipped = im.skipped;
    result->seconds = ls_clock_s() - start_s;
    return status;
}
