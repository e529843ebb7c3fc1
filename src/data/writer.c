/* writer.c - writes a data set from all ranks at once.
 *
 * The file grows by windows of one stripe a rank, a stripe being some whole blocks. Samples come in rank order, in runs
 * that know nothing of blocks, so each is sent to the rank that has its stripe; a full window is one collective write
 * of whole chunks. So a chunk is filtered once, by one rank, and what the file holds does not depend on the number of
 * ranks. Data, labels and names are columns treated alike. */
#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <mpi.h>
#include <string.h>

#include "../par/comm_mpi.h"
#include "data_format.h"
#include "lockstep/memory.h"
#include "writer_file.h"

enum { BLOCKS_WANTED = 256, BLOCK_BYTES = 1 << 20, STRIPE_BYTES = 4 << 20 /* long, to make few collective calls */ };

struct ls_writer {
    const ls_comm *comm;
    ls_writer_file file;
    MPI_Datatype item[LS_COLUMNS_MAX]; /* a sample of each column */
    void *stripe[LS_COLUMNS_MAX];      /* this rank's part of the window */
    int64_t stripe_samples;
    int64_t count;                                /* samples of all ranks so far */
    uint64_t content;                             /* sum of the hashes of the samples that this rank wrote */
    int64_t *begin;                               /* [size + 1] where each rank's samples of this append begin */
    int *sent, *sent_at, *received, *received_at; /* [size] of one exchange */
    ls_failure failure;                           /* the first one: a file that it has cannot be kept */
};

int64_t ls_writer_block_samples(const ls_writer_spec *spec) {
    int64_t sample_bytes = ls_shape_count(&spec->shape) * ls_element_bytes(spec->element);
    int64_t block = BLOCK_BYTES / sample_bytes;
    if (block > spec->max_count / BLOCKS_WANTED) block = spec->max_count / BLOCKS_WANTED;
    return block > 0 ? block : 1;
}

/* --- opening --- */

/* Local. */
static ls_status check_spec(const ls_writer_spec *spec, const char *path) {
    assert(spec->shape.dims >= 1 && spec->shape.dims <= LS_DIMS_MAX && spec->deflate >= 0 && spec->deflate <= 9);
    char text[LS_SHAPE_TEXT_MAX];
    if (ls_shape_count(&spec->shape) > INT_MAX / ls_element_bytes(spec->element))
        return LS_RAISE(LS_INVALID, "%s: a sample of %s is too large: the limit is 2 GiB", path,
                        ls_shape_text(&spec->shape, text));
    if (spec->labelled && (spec->classes < 1 || spec->classes > LS_CLASSES_MAX))
        return LS_RAISE(LS_INVALID, "%s: %d classes; there must be 1 to %d", path, spec->classes, LS_CLASSES_MAX);
    return LS_OK;
}

static int64_t stripe_blocks(const ls_writer_file *file) {
    int64_t sample_bytes = ls_shape_count(&file->spec.shape) * ls_element_bytes(file->spec.element);
    int64_t blocks = STRIPE_BYTES / (file->block_samples * sample_bytes);
    return blocks > 0 ? blocks : 1;
}

/* Local. */
static ls_status allocate(ls_writer *writer) {
    int64_t size = writer->comm->size;
    for (int i = 0; i < writer->file.columns; i++)
        LS_TRY(ls_alloc(&writer->stripe[i], writer->stripe_samples, (size_t)writer->file.column[i].item_bytes,
                        "a part of the data set"));
    LS_TRY(ls_alloc(&writer->begin, size + 1, sizeof(int64_t), "the writer"));
    LS_TRY(ls_alloc(&writer->sent, 4 * size, sizeof(int), "the writer"));
    writer->sent_at = writer->sent + size;
    writer->received = writer->sent + 2 * size;
    writer->received_at = writer->sent + 3 * size;
    return LS_OK;
}

/* Local. */
static ls_status prepare(ls_writer *writer, const char *path) {
    writer->stripe_samples = writer->file.block_samples * stripe_blocks(&writer->file);
    for (int i = 0; i < writer->file.columns; i++) {
        (void)MPI_Type_contiguous((int)writer->file.column[i].item_bytes, MPI_BYTE, &writer->item[i]);
        (void)MPI_Type_commit(&writer->item[i]);
    }
    LS_TRY(allocate(writer));
    return writer->comm->rank == 0 ? ls_writer_file_open(&writer->file, path) : LS_OK;
}

/* Collective where the file is open in HDF5. */
static void release(ls_writer *writer) {
    ls_writer_file_release(&writer->file);
    for (int i = 0; i < LS_COLUMNS_MAX; i++) {
        ls_free(writer->stripe[i]);
        if (writer->item[i] != MPI_DATATYPE_NULL) (void)MPI_Type_free(&writer->item[i]);
    }
    ls_free(writer->sent);
    ls_free(writer->begin);
    ls_free(writer);
}

ls_status ls_writer_open(const ls_comm *comm, const char *path, const ls_writer_spec *spec, ls_writer **out) {
    *out = NULL;
    ls_writer *writer = NULL;
    ls_status status = check_spec(spec, path);
    if (status == LS_OK) status = ls_alloc(&writer, 1, sizeof *writer, "the writer of a data set");
    if (LS_FAILED(status = ls_agree(comm, status))) {
        ls_free(writer); /* another rank's failure */
        return status;
    }
    writer->comm = comm;
    for (int i = 0; i < LS_COLUMNS_MAX; i++) writer->item[i] = MPI_DATATYPE_NULL;
    ls_writer_file_init(&writer->file, comm, spec);
    status = ls_agree(comm, prepare(writer, path));
    if (status == LS_OK) status = ls_writer_file_create(&writer->file);
    if (LS_FAILED(status))
        release(writer);
    else
        *out = writer;
    return status;
}

/* --- appending --- */

typedef struct range {
    int64_t first, end;
} range;

/* The samples in all three ranges: their number, and in *at how far behind `base` they begin. */
static int common(range a, range b, range c, int64_t base, int *at) {
    int64_t first = a.first > b.first ? a.first : b.first, end = a.end < b.end ? a.end : b.end;
    if (first < c.first) first = c.first;
    if (end > c.end) end = c.end;
    *at = first < end ? (int)(first - base) : 0;
    return first < end ? (int)(end - first) : 0;
}

static range run_of(const ls_writer *writer, int rank) { return (range){writer->begin[rank], writer->begin[rank + 1]}; }

static int64_t window_samples(const ls_writer *writer) { return writer->comm->size * writer->stripe_samples; }

static range stripe_of(const ls_writer *writer, int64_t window, int rank) {
    int64_t first = window * window_samples(writer) + rank * writer->stripe_samples;
    return (range){first, first + writer->stripe_samples};
}

/* Sends the samples of `part`, all of one window, from the ranks that append them to those that have their stripes.
 */
static void exchange(ls_writer *writer, const void *const *sources, int64_t window, range part) {
    int me = writer->comm->rank;
    range my_run = run_of(writer, me), my_stripe = stripe_of(writer, window, me);
    for (int r = 0; r < writer->comm->size; r++) {
        writer->sent[r] = common(my_run, stripe_of(writer, window, r), part, my_run.first, &writer->sent_at[r]);
        writer->received[r] = common(run_of(writer, r), my_stripe, part, my_stripe.first, &writer->received_at[r]);
    }
    for (int i = 0; i < writer->file.columns; i++)
        (void)MPI_Alltoallv(sources[i], writer->sent, writer->sent_at, writer->item[i], writer->stripe[i],
                            writer->received, writer->received_at, writer->item[i], ls_comm_mpi(writer->comm));
}

static void hash_stripe(ls_writer *writer, int64_t first, int64_t rows) {
    const char *data = writer->stripe[0];
    const int32_t *labels = writer->file.spec.labelled ? writer->stripe[1] : NULL;
    int64_t item_bytes = writer->file.column[0].item_bytes;
    for (int64_t i = 0; i < rows; i++)
        writer->content += ls_sample_hash(data + i * item_bytes, item_bytes, labels != NULL ? labels[i] : 0, first + i);
}

/* Collective. The window that ends at writer->count. */
static ls_status write_window(ls_writer *writer) {
    int64_t window = (writer->count - 1) / window_samples(writer);
    range stripe = stripe_of(writer, window, writer->comm->rank);
    int64_t rows = writer->count < stripe.end ? writer->count - stripe.first : writer->stripe_samples;
    if (rows < 0) rows = 0;
    hash_stripe(writer, stripe.first, rows);
    ls_writer_part part = {.begin = window * window_samples(writer),
                           .end = writer->count,
                           .first = stripe.first,
                           .rows = rows,
                           .room = writer->stripe_samples};
    return ls_writer_file_write(&writer->file, &part, writer->stripe);
}

/* Collective. */
static ls_status append(ls_writer *writer, int64_t count, const void *const *sources) {
    int size = writer->comm->size;
    ls_comm_gather_all(writer->comm, &count, sizeof count, writer->begin + 1);
    writer->begin[0] = writer->count;
    for (int r = 0; r < size; r++) writer->begin[r + 1] += writer->begin[r];
    while (writer->count < writer->begin[size]) {
        int64_t window = writer->count / window_samples(writer), end = (window + 1) * window_samples(writer);
        range part = {writer->count, end < writer->begin[size] ? end : writer->begin[size]};
        exchange(writer, sources, window, part);
        writer->count = part.end;
        if (part.end == end) LS_TRY(write_window(writer));
    }
    return LS_OK;
}

static ls_status check_labels(const ls_writer *writer, int64_t count, const int32_t *labels) {
    const ls_writer_spec *spec = &writer->file.spec;
    for (int64_t i = 0; spec->labelled && i < count; i++)
        if (labels[i] < 0 || labels[i] >= spec->classes)
            return LS_RAISE(LS_INVALID, "%s: label %" PRId32 " of a sample is not within the %d classes",
                            writer->file.file.path, labels[i], spec->classes);
    return LS_OK;
}

/* Of a name that is too long the end tells more; it is cut between two characters of UTF-8. */
static void pack_name(const char *name, char *field) {
    size_t length = strlen(name);
    if (length > LS_SAMPLE_NAME_MAX) {
        name += length - LS_SAMPLE_NAME_MAX;
        while (((unsigned char)*name & 0xC0) == 0x80) name++;
        length = strlen(name);
    }
    memcpy(field, name, length);
}

ls_status ls_writer_append(ls_writer *writer, int64_t count, const void *data, const int32_t *labels,
                           const char *const *names) {
    const ls_writer_spec *spec = &writer->file.spec;
    char *fields = NULL;
    ls_status status = check_labels(writer, count, labels);
    if (status == LS_OK && spec->named) status = ls_alloc(&fields, count, LS_SAMPLE_NAME_MAX, "the names of samples");
    if (LS_FAILED(status = ls_agree(writer->comm, status))) goto done;
    for (int64_t i = 0; spec->named && i < count; i++)
        if (names[i] != NULL) pack_name(names[i], fields + i * LS_SAMPLE_NAME_MAX);
    const void *sources[LS_COLUMNS_MAX] = {data};
    int columns = 1;
    if (spec->labelled) sources[columns++] = labels;
    if (spec->named) sources[columns++] = fields;
    status = append(writer, count, sources);
done:
    if (status != LS_OK) writer->failure = *ls_failure_get();
    ls_free(fields);
    return status;
}

/* --- closing --- */

/* Collective. Writes what is left and closes the file. */
static ls_status finish(ls_writer *writer) {
    if (writer->failure.status != LS_OK) return ls_failure_set(&writer->failure);
    if (writer->count == 0) return LS_RAISE(LS_INVALID, "%s: there is no sample to write", writer->file.file.path);
    if (writer->count % window_samples(writer) != 0) LS_TRY(write_window(writer));
    char text[LS_FINGERPRINT_MAX];
    const ls_writer_spec *spec = &writer->file.spec;
    uint64_t content = (uint64_t)ls_comm_sum(writer->comm, (int64_t)writer->content);
    ls_fingerprint_text(&spec->shape, spec->element, writer->count, content, text);
    return ls_writer_file_finish(&writer->file, text);
}

ls_status ls_writer_close(ls_writer *writer, bool keep) {
    ls_status status = keep ? finish(writer) : LS_OK;
    if (keep && status == LS_OK) status = ls_writer_file_publish(&writer->file);
    release(writer);
    return status;
}
