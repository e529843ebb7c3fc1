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

#include "base/beat.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "store/hdf5.h"
#include "store/writer.h"
#include "support/nets.h"
#include "support/plain_dataset.h"
#include "support/scratch.h"

enum { COUNT = 1000, H = 8, W = 4, PIXELS = H * W, CHUNK = 50 };

static const ls_comm alone = {.size = 1, .host_size = 1};

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

/* Where chunk `number` of an array lies. */
static int64_t place_in(const char *path, const char *array, int64_t number, int64_t *bytes) {
    haddr_t place;
    hsize_t offset[4], size;
    unsigned mask;
    ls_hdf5_lock();
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(file, array, H5P_DEFAULT);
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

static int64_t place_of_chunk(const char *path, int64_t number, int64_t *bytes) {
    return place_in(path, "/data", number, bytes);
}

/* A hole in the file, as a download that was broken off leaves: the chunk and its checksum are zeros. */
static void zero_chunk_of(const char *path, const char *array, int64_t number) {
    int64_t bytes, place = place_in(path, array, number, &bytes);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, (long)place, SEEK_SET);
    for (int64_t i = 0; i < bytes; i++) fputc(0, file);
    assert_int_equal(fclose(file), 0);
}

static void zero_chunk(const char *path, int64_t number) { zero_chunk_of(path, "/data", number); }

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

/* --- labels and names --- */

typedef struct column {
    hsize_t written; /* rows */
    bool chunked, summed, deflated;
    hsize_t chunk; /* 0: CHUNK */
    hsize_t zeros; /* rows [0, zeros) are written as zeros */
} column;

enum { TEXT = 16 };

/* A foreign file, whole but for its column: labels, or names of TEXT bytes. */
static const char *write_column(const char *name, const char *array, const column *what) {
    const foreign data = {.count = COUNT, .written = COUNT, .chunk = {CHUNK, H, W}, .deflated = true, .black = COUNT};
    const char *path = write_foreign(name, &data);
    const hsize_t dim = COUNT, chunk = what->chunk > 0 ? what->chunk : CHUNK, start = 0;
    bool texts = strcmp(array, "/names") == 0;
    char text[COUNT][TEXT] = {{0}};
    int64_t label[COUNT] = {0};
    for (hsize_t i = what->zeros; i < COUNT; i++) {
        label[i] = 1 + (int64_t)i % 2;
        (void)snprintf(text[i], TEXT, "%d", (int)i);
    }
    ls_hdf5_lock();
    hid_t file = open_for_writing(path), plan = H5Pcreate(H5P_DATASET_CREATE);
    hid_t type = H5Tcopy(texts ? H5T_C_S1 : H5T_STD_I64LE);
    if (texts) H5Tset_size(type, TEXT);
    if (what->chunked) H5Pset_chunk(plan, 1, &chunk);
    if (what->deflated) H5Pset_deflate(plan, 1);
    if (what->summed) H5Pset_fletcher32(plan);
    hid_t space = H5Screate_simple(1, &dim, NULL), memory = H5Screate_simple(1, &dim, NULL);
    hid_t set = H5Dcreate2(file, array, type, space, H5P_DEFAULT, plan, H5P_DEFAULT);
    if (what->written > 0) {
        H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &what->written, NULL);
        H5Sselect_hyperslab(memory, H5S_SELECT_SET, &start, NULL, &what->written, NULL);
        const void *rows = texts ? (const void *)text : label;
        assert_true(H5Dwrite(set, texts ? type : H5T_NATIVE_INT64, memory, space, H5P_DEFAULT, rows) >= 0);
    }
    H5Dclose(set);
    H5Sclose(memory);
    H5Sclose(space);
    H5Tclose(type);
    H5Pclose(plan);
    H5Fclose(file);
    ls_hdf5_unlock();
    return path;
}

/* reason NULL: it is right. */
static void expect_labels(const char *path, const char *reason) {
    ls_dataset *dataset;
    int32_t label[COUNT];
    ls_status status = ls_dataset_open(&path, 1, &dataset);
    assert_int_equal(status, reason == NULL ? LS_OK : LS_INVALID);
    if (reason != NULL) {
        expect_said(reason);
        expect_said(path);
        return;
    }
    expect_ok(ls_dataset_read(dataset, 0, COUNT, NULL, label));
    assert_int_equal(label[COUNT - 1], 1 + (COUNT - 1) % 2);
    ls_dataset_close(dataset);
}

static void labels_must_have_been_written(void **unused) {
    (void)unused;
    column what = {.written = COUNT, .chunked = true};
    expect_labels(write_column("labels.h5", "/labels", &what), NULL);
    what.written = COUNT - 3 * CHUNK;
    expect_labels(write_column("labels-part.h5", "/labels", &what), "labels 850 to 899 were never written");
    what.summed = true;
    expect_labels(write_column("labels-summed-part.h5", "/labels", &what), "labels 850 to 899 were never written");
    what.written = 0;
    expect_labels(write_column("labels-none.h5", "/labels", &what), "the labels of /labels were never written");
    what.chunked = what.summed = false;
    expect_labels(write_column("labels-none-at-all.h5", "/labels", &what), "the labels of /labels were never written");
}

static void labels_of_zero_are_told_from_holes(void **unused) {
    (void)unused;
    column what = {.written = COUNT, .chunked = true, .summed = true};
    const char *path = write_column("labels-holed.h5", "/labels", &what);
    zero_chunk_of(path, "/labels", 3);
    expect_labels(path, "labels 150 to 199 are zeros with a checksum of zero");
    what.zeros = CHUNK - 1; /* most of a chunk is of class 0 */
    expect_labels(write_column("labels-some-0.h5", "/labels", &what), NULL);
    what.zeros = what.chunk = 5; /* by chance */
    expect_labels(write_column("labels-few-0.h5", "/labels", &what), NULL);
    what.chunk = 0;
    what.zeros = CHUNK;
    expect_labels(write_column("labels-0.h5", "/labels", &what), "compress it");
    what.deflated = true;
    expect_labels(write_column("labels-0-deflated.h5", "/labels", &what), NULL);
    what.deflated = what.summed = false;
    expect_labels(write_column("labels-0-plain.h5", "/labels", &what), NULL);
    path = write_ours("ours-labels.h5", 0, -1);
    remove_link(path, "/block_hashes");
    zero_chunk_of(path, "/labels", 0);
    expect_labels(path, "are zeros; ");
}

static void names_must_be_there(void **unused) {
    (void)unused;
    column what = {.written = COUNT, .chunked = true, .summed = true};
    static const char *const files[] = {"names.h5", "names-holed.h5", "names-part.h5"};
    static const char *const reasons[] = {NULL, "names 150 to 199 are zeros with a checksum of zero",
                                          "names 950 to 999 were never written"};
    for (int f = 0; f < 3; f++) {
        ls_dataset *dataset;
        ls_sample_name name[COUNT];
        if (f == 2) what.written = COUNT - CHUNK;
        const char *path = write_column(files[f], "/names", &what);
        if (f == 1) zero_chunk_of(path, "/names", 3);
        expect_ok(ls_dataset_open(&path, 1, &dataset));
        assert_int_equal(ls_dataset_read_names(dataset, 0, COUNT, name), f == 0 ? LS_OK : LS_INVALID);
        if (f > 0) expect_said(reasons[f]);
        expect_ok(ls_dataset_read_names(dataset, 220, 3, name));
        assert_string_equal(name[1], "221");
        assert_int_equal(ls_dataset_read_names(dataset, 160, 1, name), f == 1 ? LS_INVALID : LS_OK);
        ls_dataset_close(dataset);
    }
}

/* --- maps of other files --- */

static hid_t map_rows(hid_t file, const char *array, hid_t type, int dims, const char *part, hsize_t skip) {
    const hsize_t all[] = {COUNT, H, W}, rows[] = {COUNT - skip, H, W}, start[] = {skip, 0, 0};
    hid_t plan = H5Pcreate(H5P_DATASET_CREATE), from = H5Screate_simple(dims, all, NULL);
    hid_t to = H5Screate_simple(dims, rows, NULL);
    H5Sselect_hyperslab(from, H5S_SELECT_SET, start, NULL, rows, NULL);
    H5Pset_virtual(plan, to, part, array, from);
    hid_t set = H5Dcreate2(file, array, type, to, H5P_DEFAULT, plan, H5P_DEFAULT);
    H5Sclose(to);
    H5Sclose(from);
    H5Pclose(plan);
    return set;
}

/* Of all rows of a part but the first. */
static const char *write_map(const char *name, const char *data, const char *labels, hsize_t skip) {
    const char *path = scratch_path(name);
    ls_hdf5_lock();
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t set = map_rows(file, "/data", H5T_STD_U8LE, 3, data, skip);
    assert_true(set >= 0);
    H5Dclose(set);
    if (labels != NULL) H5Dclose(map_rows(file, "/labels", H5T_STD_I64LE, 1, labels, skip));
    H5Fclose(file);
    ls_hdf5_unlock();
    return path;
}

/* The chunks of the part are where they are, whatever the blocks of the map. */
static void zeros_in_parts_are_told_from_holes(void **unused) {
    (void)unused;
    const foreign summed = {
        .count = COUNT, .written = COUNT, .chunk = {CHUNK, H / 2, W}, .summed = true, .black = COUNT};
    const column rows = {.written = COUNT, .chunked = true, .summed = true};
    const char *part = write_foreign("part.h5", &summed);
    const char *labels = write_column("part-labels.h5", "/labels", &rows);
    const char *path = write_map("map.h5", part, labels, 20);
    ls_dataset *dataset;
    expect_ok(ls_dataset_open(&path, 1, &dataset));
    ls_dataset_close(dataset);
    zero_chunk(part, 5); /* half of samples 100 to 149, which are 80 to 129 of the map */
    assert_true(refused_samples(write_map("map-holed.h5", part, NULL, 20), "samples 80 to 129 are zeros with") >=
                CHUNK);
    part = write_foreign("part.h5", &summed);
    zero_chunk_of(labels, "/labels", 0);
    path = write_map("map-labels.h5", part, labels, 20);
    assert_int_equal(ls_dataset_open(&path, 1, &dataset), LS_INVALID);
    expect_said("labels 0 to 29 are zeros with a checksum of zero");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(our_blocks_have_hashes),
                                       cmocka_unit_test(what_was_edited_is_refused),
                                       cmocka_unit_test(a_fingerprint_settles_zeros),
                                       cmocka_unit_test(files_are_as_long_as_they_were),
                                       cmocka_unit_test(foreign_samples_must_have_been_written),
                                       cmocka_unit_test(foreign_zeros_are_told_from_holes),
                                       cmocka_unit_test(labels_must_have_been_written),
                                       cmocka_unit_test(labels_of_zero_are_told_from_holes),
                                       cmocka_unit_test(names_must_be_there),
                                       cmocka_unit_test(zeros_in_parts_are_told_from_holes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
