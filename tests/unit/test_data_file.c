/* Data files whose attributes and sizes were made to harm: refused, or put right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <hdf5.h>

#include "base/memory.h"
#include "data/dataset.h"
#include "store/hdf5.h"
#include "support/nets.h"
#include "support/plain_dataset.h"
#include "support/scratch.h"

enum { COUNT = 10, PIXELS = 6 };

static const char *write_file(int64_t count) {
    static const int32_t labels[COUNT] = {0, 1, 2, 3};
    const char *path = scratch_path("hostile.h5");
    plain_dataset_write(path, &(plain_dataset){.type = H5T_STD_U8LE,
                                               .dims = 2,
                                               .dim = {(hsize_t)count, PIXELS},
                                               .chunk = 4,
                                               .label_count = COUNT,
                                               .labels = labels});
    return path;
}

static const char *write_file_with(const char *name, int64_t value) {
    const char *path = write_file(COUNT);
    ls_hdf5_lock();
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(file, name, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, H5T_NATIVE_INT64, &value) >= 0);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Fclose(file);
    ls_hdf5_unlock();
    return path;
}

static void expect_refused(const char *path, const char *reason) {
    ls_dataset *dataset;
    assert_int_equal(ls_dataset_open(&path, 1, &dataset), LS_INVALID);
    assert_null(dataset);
    if (strstr(ls_failure_get()->message, reason) == NULL) fail_msg("'%s' in: %s", reason, ls_failure_get()->message);
}

static void classes_have_bounds(void **unused) {
    (void)unused;
    static const int64_t bad[] = {0, -1, LS_CLASSES_MAX + 1, (INT64_C(1) << 32) + 5, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_refused(write_file_with("classes", bad[i]), "attribute classes");
    expect_refused(write_file_with("classes", 3), "label 3 of sample 3 is not within 0..2");
    const char *path = write_file_with("classes", LS_CLASSES_MAX);
    ls_dataset *dataset;
    expect_ok(ls_dataset_open(&path, 1, &dataset));
    assert_int_equal(ls_dataset_get_info(dataset)->classes, LS_CLASSES_MAX);
    ls_dataset_close(dataset);
}

/* A block of more samples than there are is all of them: in a file of which some samples could not be read that is
 * right, and sums of it must not overflow. */
static void a_block_is_at_most_everything(void **unused) {
    (void)unused;
    static const int64_t large[] = {COUNT, COUNT + 1, INT64_MAX};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        const char *path = write_file_with("block_samples", large[i]);
        ls_dataset *dataset;
        ls_span *blocks;
        int64_t count;
        uint8_t last[PIXELS];
        expect_ok(ls_dataset_open(&path, 1, &dataset));
        expect_ok(ls_dataset_blocks(dataset, &blocks, &count));
        assert_true(count == 1 && blocks[0].first == 0 && blocks[0].count == COUNT);
        expect_ok(ls_dataset_fetch(dataset, 1, (const int64_t[]){COUNT - 1}, last, NULL));
        for (int64_t j = 0; j < PIXELS; j++) assert_int_equal(last[j], plain_byte(COUNT - 1, j));
        ls_free(blocks);
        ls_dataset_close(dataset);
    }
    expect_refused(write_file_with("block_samples", 0), "block_samples");
    expect_refused(write_file_with("block_samples", INT64_MIN), "block_samples");
}

/* A short file can claim to hold samples that nobody has memory for, not even for their labels. */
static const char *write_claim(hsize_t samples) {
    const char *path = write_file(COUNT);
    const hsize_t dim[] = {samples, 1}, chunk[] = {1, 1};
    ls_hdf5_lock();
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate_simple(2, dim, NULL);
    hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plan, 2, chunk);
    H5Ldelete(file, "/data", H5P_DEFAULT);
    hid_t set = H5Dcreate2(file, "/data", H5T_STD_U8LE, space, H5P_DEFAULT, plan, H5P_DEFAULT);
    assert_true(set >= 0);
    H5Dclose(set);
    H5Pclose(plan);
    H5Sclose(space);
    H5Fclose(file);
    ls_hdf5_unlock();
    return path;
}

static void claims_take_no_memory(void **unused) {
    (void)unused;
    expect_refused(write_claim(INT64_MAX), "more samples than there can be");
    expect_refused(write_claim((hsize_t)1 << 50), "1125899906842624 samples of 1 bytes cannot be in");
    expect_refused(write_claim(1000), "must be 1000 integers");
}

/* Whoever opens a pipe that nobody writes to waits for ever. */
static void pipes_are_refused(void **unused) {
    (void)unused;
    const char *path = scratch_path("pipe");
    assert_int_equal(mkfifo(path, 0666), 0);
    expect_refused(path, "is a pipe or a device, not a file");
}

/* HDF5 tells of a failed system call in two lines of times, addresses and numbers. */
static void reasons_are_one_line(void **unused) {
    (void)unused;
    ls_hdf5_lock();
    assert_true(H5Fopen("no such file", H5F_ACC_RDONLY, H5P_DEFAULT) < 0);
    assert_string_equal(ls_hdf5_reason(), "No such file or directory");
    assert_true(H5Fcreate("/dev/full", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT) < 0);
    assert_string_equal(ls_hdf5_reason(), "No space left on device");
    assert_int_equal(ls_hdf5_fault(), LS_ERROR);
    assert_true(H5Dopen2(H5I_INVALID_HID, "/data", H5P_DEFAULT) < 0);
    assert_null(strpbrk(ls_hdf5_reason(), "\n'"));
    assert_true(strlen(ls_hdf5_reason()) > 0);
    assert_int_equal(ls_hdf5_fault(), LS_INVALID);
    ls_hdf5_unlock();
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(classes_have_bounds),
                                       cmocka_unit_test(a_block_is_at_most_everything),
                                       cmocka_unit_test(claims_take_no_memory), cmocka_unit_test(pipes_are_refused),
                                       cmocka_unit_test(reasons_are_one_line)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
