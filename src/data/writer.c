/* writer.c - writes a data set from all ranks at once.
 *
 * The file grows by windows of one stripe a rank, a stripe being some whole blocks. Samples come in rank order, in runs
 * that know nothing of blocks, so each is sent to the rank that has its stripe; a full window is one collective write
 * of whole chunks. So a chunk is filtered once, by one rank, and what the file holds does not depend on the number of
 * ranks. Data, labels and names are columns treated alike. */
#define _GNU_SOURCE /* fallocate */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <inttypes.h>
#include <limits.h>
#include <mpi.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../par/comm_mpi.h"
#include "data_format.h"
#include "lockstep/dataset.h"
#include "lockstep/file.h"
#include "lockstep/memory.h"

enum { COLUMNS_MAX = 3, BLOCKS_WANTED = 256, BLOCK_BYTES = 1 << 20 };

/* A stripe is as long as makes the collective calls few; the reserves are more than HDF5 is known to need. */
enum { STRIPE_BYTES = 4 << 20, METADATA_BYTES = 1 << 20, CHUNK_EXTRA_BYTES = 256 };

typedef struct column {
    const char *name;
    hid_t type, dataset;
    int dims;
    hsize_t block_dim[1 + LS_DIMS_MAX]; /* of a chunk */
    int64_t item_bytes;                 /* of one sample */
    MPI_Datatype item;
    void *stripe; /* this rank's part of the window */
} column;

struct ls_writer {
    const ls_comm *comm;
    ls_writer_spec spec;          /* its pointers are valid in ls_writer_open only */
    ls_file file;                 /* open on rank 0 */
    hid_t hdf5, text, collective; /* text: the type of a name; collective: how to write */
    column column[COLUMNS_MAX];
    int columns;
    int64_t block_samples, stripe_samples;
    int64_t count;                                /* samples of all ranks so far */
    uint64_t content;                             /* sum of the hashes of the samples that this rank wrote */
    int64_t *begin;                               /* [size + 1] where each rank's samples of this append begin */
    int *sent, *sent_at, *received, *received_at; /* [size] of one exchange */
    ls_failure failure;                           /* the first one: a file that it has cannot be kept */
};

/* Under the lock. */
static ls_status fail_write(const ls_writer *writer) {
    return LS_RAISE(LS_ERROR, "%s: cannot be written: %s", writer->file.path, ls_hdf5_reason());
}

int64_t ls_writer_block_samples(const ls_writer_spec *spec) {
    int64_t sample_bytes = ls_shape_count(&spec->shape) * ls_element_bytes(spec->element);
    int64_t block = BLOCK_BYTES / sample_bytes;
    if (block > spec->max_count / BLOCKS_WANTED) block = spec->max_count / BLOCKS_WANTED;
    return block > 0 ? block : 1;
}

/* --- opening --- */

static column *add_column(ls_writer *writer, const char *name, hid_t type) {
    column *c = &writer->column[writer->columns++];
    *c = (column){.name = name, .type = type, .dataset = H5I_INVALID_HID, .dims = 1, .item = MPI_DATATYPE_NULL};
    c->block_dim[0] = (hsize_t)writer->block_samples;
    c->item_bytes = (int64_t)H5Tget_size(type);
    return c;
}

static void add_columns(ls_writer *writer) {
    const ls_writer_spec *spec = &writer->spec;
    hid_t element = spec->element == LS_ELEMENT_UINT8 ? H5T_NATIVE_UINT8 : H5T_NATIVE_FLOAT;
    column *data = add_column(writer, LS_DATA_SET, element);
    for (int d = 0; d < spec->shape.dims; d++) data->block_dim[data->dims++] = (hsize_t)spec->shape.dim[d];
    data->item_bytes *= ls_shape_count(&spec->shape);
    if (spec->labelled) (void)add_column(writer, LS_DATA_LABELS, H5T_NATIVE_INT32);
    if (spec->named) (void)add_column(writer, LS_DATA_NAMES, writer->text);
}

static ls_status allocate(ls_writer *writer) {
    int64_t size = writer->comm->size;
    for (int i = 0; i < writer->columns; i++) {
        column *c = &writer->column[i];
        LS_TRY(ls_alloc(&c->stripe, writer->stripe_samples, (size_t)c->item_bytes, "a part of the data set"));
    }
    LS_TRY(ls_alloc(&writer->begin, size + 1, sizeof(int64_t), "the writer"));
    LS_TRY(ls_alloc(&writer->sent, 4 * size, sizeof(int), "the writer"));
    writer->sent_at = writer->sent + size;
    writer->received = writer->sent + 2 * size;
    writer->received_at = writer->sent + 3 * size;
    return LS_OK;
}

/* Local, rank 0. What is reserved behind the end of a file is not held against the limit of file sizes. */
static ls_status allocate_behind_end(const ls_writer *writer, int64_t bytes) {
    struct stat info;
    struct rlimit limit;
    int failed = fstat(writer->file.fd, &info) != 0 || getrlimit(RLIMIT_FSIZE, &limit) != 0;
    if (failed == 0 && (rlim_t)(info.st_size + bytes) > limit.rlim_cur) {
        errno = EFBIG;
        failed = -1;
    }
    while (failed == 0 && fallocate(writer->file.fd, FALLOC_FL_KEEP_SIZE, info.st_size, bytes) != 0) {
        if (errno == EINTR) continue;
        if (errno == EOPNOTSUPP) break;
        failed = -1;
    }
    if (failed == 0) return LS_OK;
    return LS_RAISE(LS_ERROR, "%s: cannot be written: %s", writer->file.path, strerror(errno));
}

/* Collective. Makes sure that the disk has room for so many samples, and for what HDF5 writes beside them: Open MPI's
 * collective writes can lose an error (4.1.4 on a full disk, with several ranks). File systems that cannot reserve go
 * without. */
static ls_status reserve(const ls_writer *writer, int64_t samples) {
    int64_t bytes = METADATA_BYTES, blocks = samples / writer->block_samples + 1;
    for (int i = 0; i < writer->columns; i++)
        bytes += samples * writer->column[i].item_bytes + blocks * CHUNK_EXTRA_BYTES;
    return ls_agree(writer->comm, writer->comm->rank == 0 ? allocate_behind_end(writer, bytes) : LS_OK);
}

/* Local, rank 0. HDF5 will make the file anew, but what the system says is clearer than what comes back through MPI. */
static ls_status create_empty(ls_writer *writer, const char *path) {
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return LS_RAISE(LS_INVALID, "%s: is a directory; give the name of a file to write", path);
    return ls_file_create(path, &writer->file);
}

static ls_status create_column(ls_writer *writer, column *c) {
    hsize_t none[1 + LS_DIMS_MAX], unlimited[1 + LS_DIMS_MAX];
    memcpy(none, c->block_dim, sizeof none);
    memcpy(unlimited, c->block_dim, sizeof unlimited);
    none[0] = 0;
    unlimited[0] = H5S_UNLIMITED;
    hid_t space = H5Screate_simple(c->dims, none, unlimited);
    hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
    bool ok = space >= 0 && plan >= 0 && H5Pset_chunk(plan, c->dims, c->block_dim) >= 0 &&
              H5Pset_fill_time(plan, H5D_FILL_TIME_NEVER) >= 0 && H5Pset_obj_track_times(plan, false) >= 0;
    if (ok && writer->spec.deflate > 0)
        ok = H5Pset_shuffle(plan) >= 0 && H5Pset_deflate(plan, (unsigned)writer->spec.deflate) >= 0;
    ok = ok && H5Pset_fletcher32(plan) >= 0;
    if (ok) c->dataset = H5Dcreate2(writer->hdf5, c->name, c->type, space, H5P_DEFAULT, plan, H5P_DEFAULT);
    ls_status status = c->dataset >= 0 ? LS_OK : fail_write(writer);
    (void)H5Pclose(plan);
    (void)H5Sclose(space);
    return status;
}

static hid_t create_text_type(size_t length) {
    hid_t type = H5Tcopy(H5T_C_S1);
    (void)H5Tset_size(type, length);
    (void)H5Tset_strpad(type, H5T_STR_NULLPAD);
    (void)H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

/* An attribute of the file. */
static ls_status write_attribute(const ls_writer *writer, const char *name, hid_t type, int64_t count,
                                 const void *value) {
    hsize_t length = (hsize_t)count;
    hid_t space = count > 1 ? H5Screate_simple(1, &length, NULL) : H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(writer->hdf5, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    ls_status status = attribute >= 0 && H5Awrite(attribute, type, value) >= 0 ? LS_OK : fail_write(writer);
    (void)H5Aclose(attribute);
    (void)H5Sclose(space);
    return status;
}

/* Of fixed length: texts of variable length lie in a heap that HDF5 keeps without a checksum. */
static ls_status write_texts(const ls_writer *writer, const char *name, int64_t count, const char *const *texts) {
    size_t length = 1;
    for (int64_t i = 0; i < count; i++)
        if (strlen(texts[i]) > length) length = strlen(texts[i]);
    char *fields;
    LS_TRY(ls_alloc(&fields, count, length, "attributes"));
    for (int64_t i = 0; i < count; i++) memcpy(fields + i * (int64_t)length, texts[i], strlen(texts[i]));
    hid_t type = create_text_type(length);
    ls_status status = write_attribute(writer, name, type, count, fields);
    (void)H5Tclose(type);
    ls_free(fields);
    return status;
}

static ls_status create_contents(ls_writer *writer) {
    const ls_writer_spec *spec = &writer->spec;
    const int32_t format = LS_DATA_FORMAT_VERSION, classes = spec->classes;
    for (int i = 0; i < writer->columns; i++) LS_TRY(create_column(writer, &writer->column[i]));
    LS_TRY(write_attribute(writer, LS_DATA_FORMAT, H5T_NATIVE_INT32, 1, &format));
    LS_TRY(write_attribute(writer, LS_DATA_BLOCK, H5T_NATIVE_INT64, 1, &writer->block_samples));
    if (spec->labelled) LS_TRY(write_attribute(writer, LS_DATA_CLASSES, H5T_NATIVE_INT32, 1, &classes));
    if (spec->labelled && spec->class_names != NULL)
        LS_TRY(write_texts(writer, LS_DATA_CLASS_NAMES, classes, spec->class_names));
    if (spec->settings != NULL) LS_TRY(write_texts(writer, LS_DATA_SETTINGS, 1, &spec->settings));
    return LS_OK;
}

/* Collective. */
static ls_status create_file(ls_writer *writer) {
    LS_TRY(reserve(writer, 0));
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
    (void)H5Pset_obj_track_times(create, false); /* of the root group: the same calls give the same bytes */
    /* From 1.10 on HDF5 can keep a checksum of all that is not data; what is damaged is refused instead of believed. */
    (void)H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
    (void)H5Pset_fapl_mpio(access, ls_comm_mpi(writer->comm), MPI_INFO_NULL);
    writer->hdf5 = H5Fcreate(writer->file.part, H5F_ACC_TRUNC, create, access);
    (void)H5Pclose(create);
    (void)H5Pclose(access);
    LS_TRY(ls_agree(writer->comm, writer->hdf5 >= 0 ? LS_OK : fail_write(writer)));
    LS_TRY(reserve(writer, 0)); /* again, for HDF5 has cut the file */
    return ls_agree(writer->comm, create_contents(writer));
}

static int64_t stripe_blocks(const ls_writer *writer) {
    int64_t sample_bytes = ls_shape_count(&writer->spec.shape) * ls_element_bytes(writer->spec.element);
    int64_t blocks = STRIPE_BYTES / (writer->block_samples * sample_bytes);
    return blocks > 0 ? blocks : 1;
}

static ls_status check_spec(const ls_writer *writer, const char *path) {
    const ls_writer_spec *spec = &writer->spec;
    assert(spec->shape.dims >= 1 && spec->shape.dims <= LS_DIMS_MAX && spec->deflate >= 0 && spec->deflate <= 9);
    char text[LS_SHAPE_TEXT_MAX];
    if (ls_shape_count(&spec->shape) > INT_MAX / ls_element_bytes(spec->element))
        return LS_RAISE(LS_INVALID, "%s: a sample of %s is too large: the limit is 2 GiB", path,
                        ls_shape_text(&spec->shape, text));
    if (spec->labelled && (spec->classes < 1 || spec->classes > LS_CLASSES_MAX))
        return LS_RAISE(LS_INVALID, "%s: %d classes; there must be 1 to %d", path, spec->classes, LS_CLASSES_MAX);
    return LS_OK;
}

static ls_status prepare(ls_writer *writer, const char *path) {
    LS_TRY(check_spec(writer, path));
    writer->block_samples = ls_writer_block_samples(&writer->spec);
    writer->stripe_samples = writer->block_samples * stripe_blocks(writer);
    ls_hdf5_lock();
    writer->text = create_text_type(LS_SAMPLE_NAME_MAX);
    writer->collective = H5Pcreate(H5P_DATASET_XFER);
    (void)H5Pset_dxpl_mpio(writer->collective, H5FD_MPIO_COLLECTIVE);
    add_columns(writer);
    ls_hdf5_unlock();
    for (int i = 0; i < writer->columns; i++) {
        column *c = &writer->column[i];
        (void)MPI_Type_contiguous((int)c->item_bytes, MPI_BYTE, &c->item);
        (void)MPI_Type_commit(&c->item);
    }
    LS_TRY(allocate(writer));
    return writer->comm->rank == 0 ? create_empty(writer, path) : LS_OK;
}

/* Collective; says whether everything reached the file. */
static bool close_file(ls_writer *writer) {
    bool ok = true;
    for (int i = 0; i < writer->columns; i++) {
        hid_t *dataset = &writer->column[i].dataset;
        if (*dataset >= 0) ok &= H5Dclose(*dataset) >= 0;
        *dataset = H5I_INVALID_HID;
    }
    if (writer->hdf5 >= 0) ok &= H5Fclose(writer->hdf5) >= 0;
    writer->hdf5 = H5I_INVALID_HID;
    return ok;
}

/* Collective where the file is open in HDF5. A file that was not given its name is removed. */
static void release(ls_writer *writer) {
    ls_hdf5_lock();
    (void)close_file(writer);
    (void)H5Pclose(writer->collective);
    (void)H5Tclose(writer->text);
    ls_hdf5_unlock();
    ls_file_discard(&writer->file);
    for (int i = 0; i < writer->columns; i++) {
        column *c = &writer->column[i];
        ls_free(c->stripe);
        (void)MPI_Type_free(&c->item);
    }
    ls_free(writer->sent);
    ls_free(writer->begin);
    ls_free(writer);
}

ls_status ls_writer_open(const ls_comm *comm, const char *path, const ls_writer_spec *spec, ls_writer **out) {
    *out = NULL;
    ls_writer *writer = NULL;
    LS_TRY(ls_agree(comm, ls_alloc(&writer, 1, sizeof *writer, "the writer of a data set")));
    writer->comm = comm;
    writer->spec = *spec;
    writer->file.fd = -1;
    writer->hdf5 = writer->text = writer->collective = H5I_INVALID_HID;
    ls_status status = ls_agree(comm, prepare(writer, path));
    if (LS_FAILED(status)) {
        release(writer);
        return status;
    }
    int fd = writer->file.fd;
    ls_comm_broadcast(comm, &writer->file, sizeof writer->file, 0);
    writer->file.fd = fd;
    ls_hdf5_lock();
    status = create_file(writer);
    ls_hdf5_unlock();
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
    for (int i = 0; i < writer->columns; i++) {
        column *c = &writer->column[i];
        (void)MPI_Alltoallv(sources[i], writer->sent, writer->sent_at, c->item, c->stripe, writer->received,
                            writer->received_at, c->item, ls_comm_mpi(writer->comm));
    }
}

static void hash_stripe(ls_writer *writer, int64_t first, int64_t rows) {
    const column *data = &writer->column[0];
    const int32_t *labels = writer->spec.labelled ? writer->column[1].stripe : NULL;
    for (int64_t i = 0; i < rows; i++)
        writer->content += ls_sample_hash((const char *)data->stripe + i * data->item_bytes, data->item_bytes,
                                          labels != NULL ? labels[i] : 0, first + i);
}

/* Collective: every rank makes the same calls, also with no rows of its own. */
static ls_status write_column(ls_writer *writer, column *c, int64_t first, int64_t rows) {
    hsize_t total[1 + LS_DIMS_MAX], stripe[1 + LS_DIMS_MAX], count[1 + LS_DIMS_MAX];
    hsize_t start[1 + LS_DIMS_MAX] = {(hsize_t)first};
    const hsize_t zero[1 + LS_DIMS_MAX] = {0};
    memcpy(total, c->block_dim, sizeof total);
    memcpy(count, c->block_dim, sizeof count);
    memcpy(stripe, c->block_dim, sizeof stripe);
    total[0] = (hsize_t)writer->count;
    count[0] = (hsize_t)rows;
    stripe[0] = (hsize_t)writer->stripe_samples;
    bool ok = H5Dset_extent(c->dataset, total) >= 0;
    hid_t file = H5Dget_space(c->dataset), memory = H5Screate_simple(c->dims, stripe, NULL);
    if (rows > 0) {
        ok = ok && H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, count, NULL) >= 0;
        ok = ok && H5Sselect_hyperslab(memory, H5S_SELECT_SET, zero, NULL, count, NULL) >= 0;
    } else {
        ok = ok && H5Sselect_none(file) >= 0 && H5Sselect_none(memory) >= 0;
    }
    ok = ok && H5Dwrite(c->dataset, c->type, memory, file, writer->collective, c->stripe) >= 0;
    ls_status status = ok ? LS_OK : fail_write(writer);
    (void)H5Sclose(memory);
    (void)H5Sclose(file);
    return status;
}

/* Collective. The window that ends at writer->count. */
static ls_status write_window(ls_writer *writer) {
    int64_t window = (writer->count - 1) / window_samples(writer);
    range stripe = stripe_of(writer, window, writer->comm->rank);
    int64_t rows = writer->count < stripe.end ? writer->count - stripe.first : writer->stripe_samples;
    if (rows < 0) rows = 0;
    hash_stripe(writer, stripe.first, rows);
    ls_hdf5_lock();
    ls_status status = reserve(writer, writer->count - window * window_samples(writer));
    for (int i = 0; i < writer->columns && status == LS_OK; i++)
        status = ls_agree(writer->comm, write_column(writer, &writer->column[i], stripe.first, rows));
    ls_hdf5_unlock();
    return status;
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
    for (int64_t i = 0; writer->spec.labelled && i < count; i++)
        if (labels[i] < 0 || labels[i] >= writer->spec.classes)
            return LS_RAISE(LS_INVALID, "%s: label %" PRId32 " of a sample is not within the %d classes",
                            writer->file.path, labels[i], writer->spec.classes);
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
    char *fields = NULL;
    ls_status status = check_labels(writer, count, labels);
    if (status == LS_OK && writer->spec.named)
        status = ls_alloc(&fields, count, LS_SAMPLE_NAME_MAX, "the names of samples");
    if (LS_FAILED(status = ls_agree(writer->comm, status))) goto done;
    for (int64_t i = 0; writer->spec.named && i < count; i++)
        if (names[i] != NULL) pack_name(names[i], fields + i * LS_SAMPLE_NAME_MAX);
    const void *sources[COLUMNS_MAX] = {data};
    int columns = 1;
    if (writer->spec.labelled) sources[columns++] = labels;
    if (writer->spec.named) sources[columns++] = fields;
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
    if (writer->count == 0) return LS_RAISE(LS_INVALID, "%s: there is no sample to write", writer->file.path);
    if (writer->count % window_samples(writer) != 0) LS_TRY(write_window(writer));
    char text[LS_FINGERPRINT_MAX];
    const char *texts[] = {text};
    uint64_t content = (uint64_t)ls_comm_sum(writer->comm, (int64_t)writer->content);
    ls_fingerprint_text(&writer->spec.shape, writer->spec.element, writer->count, content, text);
    ls_hdf5_lock();
    ls_status status = ls_agree(writer->comm, write_texts(writer, LS_DATA_FINGERPRINT, 1, texts));
    if (status == LS_OK && H5Fflush(writer->hdf5, H5F_SCOPE_GLOBAL) < 0) status = fail_write(writer);
    status = ls_agree(writer->comm, status);
    if (status == LS_OK && !close_file(writer)) status = fail_write(writer);
    ls_hdf5_unlock();
    return ls_agree(writer->comm, status);
}

/* Local. A rank flushes what its node has of the file. */
static ls_status flush_part(const ls_writer *writer) {
    int fd = open(writer->file.part, O_RDWR | O_CLOEXEC);
    ls_status status = LS_OK;
    if (fd < 0 || fsync(fd) != 0)
        status = LS_RAISE(LS_ERROR, "%s: cannot be flushed to disk: %s", writer->file.part, strerror(errno));
    if (fd >= 0) (void)close(fd);
    return status;
}

/* Local, rank 0. Gives back what was reserved and not used. */
static ls_status commit(ls_writer *writer) {
    struct stat info;
    if (fstat(writer->file.fd, &info) == 0) (void)!ftruncate(writer->file.fd, info.st_size);
    return ls_file_commit(&writer->file);
}

/* Collective. */
static ls_status publish(ls_writer *writer) {
    LS_TRY(ls_agree(writer->comm, flush_part(writer)));
    return ls_agree(writer->comm, writer->comm->rank == 0 ? commit(writer) : LS_OK);
}

ls_status ls_writer_close(ls_writer *writer, bool keep) {
    ls_status status = keep ? finish(writer) : LS_OK;
    if (keep && status == LS_OK) status = publish(writer);
    release(writer);
    return status;
}
