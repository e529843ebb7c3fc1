/* writer.c - writes a data set from all ranks at once.
 *
 * A column (data, labels, names, hashes) grows by rounds. A round is one stripe for each rank, and a stripe is some
 * whole chunks. Samples come in rank order, in runs that do not know of chunks, so each sample is sent to the rank that
 * has its stripe; a full round is one collective write of whole chunks. So a chunk is filtered once, by one rank, and
 * the file does not depend on the number of ranks. Hashes are sent for each sample, and written for each block. */
#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/memory.h"
#include "par/comm_mpi.h"
#include "store/data_format.h"
#include "store/writer_file_internal.h"

enum { BLOCKS_WANTED = 256, BLOCK_BYTES = 1 << 20, STRIPE_BYTES = 4 << 20 /* long, to make few collective calls */ };

/* A column on its way to the file. */
typedef struct flow {
    MPI_Datatype item; /* a sample of it */
    void *stripe;      /* this rank's part of the round */
    int64_t stripe_samples;
} flow;

struct ls_writer {
    const ls_comm *comm;
    ls_writer_file file;
    flow flow[LS_COLUMNS_MAX];
    int64_t count;                                /* samples of all ranks so far */
    uint64_t content;                             /* sum of the hashes of the blocks that this rank wrote */
    int64_t *begin;                               /* [size + 1] where the samples of each rank begin in this append */
    int *sent, *sent_at, *received, *received_at; /* [size] of one exchange */
    ls_failure failure;                           /* the first one; after it the file cannot be kept */
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

/* A stripe is whole chunks. That of the hashes is the stripe of the data, which is whole blocks. */
static int64_t stripe_samples(const ls_writer_file *file, int column) {
    const ls_column *c = &file->column[column == file->hashes ? 0 : column];
    int64_t chunk = (int64_t)c->chunk_dim[0], chunks = STRIPE_BYTES / (chunk * c->item_bytes);
    return chunk * (chunks > 0 ? chunks : 1);
}

/* Local. */
static ls_status allocate(ls_writer *writer) {
    int64_t size = writer->comm->size;
    for (int i = 0; i < writer->file.columns; i++)
        LS_TRY(ls_alloc(&writer->flow[i].stripe, writer->flow[i].stripe_samples,
                        (size_t)writer->file.column[i].item_bytes, "a part of the data set"));
    LS_TRY(ls_alloc(&writer->begin, size + 1, sizeof(int64_t), "the writer"));
    LS_TRY(ls_alloc(&writer->sent, 4 * size, sizeof(int), "the writer"));
    writer->sent_at = writer->sent + size;
    writer->received = writer->sent + 2 * size;
    writer->received_at = writer->sent + 3 * size;
    return LS_OK;
}

/* Local. */
static ls_status prepare(ls_writer *writer, const char *path) {
    for (int i = 0; i < writer->file.columns; i++) {
        writer->flow[i].stripe_samples = stripe_samples(&writer->file, i);
        if (writer->comm->size == 1) continue; /* one rank alone may not have started MPI */
        MPI_Type_contiguous((int)writer->file.column[i].item_bytes, MPI_BYTE, &writer->flow[i].item);
        MPI_Type_commit(&writer->flow[i].item);
    }
    LS_TRY(allocate(writer));
    return writer->comm->rank == 0 ? ls_writer_file_open(&writer->file, path) : LS_OK;
}

/* Collective where the file is open in HDF5. */
static void release(ls_writer *writer) {
    ls_writer_file_release(&writer->file);
    for (int i = 0; i < LS_COLUMNS_MAX; i++) {
        ls_free(writer->flow[i].stripe);
        if (writer->flow[i].item != MPI_DATATYPE_NULL) MPI_Type_free(&writer->flow[i].item);
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
    for (int i = 0; i < LS_COLUMNS_MAX; i++) writer->flow[i].item = MPI_DATATYPE_NULL;
    ls_writer_file_init(&writer->file, comm, spec);
    status = ls_agree(comm, prepare(writer, path));
    if (status == LS_OK) status = ls_writer_file_create(&writer->file);
    if (status != LS_OK)
        release(writer);
    else
        *out = writer;
    return status;
}

/* --- appending --- */

typedef struct range {
    int64_t first, end;
} range;

/* The number of samples in all three ranges; *at: their distance from `base`. */
static int common(range a, range b, range c, int64_t base, int *at) {
    int64_t first = a.first > b.first ? a.first : b.first, end = a.end < b.end ? a.end : b.end;
    if (first < c.first) first = c.first;
    if (end > c.end) end = c.end;
    *at = first < end ? (int)(first - base) : 0;
    return first < end ? (int)(end - first) : 0;
}

static range run_of(const ls_writer *writer, int rank) { return (range){writer->begin[rank], writer->begin[rank + 1]}; }

static int64_t round_samples(const ls_writer *writer, int column) {
    return writer->comm->size * writer->flow[column].stripe_samples;
}

static range stripe_of(const ls_writer *writer, int column, int64_t round, int rank) {
    int64_t samples = writer->flow[column].stripe_samples, first = (round * writer->comm->size + rank) * samples;
    return (range){first, first + samples};
}

/* Sends the samples of `part`, all of one round, from the ranks that append them to the ranks that have their stripes.
 */
static void exchange(ls_writer *writer, int column, const void *source, int64_t round, range part) {
    int me = writer->comm->rank;
    const flow *f = &writer->flow[column];
    range my_run = run_of(writer, me), my_stripe = stripe_of(writer, column, round, me);
    for (int r = 0; r < writer->comm->size; r++) {
        range stripe = stripe_of(writer, column, round, r);
        writer->sent[r] = common(my_run, stripe, part, my_run.first, &writer->sent_at[r]);
        writer->received[r] = common(run_of(writer, r), my_stripe, part, my_stripe.first, &writer->received_at[r]);
    }
    int64_t bytes = writer->file.column[column].item_bytes;
    if (writer->comm->size == 1)
        memcpy((char *)f->stripe + writer->received_at[0] * bytes, (const char *)source + writer->sent_at[0] * bytes,
               (size_t)(writer->sent[0] * bytes));
    else
        MPI_Alltoallv(source, writer->sent, writer->sent_at, f->item, f->stripe, writer->received, writer->received_at,
                      f->item, ls_comm_mpi(writer->comm));
}

/* Adds the hashes of samples to hashes of blocks, in place. */
static void sum_blocks(ls_writer *writer, uint64_t *hash, int64_t samples) {
    int64_t block = writer->file.block_samples;
    for (int64_t first = 0; first < samples; first += block) {
        uint64_t sum = 0;
        for (int64_t i = first; i < first + block && i < samples; i++) sum += hash[i];
        hash[first / block] = sum;
        writer->content += sum;
    }
}

/* Collective. Writes the round of a column that ends at `end`. */
static ls_status write_round(ls_writer *writer, int column, int64_t end) {
    int64_t samples = round_samples(writer, column), round = (end - 1) / samples;
    const flow *f = &writer->flow[column];
    range stripe = stripe_of(writer, column, round, writer->comm->rank);
    int64_t rows = end < stripe.end ? end - stripe.first : f->stripe_samples;
    if (rows < 0) rows = 0;
    if (column == writer->file.hashes) sum_blocks(writer, f->stripe, rows);
    ls_writer_part part = {
        .begin = round * samples, .end = end, .first = stripe.first, .rows = rows, .room = f->stripe_samples};
    return ls_writer_file_write(&writer->file, column, &part, f->stripe);
}

/* Collective. Appends the samples of one column. */
static ls_status append_column(ls_writer *writer, int column, const void *source) {
    int64_t at = writer->begin[0], all = writer->begin[writer->comm->size];
    while (at < all) {
        int64_t round = at / round_samples(writer, column), end = (round + 1) * round_samples(writer, column);
        range part = {at, end < all ? end : all};
        exchange(writer, column, source, round, part);
        at = part.end;
        if (at == end) LS_TRY(write_round(writer, column, end));
    }
    return LS_OK;
}

static void hash_samples(const ls_writer *writer, int64_t count, const char *data, const int32_t *labels,
                         uint64_t *hashes) {
    int64_t bytes = writer->file.column[0].item_bytes, first = writer->begin[writer->comm->rank];
    for (int64_t i = 0; i < count; i++)
        hashes[i] = ls_sample_hash(data + i * bytes, bytes, labels != NULL ? labels[i] : 0, first + i);
}

/* Collective. Finds where the samples of each rank begin. */
static void number_samples(ls_writer *writer, int64_t count) {
    ls_comm_gather_all(writer->comm, &count, sizeof count, writer->begin + 1);
    writer->begin[0] = writer->count;
    for (int r = 0; r < writer->comm->size; r++) writer->begin[r + 1] += writer->begin[r];
}

static ls_status check_labels(const ls_writer *writer, int64_t count, const int32_t *labels) {
    const ls_writer_spec *spec = &writer->file.spec;
    for (int64_t i = 0; spec->labelled && i < count; i++)
        if (labels[i] < 0 || labels[i] >= spec->classes)
            return LS_RAISE(LS_INVALID, "%s: label %" PRId32 " of a sample is not within the %d classes",
                            writer->file.file.path, labels[i], spec->classes);
    return LS_OK;
}

/* Of a long name the end is kept, which tells more. It is cut between two characters of UTF-8. */
static void pack_name(const char *name, char *field) {
    size_t length = strlen(name);
    if (length > LS_SAMPLE_NAME_MAX) {
        name += length - LS_SAMPLE_NAME_MAX;
        for (int i = 0; i < 3 && ((unsigned char)*name & 0xC0) == 0x80; i++)
            name++; /* a character has at most 3 such bytes */
        length = strlen(name);
    }
    memcpy(field, name, length);
}

ls_status ls_writer_append(ls_writer *writer, int64_t count, const void *data, const int32_t *labels,
                           const char *const *names) {
    const ls_writer_spec *spec = &writer->file.spec;
    char *fields = NULL;
    uint64_t *hashes = NULL;
    ls_status status = check_labels(writer, count, labels);
    if (status == LS_OK && spec->named) status = ls_alloc(&fields, count, LS_SAMPLE_NAME_MAX, "the names of samples");
    if (status == LS_OK) status = ls_alloc(&hashes, count, sizeof *hashes, "the hashes of samples");
    if (LS_FAILED(status = ls_agree(writer->comm, status))) goto done;
    for (int64_t i = 0; spec->named && i < count; i++)
        if (names[i] != NULL) pack_name(names[i], fields + i * LS_SAMPLE_NAME_MAX);
    number_samples(writer, count);
    hash_samples(writer, count, data, spec->labelled ? labels : NULL, hashes);
    const void *sources[LS_COLUMNS_MAX] = {data};
    int columns = 1;
    if (spec->labelled) sources[columns++] = labels;
    if (spec->named) sources[columns++] = fields;
    sources[columns++] = hashes;
    for (int i = 0; i < columns && status == LS_OK; i++) status = append_column(writer, i, sources[i]);
    writer->count = writer->begin[writer->comm->size];
done:
    if (status != LS_OK) writer->failure = *ls_failure_get();
    ls_free(hashes);
    ls_free(fields);
    return status;
}

/* --- closing --- */

/* Collective. Writes the rest and closes the file. */
static ls_status finish(ls_writer *writer) {
    if (writer->failure.status != LS_OK) return ls_failure_set(&writer->failure);
    if (writer->count == 0) return LS_RAISE(LS_INVALID, "%s: there is no sample to write", writer->file.file.path);
    for (int i = 0; i < writer->file.columns; i++)
        if (writer->count % round_samples(writer, i) != 0) LS_TRY(write_round(writer, i, writer->count));
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
