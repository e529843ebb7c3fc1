/* Data sets written and read by any number of ranks: equal contents, caches, damage, and errors that all ranks have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "store/hdf5.h"
#include "store/writer.h"
#include "support/plain_dataset.h"
#include "support/ranks.h"
#include "support/scratch.h"

enum { COUNT = 3001, H = 5, W = 7, PIXELS = H * W, CLASSES = 3 };

static const char *const class_names[] = {"cat", "dog", "Mäuse"};

static const ls_writer_spec pictures = {.shape = {3, {H, W, 1}},
                                        .element = LS_ELEMENT_UINT8,
                                        .max_count = COUNT,
                                        .labelled = true,
                                        .named = true,
                                        .classes = CLASSES,
                                        .class_names = class_names,
                                        .settings = "made by a test"};

static int32_t label_of(int64_t i) { return (int32_t)(i * i % CLASSES); }

/* --- writing --- */

/* Appends samples [first, first + count) of the whole, this rank's share of one append. */
static ls_status append_samples(ls_writer *writer, int64_t first, int64_t count) {
    uint8_t *data = malloc((size_t)(count * PIXELS + 1));
    int32_t *labels = malloc((size_t)(count + 1) * sizeof *labels);
    char(*texts)[200] = malloc((size_t)(count + 1) * sizeof *texts);
    const char **names = malloc((size_t)(count + 1) * sizeof *names);
    for (int64_t i = 0; i < count; i++) {
        for (int64_t j = 0; j < PIXELS; j++) data[i * PIXELS + j] = plain_byte(first + i, j);
        labels[i] = label_of(first + i);
        int indent = first + i == 4 ? 150 : 0; /* one name is too long */
        snprintf(texts[i], sizeof texts[i], "%*s%d.png", indent, "ä", (int)(first + i));
        names[i] = first + i == 9 ? NULL : texts[i];
    }
    ls_status status = ls_writer_append(writer, count, data, labels, names);
    free(names);
    free(texts);
    free(labels);
    free(data);
    return status;
}

/* Appends of sizes that have nothing to do with blocks: nothing, a few, many at once. */
static ls_status append_all(ls_writer *writer, int64_t count) {
    ls_rng rng = ls_rng_stream(1, LS_RNG_TEST, 0, 0);
    ls_status status = LS_OK;
    int64_t done = 0;
    for (uint64_t round = 0; done < count && status == LS_OK; round++) {
        int64_t first = 0, mine = 0, largest = round % 5 == 0 ? 400 : 20;
        for (int rank = 0; rank < ranks.size; rank++) {
            int64_t part = (int64_t)ls_rng_below(&rng, round * 64 + (uint64_t)rank, (uint64_t)largest);
            if (part > count - done) part = count - done;
            if (rank == ranks.rank) first = done, mine = part;
            done += part;
        }
        status = append_samples(writer, first, mine);
    }
    return status;
}

static ls_status write_file(const char *path, const ls_writer_spec *spec, int64_t count) {
    ls_writer *writer;
    LS_TRY(ls_writer_open(&ranks, path, spec, &writer));
    ls_status status = append_all(writer, count);
    ls_status closed = ls_writer_close(writer, true);
    return status != LS_OK ? status : closed;
}

static ls_dataset *open_one(const char *path) {
    ls_dataset *dataset;
    assert_on_all_ranks(ls_dataset_open(&path, 1, &dataset) == LS_OK);
    return dataset;
}

static const char *written(const char *name, const ls_writer_spec *spec) {
    const char *path = scratch_path(name);
    assert_on_all_ranks(write_file(path, spec, COUNT) == LS_OK);
    return path;
}

/* --- the content --- */

static bool is_sample(const uint8_t *data, int64_t i) {
    int64_t j = 0;
    while (j < PIXELS && data[j] == plain_byte(i, j)) j++;
    return j == PIXELS;
}

static bool read_is_right(ls_dataset *dataset, int64_t first, int64_t count) {
    uint8_t *data = malloc((size_t)(count * PIXELS));
    int32_t *labels = malloc((size_t)count * sizeof *labels);
    bool ok = ls_dataset_read(dataset, first, count, data, labels) == LS_OK;
    for (int64_t i = 0; i < count && ok; i++)
        ok = is_sample(data + i * PIXELS, first + i) && labels[i] == label_of(first + i);
    free(labels);
    free(data);
    return ok;
}

/* Every rank asks for all samples, each in an order of its own, in batches. */
static bool fetch_is_right(ls_dataset *dataset) {
    int64_t order[COUNT];
    uint8_t data[37 * PIXELS];
    int32_t labels[37];
    ls_rng rng = ls_rng_stream(2, LS_RNG_TEST, (uint32_t)ranks.rank, 0);
    bool ok = true;
    for (int64_t i = 0; i < COUNT; i++) order[i] = i;
    ls_rng_shuffle(&rng, 0, COUNT, order);
    for (int64_t at = 0; at < COUNT && ok; at += 37) {
        int64_t count = COUNT - at < 37 ? COUNT - at : 37;
        ok = ls_dataset_fetch(dataset, count, order + at, data, labels) == LS_OK;
        for (int64_t i = 0; i < count && ok; i++)
            ok = is_sample(data + i * PIXELS, order[at + i]) && labels[i] == label_of(order[at + i]);
    }
    return ok;
}

/* The fingerprint is a promise to checkpoints: it changes neither with the number of ranks nor with the version. */
static void test_content_does_not_depend_on_the_ranks(void **state) {
    (void)state;
    ls_dataset *dataset = open_one(written("content.h5", &pictures));
    const ls_dataset_info *info = ls_dataset_get_info(dataset);
    assert_on_all_ranks(info->count == COUNT && ls_shape_equal(&info->shape, &pictures.shape));
    assert_on_all_ranks(info->element == LS_ELEMENT_UINT8 && info->sample_bytes == PIXELS);
    assert_on_all_ranks(info->labelled && info->classes == CLASSES);
    assert_on_all_ranks(info->block_samples == COUNT / 256);
    assert_on_all_ranks(strcmp(info->fingerprint, "119696ecbeb4d779") == 0);
    for (int c = 0; c < CLASSES; c++)
        assert_on_all_ranks(strcmp(ls_dataset_class_name(dataset, c), class_names[c]) == 0);
    assert_on_all_ranks(ls_dataset_class_name(dataset, CLASSES) == NULL);
    assert_on_all_ranks(read_is_right(dataset, 0, COUNT) && read_is_right(dataset, 17, 1000));
    ls_dataset_close(dataset);
}

static void test_names_and_settings_are_there_for_others_to_read(void **state) {
    (void)state;
    const char *path = written("names.h5", &pictures);
    static char names[COUNT][LS_SAMPLE_NAME_MAX];
    ls_hdf5_lock();
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(file, "/names", H5P_DEFAULT);
    hid_t type = H5Dget_type(set);
    bool ok = H5Tget_size(type) == LS_SAMPLE_NAME_MAX && H5Aexists(file, "import_settings") > 0 &&
              H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, names) >= 0;
    H5Tclose(type);
    H5Dclose(set);
    H5Fclose(file);
    ls_hdf5_unlock();
    assert_on_all_ranks(ok && strcmp(names[0], "ä0.png") == 0 && strcmp(names[COUNT - 1], "ä3000.png") == 0);
    assert_on_all_ranks(names[9][0] == '\0');
    assert_on_all_ranks(memcmp(names[4] + LS_SAMPLE_NAME_MAX - 7, "ä4.png", 7) == 0);
}

static void test_deflated_content_is_the_same(void **state) {
    (void)state;
    ls_writer_spec spec = pictures;
    spec.deflate = 4;
    spec.max_count = 100000; /* large blocks */
    ls_dataset *plain = open_one(written("plain.h5", &pictures)), *deflated = open_one(written("deflated.h5", &spec));
    struct stat plain_file, deflated_file;
    stat(ls_dataset_path(plain, 0), &plain_file);
    stat(ls_dataset_path(deflated, 0), &deflated_file);
    assert_on_all_ranks(deflated_file.st_size < plain_file.st_size);
    assert_on_all_ranks(strcmp(ls_dataset_get_info(plain)->fingerprint, ls_dataset_get_info(deflated)->fingerprint) ==
                        0);
    assert_on_all_ranks(read_is_right(deflated, 0, COUNT) && fetch_is_right(deflated));
    ls_dataset_close(deflated);
    ls_dataset_close(plain);
}

static void test_floats_without_labels(void **state) {
    (void)state;
    const ls_writer_spec spec = {.shape = {1, {300}}, .element = LS_ELEMENT_FLOAT32, .max_count = 10};
    const char *path = scratch_path("floats.h5");
    float sample[300], back[300];
    ls_writer *writer;
    ls_dataset *dataset;
    for (int j = 0; j < 300; j++) sample[j] = (float)ranks.rank + (float)j / 300;
    assert_on_all_ranks(ls_writer_open(&ranks, path, &spec, &writer) == LS_OK);
    assert_on_all_ranks(ls_writer_append(writer, 1, sample, NULL, NULL) == LS_OK);
    assert_on_all_ranks(ls_writer_close(writer, true) == LS_OK);
    dataset = open_one(path);
    const ls_dataset_info *info = ls_dataset_get_info(dataset);
    assert_on_all_ranks(info->count == ranks.size && !info->labelled && info->classes == 0);
    assert_on_all_ranks(ls_dataset_read(dataset, ranks.rank, 1, back, NULL) == LS_OK);
    assert_on_all_ranks(memcmp(sample, back, sizeof sample) == 0);
    ls_dataset_close(dataset);
}

static void test_block_sizes(void **state) {
    (void)state;
    ls_writer_spec spec = {.shape = {3, {80, 80, 3}}};
    for (spec.max_count = 1; spec.max_count < 1 << 20; spec.max_count *= 3) {
        int64_t block = ls_writer_block_samples(&spec);
        assert_on_all_ranks(block >= 1 && (block == 1 || spec.max_count / block >= 256));
        assert_on_all_ranks(block * 80 * 80 * 3 <= 1 << 20 && block <= 54);
    }
    assert_on_all_ranks(ls_writer_block_samples(&spec) == 54);
    spec.shape = (ls_shape){3, {2000, 2000, 3}};
    assert_on_all_ranks(ls_writer_block_samples(&spec) == 1);
}

/* --- keeping blocks in memory --- */

static void test_fetching_is_reading_with_any_cache(void **state) {
    (void)state;
    const char *path = written("cache.h5", &pictures);
    static const int64_t keeps[] = {0, 2000, 1 << 30};
    for (size_t k = 0; k < sizeof keeps / sizeof *keeps; k++) {
        ls_dataset *dataset = open_one(path);
        ls_dataset_keep(dataset, keeps[k]);
        assert_on_all_ranks(fetch_is_right(dataset));
        ls_dataset_keep(dataset, keeps[0]);
        assert_on_all_ranks(fetch_is_right(dataset));
        ls_dataset_close(dataset);
    }
    static const int64_t limits[] = {1, PIXELS * COUNT, 1 << 20};
    for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
        ls_dataset *dataset = open_one(path);
        int64_t bytes = ls_dataset_cache(dataset, &ranks, limits[l]);
        assert_on_all_ranks(limits[l] > PIXELS * COUNT ? bytes > PIXELS * COUNT && bytes <= limits[l] : bytes == 0);
        assert_on_all_ranks(fetch_is_right(dataset) && fetch_is_right(dataset));
        ls_dataset_close(dataset);
    }
}

/* --- several files --- */

static void test_files_are_one_data_set(void **state) {
    (void)state;
    ls_writer_spec spec = pictures;
    const char *a = written("join-a.h5", &pictures);
    spec.max_count = 100000; /* another block size */
    const char *b = written("join-b.h5", &spec);
    const char *pattern = scratch_path("join-?.h5"), *both[] = {a, b}, *swapped[] = {b, a, a};
    ls_dataset *dataset, *other;
    assert_on_all_ranks(ls_dataset_open(&pattern, 1, &dataset) == LS_OK);
    assert_on_all_ranks(strcmp(ls_dataset_path(dataset, 1), b) == 0);
    assert_on_all_ranks(ls_dataset_get_info(dataset)->count == 2 * COUNT);
    int64_t at;
    assert_on_all_ranks(strcmp(ls_dataset_locate(dataset, COUNT - 1, &at), a) == 0 && at == COUNT - 1);
    assert_on_all_ranks(strcmp(ls_dataset_locate(dataset, COUNT + 2, &at), b) == 0 && at == 2);

    ls_span *blocks;
    int64_t count, next = 0;
    bool ok = ls_dataset_blocks(dataset, &blocks, &count) == LS_OK;
    for (int64_t i = 0; i < count && ok; i++) {
        ok = blocks[i].first == next && blocks[i].count > 0 && (next >= COUNT || next + blocks[i].count <= COUNT);
        next += blocks[i].count;
    }
    assert_on_all_ranks(ok && next == 2 * COUNT);
    ls_free(blocks);

    uint8_t data[200 * PIXELS], fetched[PIXELS];
    assert_on_all_ranks(ls_dataset_read(dataset, COUNT - 100, 200, data, NULL) == LS_OK);
    assert_on_all_ranks(is_sample(data, COUNT - 100) && is_sample(data + 100 * PIXELS, 0));
    int64_t sample = COUNT + 55;
    int32_t label;
    assert_on_all_ranks(ls_dataset_fetch(dataset, 1, &sample, fetched, &label) == LS_OK);
    assert_on_all_ranks(is_sample(fetched, 55) && label == label_of(55));

    assert_on_all_ranks(ls_dataset_open(both, 2, &other) == LS_OK);
    assert_on_all_ranks(strcmp(ls_dataset_get_info(dataset)->fingerprint, ls_dataset_get_info(other)->fingerprint) ==
                        0);
    ls_dataset_close(other);
    assert_on_all_ranks(ls_dataset_open(swapped, 3, &other) == LS_OK);
    assert_on_all_ranks(strcmp(ls_dataset_get_info(dataset)->fingerprint, ls_dataset_get_info(other)->fingerprint) !=
                        0);
    ls_dataset_close(other);
    ls_dataset_close(dataset);
}

/* --- what is refused --- */

static bool refuses(const char *const *paths, int count, const char *reason) {
    ls_dataset *dataset;
    if (ls_dataset_open(paths, count, &dataset) != LS_INVALID || dataset != NULL) return false;
    bool said = strstr(ls_failure_get()->message, reason) != NULL;
    if (!said) fprintf(stderr, "'%s' is not in: %s\n", reason, ls_failure_get()->message);
    return said;
}

static bool refuses_one(const char *path, const char *reason) {
    return refuses(&path, 1, reason) && strstr(ls_failure_get()->message, path) != NULL;
}

static void copy_file(const char *from, const char *to, double part) {
    if (ranks.rank == 0) {
        struct stat info;
        FILE *in = fopen(from, "rb");
        fstat(fileno(in), &info);
        char *data = malloc((size_t)info.st_size);
        size_t bytes = fread(data, 1, (size_t)info.st_size, in);
        fclose(in);
        FILE *out = fopen(to, "wb");
        fwrite(data, 1, (size_t)(part * (double)bytes), out);
        fclose(out);
        free(data);
    }
    ls_comm_barrier(&ranks);
}

static void test_files_that_are_no_data_sets(void **state) {
    (void)state;
    const char *whole = written("whole.h5", &pictures), *cut = scratch_path("cut.h5"), *text = scratch_path("text.h5");
    const char *directory = scratch_path("."), *missing = scratch_path("missing.h5");
    for (double part = 0.999; part > 0.01; part *= 0.6) {
        copy_file(whole, cut, part);
        assert_on_all_ranks(refuses_one(cut, "cut short"));
    }
    copy_file(whole, cut, 0);
    assert_on_all_ranks(refuses_one(cut, "is not an HDF5 file"));
    if (ranks.rank == 0) (void)scratch_write("text.h5", "hello, world\n", 13);
    ls_comm_barrier(&ranks);
    assert_on_all_ranks(refuses_one(text, "is not an HDF5 file"));
    assert_on_all_ranks(refuses_one(directory, "is a directory"));
    assert_on_all_ranks(refuses_one(missing, "No such file"));
    assert_on_all_ranks(refuses_one(scratch_path("missing-*.h5"), "no file matches"));
    if (geteuid() != 0) {
        if (ranks.rank == 0) chmod(text, 0);
        ls_comm_barrier(&ranks);
        assert_on_all_ranks(refuses_one(text, "Permission denied"));
    }
}

/* One bit in the middle of the data: the block that has it says so, whoever asks and however; the others are read. */
static void test_a_damaged_block_is_found(void **state) {
    (void)state;
    ls_writer_spec spec = pictures;
    spec.max_count = 100000;            /* large blocks, so that the middle of the file is data */
    spec.labelled = spec.named = false; /* their blocks lie between the data's */
    const char *whole = written("bytes.h5", &spec), *damaged = scratch_path("damaged.h5");
    copy_file(whole, damaged, 1);
    if (ranks.rank == 0) damage_file(damaged, 0.3);
    ls_comm_barrier(&ranks);
    for (int cache = 0; cache < 2; cache++) {
        ls_dataset *dataset = open_one(damaged);
        uint8_t data[PIXELS];
        int bad = 0;
        if (cache) assert_on_all_ranks(ls_dataset_cache(dataset, &ranks, 1 << 20) > 0);
        for (int64_t i = 0; i < COUNT; i++) {
            ls_status status = ls_dataset_fetch(dataset, 1, &i, data, NULL);
            if (status == LS_OK && is_sample(data, i)) continue;
            bad++;
            if (status != LS_INVALID || !strstr(ls_failure_get()->message, "damaged.h5: samples")) bad = COUNT;
        }
        assert_on_all_ranks(bad > 0 && bad <= ls_dataset_get_info(dataset)->block_samples);
        ls_dataset_close(dataset);
    }
}

/* --- files of others --- */

static const char *plain_file(const char *name, const plain_dataset *what) {
    const char *path = scratch_path(name);
    if (ranks.rank == 0) plain_dataset_write(path, what);
    ls_comm_barrier(&ranks);
    return path;
}

static void test_files_made_with_h5py_will_do(void **state) {
    (void)state;
    int32_t labels[300];
    for (int i = 0; i < 300; i++) labels[i] = i % 7;
    plain_dataset what = {.type = H5T_STD_U8LE, .dims = 3, .dim = {300, H, W}, .label_count = 300, .labels = labels};
    ls_dataset *dataset = open_one(plain_file("plain-a.h5", &what));
    ls_dataset_info info = *ls_dataset_get_info(dataset);
    assert_on_all_ranks(info.shape.dims == 2 && info.block_samples == 1 && info.classes == 7);
    uint8_t data[300 * PIXELS];
    assert_on_all_ranks(ls_dataset_read(dataset, 0, 300, data, NULL) == LS_OK);
    for (int i = 0; i < 300; i++) assert_on_all_ranks(is_sample(data + i * PIXELS, i));
    ls_dataset_close(dataset);

    /* The same content in another file has the same fingerprint; in other blocks, or with another label, not. */
    dataset = open_one(plain_file("plain-b.h5", &what));
    assert_on_all_ranks(strcmp(ls_dataset_get_info(dataset)->fingerprint, info.fingerprint) == 0);
    ls_dataset_close(dataset);
    what.chunk = 64;
    dataset = open_one(plain_file("plain-c.h5", &what));
    assert_on_all_ranks(ls_dataset_get_info(dataset)->block_samples == 64);
    assert_on_all_ranks(strcmp(ls_dataset_get_info(dataset)->fingerprint, info.fingerprint) != 0);
    ls_dataset_close(dataset);
    what.chunk = 0;
    labels[123] = 0;
    dataset = open_one(plain_file("plain-e.h5", &what));
    assert_on_all_ranks(strcmp(ls_dataset_get_info(dataset)->fingerprint, info.fingerprint) != 0);
    ls_dataset_close(dataset);

    what = (plain_dataset){.type = H5T_IEEE_F32BE, .dims = 2, .dim = {50, PIXELS}, .chunk = 50};
    dataset = open_one(plain_file("plain-d.h5", &what));
    float values[PIXELS];
    assert_on_all_ranks(ls_dataset_get_info(dataset)->block_samples == 50);
    assert_on_all_ranks(ls_dataset_read(dataset, 49, 1, values, NULL) == LS_OK);
    for (int j = 0; j < PIXELS; j++) assert_on_all_ranks(values[j] == (float)plain_byte(49, j) / 255);
    ls_dataset_close(dataset);
}

static void test_contents_that_do_not_fit(void **state) {
    (void)state;
    static const int32_t good[] = {0, 1, 2, 1}, negative[] = {0, 1, -1, 2}, large[] = {0, 1, 2, 50000};
    plain_dataset what = {.type = H5T_IEEE_F64LE, .dims = 2, .dim = {4, 10}};
    assert_on_all_ranks(refuses_one(plain_file("bad-type.h5", &what), "uint8 or float32"));
    what.type = H5T_STD_I8LE;
    assert_on_all_ranks(refuses_one(plain_file("bad-sign.h5", &what), "uint8 or float32"));
    what.type = H5T_STD_U8LE;
    what.dims = 1;
    assert_on_all_ranks(refuses_one(plain_file("bad-rank.h5", &what), "has 1 dimensions"));
    what = (plain_dataset){.type = H5T_STD_U8LE, .dims = 6, .dim = {4, 1, 1, 1, 1, 1}};
    assert_on_all_ranks(refuses_one(plain_file("bad-rank6.h5", &what), "has 6 dimensions"));
    what = (plain_dataset){.type = H5T_STD_U8LE, .dims = 2, .dim = {0, 10}};
    assert_on_all_ranks(refuses_one(plain_file("empty.h5", &what), "no samples"));
    what = (plain_dataset){.type = H5T_STD_U8LE, .dims = 2, .dim = {4, 10}, .label_count = 3, .labels = good};
    assert_on_all_ranks(refuses_one(plain_file("few-labels.h5", &what), "must be 4 integers"));
    what.label_count = 4;
    what.labels = negative;
    assert_on_all_ranks(refuses_one(plain_file("negative.h5", &what), "label -1 of sample 2"));
    what.labels = large;
    assert_on_all_ranks(refuses_one(plain_file("large.h5", &what), "label 50000 of sample 3"));

    const char *paths[] = {
        plain_file("a.h5", &(plain_dataset){.type = H5T_STD_U8LE, .dims = 2, .dim = {4, 10}}),
        plain_file("b.h5", &(plain_dataset){.type = H5T_STD_U8LE, .dims = 2, .dim = {4, 11}}),
        plain_file("c.h5", &(plain_dataset){
                               .type = H5T_STD_U8LE, .dims = 2, .dim = {4, 10}, .label_count = 4, .labels = good})};
    assert_on_all_ranks(refuses(paths, 2, "samples of 10 (uint8)"));
    assert_on_all_ranks(refuses((const char *[]){paths[0], paths[2]}, 2, "has labels"));
}

/* --- writing that fails --- */

static bool exists(const char *path) { return access(path, F_OK) == 0; }

static bool part_exists(const char *path) {
    char part[4200];
    snprintf(part, sizeof part, "%s.part", path);
    return exists(part);
}

static void test_what_is_not_kept_leaves_nothing(void **state) {
    (void)state;
    const char *path = scratch_path("dropped.h5");
    ls_writer *writer;
    assert_on_all_ranks(ls_writer_open(&ranks, path, &pictures, &writer) == LS_OK);
    assert_on_all_ranks(append_all(writer, 500) == LS_OK);
    assert_on_all_ranks(ls_writer_close(writer, false) == LS_OK);
    ls_comm_barrier(&ranks);
    assert_on_all_ranks(!exists(path) && !part_exists(path));
    assert_on_all_ranks(ls_writer_open(&ranks, path, &pictures, &writer) == LS_OK);
    assert_on_all_ranks(ls_writer_close(writer, true) == LS_INVALID);
    assert_on_all_ranks(strstr(ls_failure_get()->message, "no sample") != NULL);
    ls_comm_barrier(&ranks);
    assert_on_all_ranks(!exists(path) && !part_exists(path));
}

/* A label that the last rank gets wrong ends it for all, and the file that was there before stays. */
static void test_a_wrong_label_on_one_rank(void **state) {
    (void)state;
    const char *path = written("kept.h5", &pictures);
    uint8_t data[PIXELS] = {0};
    int32_t label = ranks.rank == ranks.size - 1 ? CLASSES : 0;
    const char *name = "x";
    ls_writer *writer;
    assert_on_all_ranks(ls_writer_open(&ranks, path, &pictures, &writer) == LS_OK);
    assert_on_all_ranks(ls_writer_append(writer, 1, data, &label, &name) == LS_INVALID);
    assert_on_all_ranks(strstr(ls_failure_get()->message, "label 3") != NULL);
    assert_on_all_ranks(ls_writer_close(writer, true) == LS_INVALID);
    assert_on_all_ranks(strstr(ls_failure_get()->message, "label 3") != NULL);
    ls_comm_barrier(&ranks);
    assert_on_all_ranks(!part_exists(path));
    ls_dataset *dataset = open_one(path);
    assert_on_all_ranks(ls_dataset_get_info(dataset)->count == COUNT);
    ls_dataset_close(dataset);
}

static void test_a_wrong_specification_on_one_rank(void **state) {
    (void)state;
    ls_writer_spec spec = pictures;
    ls_writer *writer;
    if (ranks.rank == ranks.size - 1) spec.classes = 0;
    assert_on_all_ranks(ls_writer_open(&ranks, scratch_path("wrong.h5"), &spec, &writer) == LS_INVALID && !writer);
    assert_on_all_ranks(strstr(ls_failure_get()->message, "0 classes") != NULL);
}

static void test_places_that_cannot_be_written(void **state) {
    (void)state;
    ls_writer *writer;
    assert_on_all_ranks(ls_writer_open(&ranks, scratch_path("nowhere/x.h5"), &pictures, &writer) == LS_ERROR);
    assert_on_all_ranks(strstr(ls_failure_get()->message, "No such file") != NULL);
    assert_on_all_ranks(ls_writer_open(&ranks, scratch_path("."), &pictures, &writer) == LS_INVALID);
    assert_on_all_ranks(strstr(ls_failure_get()->message, "is a directory") != NULL);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content_does_not_depend_on_the_ranks),
        cmocka_unit_test(test_names_and_settings_are_there_for_others_to_read),
        cmocka_unit_test(test_deflated_content_is_the_same),
        cmocka_unit_test(test_floats_without_labels),
        cmocka_unit_test(test_block_sizes),
        cmocka_unit_test(test_fetching_is_reading_with_any_cache),
        cmocka_unit_test(test_files_are_one_data_set),
        cmocka_unit_test(test_files_that_are_no_data_sets),
        cmocka_unit_test(test_a_damaged_block_is_found),
        cmocka_unit_test(test_files_made_with_h5py_will_do),
        cmocka_unit_test(test_contents_that_do_not_fit),
        cmocka_unit_test(test_what_is_not_kept_leaves_nothing),
        cmocka_unit_test(test_a_wrong_label_on_one_rank),
        cmocka_unit_test(test_a_wrong_specification_on_one_rank),
        cmocka_unit_test(test_places_that_cannot_be_written),
    };
    return run_on_ranks(argc, argv, "dataset", tests, sizeof tests / sizeof *tests);
}
