/* writer_file.c - creates, fills and publishes the HDF5 file of a new data set, by MPI-IO where there are several
 * ranks. */
#include "store/writer_file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/memory.h"
#include "base/text.h"
#include "par/comm_mpi.h"
#include "store/data_format.h"
#include "store/hdf5.h"

/* Space for what HDF5 writes beside the data: more than it is known to need. */
enum { METADATA_BYTES = 1 << 20, CHUNK_EXTRA_BYTES = 256 };

/* Rows of a chunk of labels, names and hashes, which are small. */
enum { SMALL_CHUNK = 8192 };

/* Under the lock. */
static ls_status fail_write(const ls_writer_file *f) {
    return LS_RAISE(LS_ERROR, "%s: cannot be written: %s", f->file.path, ls_hdf5_reason());
}

/* --- columns --- */

static hid_t create_text_type(size_t length) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, length);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

static ls_column *add_column(ls_writer_file *f, const char *name, hid_t type) {
    int64_t count = f->spec.max_count > 0 ? f->spec.max_count : 1;
    ls_column *c = &f->column[f->columns++];
    *c = (ls_column){.name = name,
                     .type = type,
                     .dataset = H5I_INVALID_HID,
                     .dims = 1,
                     .item_bytes = (int64_t)H5Tget_size(type),
                     .row_samples = 1,
                     .filtered = true};
    c->chunk_dim[0] = (hsize_t)(count < SMALL_CHUNK ? count : SMALL_CHUNK);
    return c;
}

/* Hashes are not filtered, because several ranks write a chunk of them; their sum is checked against the fingerprint.
 */
static void add_columns(ls_writer_file *f) {
    const ls_writer_spec *spec = &f->spec;
    hid_t element = spec->element == LS_ELEMENT_UINT8 ? H5T_NATIVE_UINT8 : H5T_NATIVE_FLOAT;
    ls_column *data = add_column(f, LS_DATA_SET, element);
    data->chunk_dim[0] = (hsize_t)f->block_samples;
    for (int d = 0; d < spec->shape.dims; d++) data->chunk_dim[data->dims++] = (hsize_t)spec->shape.dim[d];
    data->item_bytes *= ls_shape_count(&spec->shape);
    if (spec->labelled) add_column(f, LS_DATA_LABELS, H5T_NATIVE_INT32);
    if (spec->named) add_column(f, LS_DATA_NAMES, f->text);
    f->hashes = f->columns;
    ls_column *hashes = add_column(f, LS_DATA_HASHES, H5T_NATIVE_UINT64);
    hashes->row_samples = f->block_samples;
    hashes->filtered = false;
}

void ls_writer_file_init(ls_writer_file *f, const ls_comm *comm, const ls_writer_spec *spec) {
    *f = (ls_writer_file){.comm = comm, .spec = *spec, .file = {.fd = -1}, .hdf5 = H5I_INVALID_HID};
    f->block_samples = ls_writer_block_samples(spec);
    ls_hdf5_lock();
    f->text = create_text_type(LS_SAMPLE_NAME_MAX);
    f->collective = H5Pcreate(H5P_DATASET_XFER);
    if (comm->size > 1) H5Pset_dxpl_mpio(f->collective, H5FD_MPIO_COLLECTIVE);
    add_columns(f);
    ls_hdf5_unlock();
}

/* --- creating --- */

/* Local, rank 0. */
static ls_status reserve_behind(const ls_writer_file *f, int64_t bytes) {
    if (ls_fd_reserve_behind(f->file.fd, bytes)) return LS_OK;
    return LS_RAISE(LS_ERROR, "%s: cannot be written: %s", f->file.path, strerror(errno));
}

/* Collective. Reserves space on the disk for this many bytes in this many chunks, and for what HDF5 writes beside them.
 * Collective writes of Open MPI can lose an error (4.1.4, full disk, several ranks). On file systems that cannot
 * reserve this does nothing. */
static ls_status reserve(const ls_writer_file *f, int64_t bytes, int64_t chunks) {
    bytes += METADATA_BYTES + chunks * CHUNK_EXTRA_BYTES;
    return ls_agree(f->comm, f->comm->rank == 0 ? reserve_behind(f, bytes) : LS_OK);
}

/* Whether the file is a checkpoint, by its first bytes (seal.h): it has the same ending, and must not be lost. */
static bool is_checkpoint(const char *path) {
    static const char begin[] = "LOCKSTEP";
    char head[sizeof begin - 1];
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    bool is = fread(head, 1, sizeof head, file) == sizeof head && memcmp(head, begin, sizeof head) == 0;
    fclose(file);
    return is;
}

ls_status ls_writer_file_open(ls_writer_file *f, const char *path) {
    struct stat info;
    bool there = stat(path, &info) == 0;
    if (there && S_ISDIR(info.st_mode))
        return LS_RAISE(LS_INVALID, "%s: is a directory; give the name of a file to write", path);
    if (there && S_ISREG(info.st_mode) && is_checkpoint(path))
        return LS_RAISE(LS_INVALID, "%s: is a checkpoint; give another name, or remove it first", path);
    char place[LS_PATH_MAX];
    LS_TRY(ls_file_follow(path, place));
    LS_TRY(ls_file_create(place, &f->file));
    ls_file_guard(&f->file);
    return LS_OK;
}

static ls_status create_column(ls_writer_file *f, ls_column *c) {
    hsize_t none[1 + LS_DIMS_MAX], unlimited[1 + LS_DIMS_MAX];
    memcpy(none, c->chunk_dim, sizeof none);
    memcpy(unlimited, c->chunk_dim, sizeof unlimited);
    none[0] = 0;
    unlimited[0] = H5S_UNLIMITED;
    hid_t space = H5Screate_simple(c->dims, none, unlimited);
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    bool ok = space >= 0 && properties >= 0 && H5Pset_chunk(properties, c->dims, c->chunk_dim) >= 0 &&
              H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER) >= 0 && H5Pset_obj_track_times(properties, false) >= 0;
    if (ok && c->filtered && f->spec.deflate > 0)
        ok = H5Pset_shuffle(properties) >= 0 && H5Pset_deflate(properties, (unsigned)f->spec.deflate) >= 0;
    if (ok && c->filtered) ok = H5Pset_fletcher32(properties) >= 0;
    if (ok) c->dataset = H5Dcreate2(f->hdf5, c->name, c->type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    ls_status status = c->dataset >= 0 ? LS_OK : fail_write(f);
    H5Pclose(properties);
    H5Sclose(space);
    return status;
}

/* An attribute of the file. */
static ls_status write_attribute(const ls_writer_file *f, const char *name, hid_t type, int64_t count,
                                 const void *value) {
    hsize_t length = (hsize_t)count;
    hid_t space = count > 1 ? H5Screate_simple(1, &length, NULL) : H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(f->hdf5, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    ls_status status = attribute >= 0 && H5Awrite(attribute, type, value) >= 0 ? LS_OK : fail_write(f);
    H5Aclose(attribute);
    H5Sclose(space);
    return status;
}

/* Texts of fixed length: HDF5 has no checksum for those of variable length. */
static ls_status write_fields(const ls_writer_file *f, const char *name, int64_t count, char *const *texts) {
    size_t length = 1;
    for (int64_t i = 0; i < count; i++)
        if (strlen(texts[i]) > length) length = strlen(texts[i]);
    char *fields;
    LS_TRY(ls_alloc(&fields, count, length, "attributes"));
    for (int64_t i = 0; i < count; i++) memcpy(fields + i * (int64_t)length, texts[i], strlen(texts[i]));
    hid_t type = create_text_type(length);
    ls_status status = write_attribute(f, name, type, count, fields);
    H5Tclose(type);
    ls_free(fields);
    return status;
}

/* The texts are marked as UTF-8, so they must be UTF-8. */
static ls_status write_texts(const ls_writer_file *f, const char *name, int64_t count, const char *const *texts) {
    char **clean;
    LS_TRY(ls_alloc(&clean, count, sizeof *clean, "attributes"));
    ls_status status = LS_OK;
    for (int64_t i = 0; i < count && status == LS_OK; i++) {
        clean[i] = ls_utf8_copy(texts[i]);
        if (clean[i] == NULL) status = LS_RAISE(LS_ERROR, "no memory for attributes");
    }
    if (status == LS_OK) status = write_fields(f, name, count, clean);
    for (int64_t i = 0; i < count; i++) free(clean[i]);
    ls_free(clean);
    return status;
}

static ls_status create_contents(ls_writer_file *f) {
    const ls_writer_spec *spec = &f->spec;
    int32_t format = LS_DATA_FORMAT_VERSION, classes = spec->classes;
    for (int i = 0; i < f->columns; i++) LS_TRY(create_column(f, &f->column[i]));
    LS_TRY(write_attribute(f, LS_DATA_FORMAT, H5T_NATIVE_INT32, 1, &format));
    LS_TRY(write_attribute(f, LS_DATA_BLOCK, H5T_NATIVE_INT64, 1, &f->block_samples));
    if (spec->labelled) LS_TRY(write_attribute(f, LS_DATA_CLASSES, H5T_NATIVE_INT32, 1, &classes));
    if (spec->labelled && spec->class_names != NULL)
        LS_TRY(write_texts(f, LS_DATA_CLASS_NAMES, classes, spec->class_names));
    if (spec->settings != NULL) LS_TRY(write_texts(f, LS_DATA_SETTINGS, 1, &spec->settings));
    return LS_OK;
}

/* Collective. */
static ls_status create_file(ls_writer_file *f) {
    LS_TRY(reserve(f, 0, 0));
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(create, false); /* of the root group: the same calls give the same bytes */
    /* Since 1.10 HDF5 has a checksum for all metadata, so that a damaged file is refused. */
    H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
    /* One rank alone does not need MPI-IO, which Open MPI cannot open without mpirun (see comm.c). */
    H5Pset_file_locking(access, false, true); /* the .part file is locked already */
    if (f->comm->size > 1) H5Pset_fapl_mpio(access, ls_comm_mpi(f->comm), MPI_INFO_NULL);
    f->hdf5 = H5Fcreate(f->file.part, H5F_ACC_TRUNC, create, access);
    H5Pclose(create);
    H5Pclose(access);
    LS_TRY(ls_agree(f->comm, f->hdf5 >= 0 ? LS_OK : fail_write(f)));
    LS_TRY(reserve(f, 0, 0)); /* again, because HDF5 has truncated the file */
    return ls_agree(f->comm, create_contents(f));
}

ls_status ls_writer_file_create(ls_writer_file *f) {
    int fd = f->file.fd;
    ls_comm_broadcast(f->comm, &f->file, sizeof f->file, 0);
    f->file.fd = fd;
    ls_hdf5_lock();
    ls_status status = create_file(f);
    ls_hdf5_unlock();
    return status;
}

/* --- writing --- */

static hsize_t rows_of(const ls_column *c, int64_t samples) {
    return (hsize_t)((samples + c->row_samples - 1) / c->row_samples);
}

/* Collective: every rank makes the same calls, also without rows of its own. */
static ls_status write_column(ls_writer_file *f, const ls_column *c, const ls_writer_part *part, const void *stripe) {
    hsize_t total[1 + LS_DIMS_MAX], room[1 + LS_DIMS_MAX], count[1 + LS_DIMS_MAX];
    hsize_t start[1 + LS_DIMS_MAX] = {rows_of(c, part->first)};
    const hsize_t zero[1 + LS_DIMS_MAX] = {0};
    memcpy(total, c->chunk_dim, sizeof total);
    memcpy(count, c->chunk_dim, sizeof count);
    memcpy(room, c->chunk_dim, sizeof room);
    total[0] = rows_of(c, part->end);
    count[0] = rows_of(c, part->rows);
    room[0] = rows_of(c, part->room);
    bool ok = H5Dset_extent(c->dataset, total) >= 0;
    hid_t file = H5Dget_space(c->dataset), memory = H5Screate_simple(c->dims, room, NULL);
    if (part->rows > 0) {
        ok = ok && H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, count, NULL) >= 0;
        ok = ok && H5Sselect_hyperslab(memory, H5S_SELECT_SET, zero, NULL, count, NULL) >= 0;
    } else {
        ok = ok && H5Sselect_none(file) >= 0 && H5Sselect_none(memory) >= 0;
    }
    ok = ok && H5Dwrite(c->dataset, c->type, memory, file, f->collective, stripe) >= 0;
    ls_status status = ok ? LS_OK : fail_write(f);
    H5Sclose(memory);
    H5Sclose(file);
    return status;
}

ls_status ls_writer_file_write(ls_writer_file *f, int column, const ls_writer_part *part, const void *stripe) {
    const ls_column *c = &f->column[column];
    int64_t rows = (int64_t)rows_of(c, part->end - part->begin), chunk = (int64_t)c->chunk_dim[0];
    int64_t chunks = (rows + chunk - 1) / chunk + !c->filtered; /* a chunk is always written as a whole */
    ls_hdf5_lock();
    ls_status status = reserve(f, chunks * chunk * c->item_bytes, chunks);
    if (status == LS_OK) status = ls_agree(f->comm, write_column(f, c, part, stripe));
    ls_hdf5_unlock();
    return status;
}

/* --- closing --- */

/* Collective. Whether everything reached the file. */
static bool close_file(ls_writer_file *f) {
    bool ok = true;
    for (int i = 0; i < f->columns; i++) {
        hid_t *dataset = &f->column[i].dataset;
        if (*dataset >= 0) ok &= H5Dclose(*dataset) >= 0;
        *dataset = H5I_INVALID_HID;
    }
    if (f->hdf5 >= 0) ok &= H5Fclose(f->hdf5) >= 0;
    f->hdf5 = H5I_INVALID_HID;
    return ok;
}

ls_status ls_writer_file_finish(ls_writer_file *f, const char *fingerprint) {
    ls_hdf5_lock();
    ls_status status = ls_agree(f->comm, write_texts(f, LS_DATA_FINGERPRINT, 1, &fingerprint));
    if (status == LS_OK && H5Fflush(f->hdf5, H5F_SCOPE_GLOBAL) < 0) status = fail_write(f);
    status = ls_agree(f->comm, status);
    if (status == LS_OK && !close_file(f)) status = fail_write(f);
    ls_hdf5_unlock();
    return ls_agree(f->comm, status);
}

/* Local. Flushes what the host of this rank holds of the file. */
static ls_status flush_part(const ls_writer_file *f) {
    int fd = open(f->file.part, O_RDWR | O_CLOEXEC);
    ls_status status = LS_OK;
    if (fd < 0 || fsync(fd) != 0)
        status = LS_RAISE(LS_ERROR, "%s: cannot be flushed to disk: %s", f->file.part, strerror(errno));
    if (fd >= 0) close(fd);
    return status;
}

/* Local, rank 0. Frees the space that was reserved and not used, and names the file. */
static ls_status commit(ls_writer_file *f) {
    struct stat info;
    if (fstat(f->file.fd, &info) == 0) (void)!ftruncate(f->file.fd, info.st_size);
    return ls_file_commit(&f->file);
}

ls_status ls_writer_file_publish(ls_writer_file *f) {
    LS_TRY(ls_agree(f->comm, flush_part(f)));
    return ls_agree(f->comm, f->comm->rank == 0 ? commit(f) : LS_OK);
}

void ls_writer_file_release(ls_writer_file *f) {
    ls_hdf5_lock();
    (void)close_file(f);
    H5Pclose(f->collective);
    H5Tclose(f->text);
    ls_hdf5_unlock();
    ls_file_discard(&f->file);
}
