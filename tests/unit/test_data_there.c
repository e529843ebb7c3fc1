/* Samples that are not there: zeros in their place, or a file that leads elsewhere, are never read as samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <hdf5.h>

#include "lockstep/beat.h"
#include "lockstep/dataset.h"
#include "lockstep/log.h"
#include "lockstep/memory.h"
#include "support/nets.h"
#include "support/plain_dataset.h"
#include "support/scratch.h"

enum { COUNT = 1000, H = 8, W = 4, PIXELS = H * W, CHUNK = 50 };

static const ls_comm alone = {.size = 1, .node_size = 1};

/* --- files --- */

/* As `lockstep import` writes it; the samples of one block are black where `black` is its number. */
static const char *write_ours(const char *name, int deflate, int64_t black) {
    const ls_writer_spec spec = {.shape = {3, {H, W, 1}},
                                 .element = LS_ELEMENT_UINT8,
                                 .max_count = COUNT,
                                 .labelled = true,
                                 .classes = 3,
                                 .deflate = deflate};
    const char *path = scratch_path(name);
    ls_writer *writer;
    int64_t block = ls_writer_block_samples(&spec);
    expect_ok(ls_writer_open(&alone, path, &spec, &writer));
    for (int64_t i = 0; i < COUNT; i++) {
        uint8_t sample[PIXELS] = {0};
        int32_t label = (int32_t)(i % 3);
        for (int64_t j = 0; j < PIXELS && i / block != black; j++) sample[j] = plain_byte(i, j);
        expect_ok(ls_writer_append(writer, 1, sample, &label, NULL));
    }
    expect_ok(ls_writer_close(writer, true));
    return path;
}

static hid_t open_for_writing(const char *path) {
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

static void remove_link(const char *path, const char *link) {
    ls_hdf5_lock();
    hid_t file = open_for_writing(path);
    assert_true(H5Ldelete(file, link, H5P_DEFAULT) >= 0);
    H5Fclose(file);
    ls_hdf5_unlock();
}

/* Where chunk `number` of /data lies. */
static int64_t place_of_chunk(const char *path, int64_t number, int64_t *bytes) {
    haddr_t place;
    hsize_t offset[4], size;
    unsigned mask;
    ls_hdf5_lock();
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(file, "/data", H5P_DEFAULT);
    hid_t space = H5Dget_space(set);
    herr_t got = H5Dget_chunk_info(set, space, (hsize_t)number, offset, &mask, &place, &size);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file);
    ls_hdf5_unlock();
    assert_true(got >= 0);
    *bytes = (int64_t)size;
    return (int64_t)place;
}

/* A hole in the file, as a download that was broken off leaves: the chunk and its checksum are zeros. */
static void zero_chunk(const char *path, int64_t number) {
    int64_t bytes, place = place_of_chunk(path, number, &bytes);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, (long)place, SEEK_SET);
    for (int64_t i = 0; i < bytes; i++) fputc(0, file);
    assert_int_equal(fclose(file), 0);
}

typedef struct foreign {
    hsize_t count, written; /* samples, and how many of them are written */
    hsize_t chunk[3];       /* [0] 0: not chunked */
    bool summed, deflated;
    hsize_t black; /* this chunk of samples is written as zeros; past the end: none */
} foreign;

static const char *write_foreign(const char *name, const foreign *what) {
    const char *path = scratch_path(name);
    const hsize_t dim[] = {what->count, H, W}, start[] = {0, 0, 0}, part[] = {what->written, H, W};
    uint8_t *data = calloc(what->count * PIXELS, 1);
    for (hsize_t i = 0; i < what->count; i++)
        for (hsize_t j = 0; j < PIXELS && i / CHUNK != what->black; j++)
            data[i * PIXELS + j] = (uint8_t)(1 | plain_byte((int64_t)i, (int64_t)j));
    ls_hdf5_lock();
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), plan = H5Pcreate(H5P_DATASET_CREATE);
    if (what->chunk[0] > 0) H5Pset_chunk(plan, 3, what->chunk);
    if (what->deflated) H5Pset_deflate(plan, 1);
    if (what->summed) H5Pset_fletcher32(plan);
    hid_t space = H5Screate_simple(3, dim, NULL), memory = H5Screate_simple(3, part, NULL);
    hid_t set = H5Dcreate2(file, "/data", H5T_STD_U8LE, space, H5P_DEFAULT, plan, H5P_DEFAULT);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, part, NULL);
    assert_true(set >= 0 &&
                (what->written == 0 || H5Dwrite(set, H5T_NATIVE_UINT8, memory, space, H5P_DEFAULT, data) >= 0));
    H5Dclose(set);
    H5Sclose(memory);
    H5Sclose(space);
    H5Pclose(plan);
    H5Fclose(file);
    ls_hdf5_unlock();
    free(data);
    return path;
}

/* --- reading --- */

static void expect_said(const char *reason) {
    if (strstr(ls_failure_get()->message, reason) == NULL) fail_msg("'%s' in: %s", reason, ls_failure_get()->message);
}

/* Reads all as a training does; how many samples were refused, each with LS_INVALID, the file's name and the reason. */
static int64_t refused_samples(const char *path, const char *reason) {
    ls_dataset *dataset;
    uint8_t sample[PIXELS];
    int64_t refused = 0;
    if (ls_dataset_open(&path, 1, &dataset) != LS_OK) {
        expect_said(reason);
        return COUNT;
    }
    int64_t count = ls_dataset_get_info(dataset)->count;
    for (int64_t i = 0; i < count; i++) {
        if (ls_dataset_fetch(dataset, 1, &i, sample, NULL) == LS_OK) continue;
        refused++;
        assert_int_equal(ls_failure_get()->status, LS_INVALID);
        expect_said(reason);
        expect_said(path);
        uint8_t again[PIXELS];
        assert_int_equal(ls_dataset_read(dataset, i, 1, again, NULL), LS_INVALID);
    }
    ls_dataset_close(dataset);
    return refused;
}

static int64_t block_samples(const char *path) {
    ls_dataset *dataset;
    expect_ok(ls_dataset_open(&path, 1, &dataset));
    int64_t samples = ls_dataset_get_info(dataset)->block_samples;
    ls_dataset_close(dataset);
    return samples;
}

static void our_blocks_have_hashes(void **unused) {
    (void)unused;
    const char *whole = write_ours("ours.h5", 0, -1);
    assert_int_equal(refused_samples(whole, ""), 0);
    for (int64_t chunk = 0; chunk < 300; chunk += 111) {
        const char *path = write_ours("holed.h5", 0, -1);
        zero_chunk(path, chunk);
        assert_int_equal(refused_samples(path, "zeros: there is a hole in the file"), block_samples(whole));
    }
    /* What is black by right is read. */
    assert_int_equal(refused_samples(write_ours("black.h5", 0, 17), ""), 0);
    assert_int_equal(refused_samples(write_ours("black-deflated.h5", 4, 17), ""), 0);
}

/* An edit in place that HDF5 has nothing against. */
static void what_was_edited_is_refused(void **unused) {
    (void)unused;
    const char *path = write_ours("edited.h5", 0, -1);
    int64_t samples = block_samples(path);
    const hsize_t start[] = {500, 1, 1, 0}, one[] = {1, 1, 1, 1};
    const uint8_t other = (uint8_t)~plain_byte(500, W + 1);
    ls_hdf5_lock();
    hid_t file = open_for_writing(path), set = H5Dopen2(file, "/data", H5P_DEFAULT), space = H5Dget_space(set);
    hid_t memory = H5Screate_simple(4, one, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, one, NULL);
    assert_true(H5Dwrite(set, H5T_NATIVE_UINT8, memory, space, H5P_DEFAULT, &other) >= 0);
    H5Sclose(memory);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file);
    ls_hdf5_unlock();
    assert_int_equal(refused_samples(path, "are not those that were written"), samples);
    ls_hdf5_lock();
    file = open_for_writing(path);
    H5Adelete(file, "fingerprint");
    H5Fclose(file);
    ls_hdf5_unlock();
    assert_int_equal(refused_samples(path, ""), 0);
}

static void expect_logged(const char *log, const char *text) {
    char said[4096] = "";
    FILE *file = fopen(log, "r");
    assert_non_null(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    fclose(file);
    if (strstr(said, text) == NULL) fail_msg("'%s' in: %s", text, said);
}

/* A file of an earlier Lockstep, without hashes: its fingerprint says whether zeros are right. To find that out takes
 * long, and beats. */
static void a_fingerprint_settles_zeros(void **unused) {
    (void)unused;
    const char *path = write_ours("older.h5", 0, 17);
    const char *log = scratch_path("log.txt");
    int64_t beats = ls_beats(), blocks = COUNT / block_samples(path);
    remove_link(path, "/block_hashes");
    expect_ok(ls_log_open(log));
    assert_int_equal(refused_samples(path, ""), 0);
    ls_log_close();
    expect_logged(log, "older.h5 was written by an older Lockstep");
    assert_true(ls_beats() - beats >= blocks);
    path = write_ours("older-holed.h5", 0, -1);
    int64_t samples = block_samples(path);
    remove_link(path, "/block_hashes");
    zero_chunk(path, 40);
    assert_int_equal(refused_samples(path, "are zeros; "), samples);
}

static void files_are_as_long_as_they_were(void **unused) {
    (void)unused;
    const char *path = write_ours("cut.h5", 0, -1);
    ls_dataset *dataset;
    uint8_t sample[PIXELS];
    struct stat about;
    int64_t bytes, place = place_of_chunk(path, 200, &bytes), late = 900;
    expect_ok(ls_dataset_open(&path, 1, &dataset));
    expect_ok(ls_dataset_check_files(dataset));
    stat(path, &about);
    assert_int_equal(truncate(path, place), 0); /* at a block's edge */
    assert_int_equal(ls_dataset_check_files(dataset), LS_INVALID);
    expect_said("it was cut short");
    assert_int_equal(ls_dataset_fetch(dataset, 1, &late, sample, NULL), LS_INVALID);
    expect_said("cut.h5");
    /* Another file of that name is no reason to stop. */
    assert_int_equal(truncate(path, about.st_size), 0);
    unlink(path);
    expect_ok(ls_dataset_check_files(dataset));
    ls_dataset_close(dataset);
}

static void foreign_samples_must_have_been_written(void **unused) {
    (void)unused;
    foreign what = {.count = COUNT, .written = COUNT, .chunk = {CHUNK, H, W}, .black = COUNT};
    assert_int_equal(refused_samples(write_foreign("full.h5", &what), ""), 0);
    what.written = COUNT - 3 * CHUNK;
    assert_int_equal(refused_samples(write_foreign("part.h5", &what), "were never written"), COUNT);
    what.written = 0;
    assert_int_equal(refused_samples(write_foreign("none.h5", &what), "were never written"), COUNT);
    what.chunk[0] = 0;
    assert_int_equal(refused_samples(write_foreign("none-at-all.h5", &what), "were never written"), COUNT);
}

/* The chunks that h5py chooses cut pictures to pieces. */
static void foreign_zeros_are_told_from_holes(void **unused) {
    (void)unused;
    for (hsize_t cut = 1; cut <= 2; cut++) {
        foreign what = {
            .count = COUNT, .written = COUNT, .chunk = {CHUNK, H / cut, W / cut}, .summed = true, .black = COUNT};
        const char *path = write_foreign("summed.h5", &what);
        assert_int_equal(refused_samples(path, ""), 0);
        zero_chunk(path, 5);
        assert_true(refused_samples(path, "a checksum of zero") >= CHUNK);
        what.black = 7;
        assert_true(refused_samples(write_foreign("summed-black.h5", &what), "compress it") >= CHUNK);
        what.deflated = true;
        assert_int_equal(refused_samples(write_foreign("deflated-black.h5", &what), ""), 0);
        what.deflated = what.summed = false;
        assert_int_equal(refused_samples(write_foreign("plain-black.h5", &what), ""), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(our_blocks_have_hashes),
                                       cmocka_unit_test(what_was_edited_is_refused),
                                       cmocka_unit_test(a_fingerprint_settles_zeros),
                                       cmocka_unit_test(files_are_as_long_as_they_were),
                                       cmocka_unit_test(foreign_samples_must_have_been_written),
                                       cmocka_unit_test(foreign_zeros_are_told_from_holes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
