/* Data files that lead elsewhere: what is out of the file is refused before it is opened; virtual data sets are read
 * where all their parts are there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <hdf5.h>

#include "data/dataset.h"
#include "store/hdf5.h"
#include "support/nets.h"
#include "support/plain_dataset.h"
#include "support/scratch.h"

enum { COUNT = 12, PIXELS = 6 };

/* What is plain in every way. */
static plain_dataset usual(void) {
    return (plain_dataset){.type = H5T_STD_U8LE, .dims = 2, .dim = {COUNT, PIXELS}, .chunk = 4};
}

static const char *whole_file(const char *name) {
    const char *path = scratch_path(name);
    plain_dataset what = usual();
    plain_dataset_write(path, &what);
    return path;
}

static hid_t create(const char *path) {
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file < 0) abort();
    return file;
}

static void expect_refused(const char *path, const char *reason) {
    ls_dataset *dataset;
    assert_int_equal(ls_dataset_open(&path, 1, &dataset), LS_INVALID);
    assert_null(dataset);
    const char *message = ls_failure_get()->message;
    if (strstr(message, reason) == NULL || strstr(message, path) == NULL) fail_msg("'%s' in: %s", reason, message);
}

static void expect_usual(const char *path) {
    ls_dataset *dataset;
    uint8_t data[COUNT * PIXELS];
    expect_ok(ls_dataset_open(&path, 1, &dataset));
    expect_ok(ls_dataset_read(dataset, 0, COUNT, data, NULL));
    for (int i = 0; i < COUNT * PIXELS; i++) assert_int_equal(data[i], plain_byte(i / PIXELS, i % PIXELS));
    ls_dataset_close(dataset);
}

/* --- links --- */

static void links_out_of_the_file_are_refused(void **unused) {
    (void)unused;
    static const char *const names[] = {"/data", "/labels", "/names"};
    const char *other = whole_file("other.h5"), *pipe = scratch_path("pipe"), *path = scratch_path("links.h5");
    plain_dataset what = usual();
    assert_int_equal(mkfifo(pipe, 0666), 0); /* whoever opens it waits for ever */
    const char *const targets[] = {other, pipe, "/dev/zero", scratch_path("nothing.h5")};
    for (size_t t = 0; t < sizeof targets / sizeof *targets; t++)
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            plain_dataset_write(path, &what);
            ls_hdf5_lock();
            hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
            if (n == 0) H5Ldelete(file, "/data", H5P_DEFAULT);
            H5Lcreate_external(targets[t], "/data", file, names[n], H5P_DEFAULT, H5P_DEFAULT);
            H5Fclose(file);
            ls_hdf5_unlock();
            expect_refused(path, targets[t]);
            expect_refused(path, names[n]);
        }
}

/* A link within the file is as good as the array, but not where its way leads out and back. */
static void soft_links_are_followed_within_the_file(void **unused) {
    (void)unused;
    const char *other = whole_file("behind.h5");
    for (int out = 0; out < 2; out++) {
        const char *path = whole_file(out ? "soft-out.h5" : "soft.h5");
        ls_hdf5_lock();
        hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        H5Lmove(file, "/data", file, "/samples", H5P_DEFAULT, H5P_DEFAULT);
        H5Lcreate_external(other, "/", file, "/elsewhere", H5P_DEFAULT, H5P_DEFAULT);
        H5Lcreate_soft(out ? "/elsewhere/data" : "/samples", file, "/data", H5P_DEFAULT, H5P_DEFAULT);
        H5Fclose(file);
        ls_hdf5_unlock();
        if (out)
            expect_refused(path, other);
        else
            expect_usual(path);
    }
}

static void external_storage_is_refused(void **unused) {
    (void)unused;
    const char *path = scratch_path("external.h5");
    const hsize_t dim[] = {COUNT, PIXELS};
    ls_hdf5_lock();
    hid_t file = create(path), space = H5Screate_simple(2, dim, NULL), plan = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(plan, "/dev/zero", 0, COUNT * PIXELS);
    H5Dclose(H5Dcreate2(file, "/data", H5T_STD_U8LE, space, H5P_DEFAULT, plan, H5P_DEFAULT));
    H5Pclose(plan);
    H5Sclose(space);
    H5Fclose(file);
    ls_hdf5_unlock();
    expect_refused(path, "lie in another file, '/dev/zero'");
}

/* --- virtual data sets --- */

/* A map of `parts` files of COUNT / 2 samples each, named relative to it; rows: how many samples it has. */
static const char *write_map(const char *name, const char *const *part, int parts, hsize_t rows) {
    const char *path = scratch_path(name);
    const hsize_t dim[] = {rows, PIXELS}, half[] = {COUNT / 2, PIXELS};
    ls_hdf5_lock();
    hid_t file = create(path), space = H5Screate_simple(2, dim, NULL), from = H5Screate_simple(2, half, NULL);
    hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
    for (int i = 0; i < parts; i++) {
        const hsize_t start[] = {(hsize_t)i * COUNT / 2, 0};
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, half, NULL);
        H5Pset_virtual(plan, space, part[i], "/data", from);
    }
    hid_t set = H5Dcreate2(file, "/data", H5T_STD_U8LE, space, H5P_DEFAULT, plan, H5P_DEFAULT);
    H5Dclose(set);
    H5Pclose(plan);
    H5Sclose(from);
    H5Sclose(space);
    H5Fclose(file);
    ls_hdf5_unlock();
    return path;
}

static void virtual_data_sets_need_all_their_parts(void **unused) {
    (void)unused;
    const char *const twice[] = {"part.h5", "part.h5"}, *const missing[] = {"part.h5", "moved.h5"};
    const char *const pipes[] = {"part.h5", "vpipe"}, *const cut[] = {"part.h5", "short.h5"};
    const char *const outside[] = {"part.h5", "indirect.h5"}, *const maps[] = {"part.h5", "map.h5"};
    plain_dataset half = usual();
    half.dim[0] = COUNT / 2;
    plain_dataset_write(scratch_path("part.h5"), &half);
    const char *path = write_map("map.h5", twice, 2, COUNT);
    ls_dataset *dataset;
    uint8_t data[COUNT * PIXELS];
    expect_ok(ls_dataset_open(&path, 1, &dataset));
    expect_ok(ls_dataset_read(dataset, 0, COUNT, data, NULL));
    for (int i = 0; i < COUNT * PIXELS; i++)
        assert_int_equal(data[i], plain_byte(i / PIXELS % (COUNT / 2), i % PIXELS));
    expect_ok(ls_dataset_check_files(dataset));
    assert_int_equal(truncate(scratch_path("part.h5"), 100), 0);
    assert_int_equal(ls_dataset_check_files(dataset), LS_INVALID);
    ls_dataset_close(dataset);
    plain_dataset_write(scratch_path("part.h5"), &half);

    expect_refused(write_map("map-missing.h5", missing, 2, COUNT), "moved.h5");
    assert_int_equal(mkfifo(scratch_path("vpipe"), 0666), 0);
    expect_refused(write_map("map-pipe.h5", pipes, 2, COUNT), "a pipe or a device");
    half.dim[0] = COUNT / 2 - 1;
    plain_dataset_write(scratch_path("short.h5"), &half);
    expect_refused(write_map("map-short.h5", cut, 2, COUNT), "not as long as its place");
    expect_refused(write_map("map-gap.h5", twice, 2, COUNT + 1), "no part fills");
    expect_refused(write_map("map-of-map.h5", maps, 2, COUNT), "itself a map");
    ls_hdf5_lock();
    hid_t file = create(scratch_path("indirect.h5"));
    H5Lcreate_external("/dev/zero", "/data", file, "/data", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    ls_hdf5_unlock();
    expect_refused(write_map("map-outside.h5", outside, 2, COUNT), "/dev/zero");
}

/* One that is cut while it is read is found by the next read of its samples, and by no read of others. */
static void parts_are_as_long_as_they_were(void **unused) {
    (void)unused;
    const char *const parts[] = {"first.h5", "second.h5"}, *path = write_map("map-cut.h5", parts, 2, COUNT);
    plain_dataset half = usual();
    half.dim[0] = COUNT / 2;
    half.chunk = 0;
    plain_dataset_write(scratch_path("first.h5"), &half);
    plain_dataset_write(scratch_path("second.h5"), &half);
    ls_dataset *dataset;
    uint8_t data[COUNT * PIXELS];
    expect_ok(ls_dataset_open(&path, 1, &dataset));
    assert_int_equal(truncate(scratch_path("second.h5"), 1000), 0);
    assert_int_equal(ls_dataset_read(dataset, 0, COUNT, data, NULL), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "second.h5: had "));
    assert_int_equal(ls_dataset_read(dataset, COUNT / 2, 1, data, NULL), LS_INVALID);
    assert_int_equal(ls_dataset_read(dataset, COUNT - 1, 1, data, NULL), LS_INVALID);
    expect_ok(ls_dataset_read(dataset, 0, 1, data, NULL));
    ls_dataset_close(dataset);
}

/* --- what HDF5 says --- */

static void what_is_there_is_listed(void **unused) {
    (void)unused;
    const char *path = whole_file("names.h5");
    ls_hdf5_lock();
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Lmove(file, "/data", file, "/x_train", H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(H5Gcreate2(file, "/weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Fclose(file);
    ls_hdf5_unlock();
    expect_refused(path, "has no /data");
    expect_refused(path, "weights: no array; x_train: uint8 [12, 6]");
}

/* /data, or /labels, that is there but is no array. */
static void what_is_no_array_is_told(void **unused) {
    (void)unused;
    const char *path = whole_file("group.h5");
    ls_hdf5_lock();
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Lmove(file, "/data", file, "/x", H5P_DEFAULT, H5P_DEFAULT);
    hid_t group = H5Gcreate2(file, "/data", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Lmove(file, "/x", group, "train", H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(group);
    H5Fclose(file);
    ls_hdf5_unlock();
    expect_refused(path, "/data is a group, not an array; it holds: train: uint8 [12, 6]");
    static const char *const targets[] = {"/nix", "/labels"}; /* the second to itself */
    for (int t = 0; t < 2; t++) {
        path = whole_file("dangling.h5");
        ls_hdf5_lock();
        file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        H5Lcreate_soft(targets[t], file, "/labels", H5P_DEFAULT, H5P_DEFAULT);
        H5Fclose(file);
        ls_hdf5_unlock();
        expect_refused(path, t == 0 ? "/labels is a link to /nix, which is not there" : "/labels is a link to /labels");
        expect_refused(path, "data: uint8 [12, 6]");
    }
}

static void other_types_are_told(void **unused) {
    (void)unused;
    const char *path = scratch_path("wide-floats.h5");
    plain_dataset what = usual();
    what.type = H5T_IEEE_F64LE;
    plain_dataset_write(path, &what);
    expect_refused(path, "it is: float64 [12, 6]");
    expect_refused(path, "x.astype('float32')");
}

static void filters_that_are_missing_are_named(void **unused) {
    (void)unused;
    const char *path = scratch_path("zstd.h5");
    const hsize_t dim[] = {COUNT, PIXELS};
    ls_hdf5_lock();
    hid_t file = create(path), space = H5Screate_simple(2, dim, NULL), plan = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plan, 2, dim);
    H5Pset_filter(plan, 32015, H5Z_FLAG_OPTIONAL, 0, NULL);
    H5Dclose(H5Dcreate2(file, "/data", H5T_STD_U8LE, space, H5P_DEFAULT, plan, H5P_DEFAULT));
    H5Pclose(plan);
    H5Sclose(space);
    H5Fclose(file);
    bool there = H5Zfilter_avail(32015) > 0;
    ls_hdf5_unlock();
    if (there) return;
    expect_refused(path, "zstd (filter 32015)");
    expect_refused(path, "it has deflate, shuffle, fletcher32");
}

/* HDF5's newer format notes that a file is open for writing; who is killed leaves the mark. */
static void a_killed_writer_is_told_of(void **unused) {
    (void)unused;
    const char *path = scratch_path("left.h5");
    ls_hdf5_lock();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    H5Fclose(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access));
    pid_t writer = fork();
    if (writer == 0) {
        if (H5Fopen(path, H5F_ACC_RDWR, access) < 0) _exit(1);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_int_equal(status, 0);
    ls_hdf5_unlock();
    expect_refused(path, "h5clear -s");
    ls_hdf5_lock();
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Fflush(file, H5F_SCOPE_GLOBAL);
    ls_hdf5_unlock();
    ls_dataset *dataset;
    assert_int_equal(ls_dataset_open(&path, 1, &dataset), LS_INVALID);
    ls_hdf5_lock();
    H5Fclose(file);
    H5Pclose(access);
    ls_hdf5_unlock();
}

/* Numbers of labels and attributes that are as long as HDF5 allows would take gigabytes to convert. */
static void elements_have_a_size(void **unused) {
    (void)unused;
    const char *path = whole_file("wide.h5");
    const hsize_t dim = COUNT;
    ls_hdf5_lock();
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate_simple(1, &dim, NULL);
    hid_t type = H5Tcopy(H5T_STD_I64LE), plan = H5Pcreate(H5P_DATASET_CREATE);
    H5Tset_size(type, 1 << 20);
    H5Pset_chunk(plan, 1, (const hsize_t[]){1});
    hid_t set = H5Dcreate2(file, "/labels", type, space, H5P_DEFAULT, plan, H5P_DEFAULT);
    H5Dclose(set);
    H5Pclose(plan);
    H5Tclose(type);
    H5Sclose(space);
    H5Fclose(file);
    ls_hdf5_unlock();
    if (set < 0) skip(); /* HDF5 1.14 makes no such file */
    expect_refused(path, "/labels must be 12 integers");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_out_of_the_file_are_refused),
        cmocka_unit_test(soft_links_are_followed_within_the_file),
        cmocka_unit_test(external_storage_is_refused),
        cmocka_unit_test(virtual_data_sets_need_all_their_parts),
        cmocka_unit_test(parts_are_as_long_as_they_were),
        cmocka_unit_test(what_is_there_is_listed),
        cmocka_unit_test(what_is_no_array_is_told),
        cmocka_unit_test(other_types_are_told),
        cmocka_unit_test(filters_that_are_missing_are_named),
        cmocka_unit_test(a_killed_writer_is_told_of),
        cmocka_unit_test(elements_have_a_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
