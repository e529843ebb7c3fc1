/* Each importer against files that the test writes itself, right and damaged ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "data/image.h"
#include "data/importer.h"
#include "support/scratch.h"
#include "support/types.h"

/* An importer, opened with options given as name, value, ..., NULL. */
typedef struct opened {
    const ls_importer_type *type;
    void *source;
    ls_source_info info;
} opened;

static bool strict;

static ls_status open_source(const char *name, const char *const *options, const char *const *files, opened *out) {
    static char record[16384];
    int count = 0;
    out->type = type_named(ls_importer_types, name);
    assert_non_null(out->type);
    assert_true(out->type->options_bytes <= sizeof record);
    ls_options_init(out->type->options, record);
    for (; options && *options; options += 2)
        assert_int_equal(ls_option_set(ls_options_find(out->type->options, options[0]), record, &options[1], 1, false),
                         LS_OK);
    while (files && files[count]) count++;
    static const ls_comm alone = {.size = 1, .host_size = 1};
    static ls_pool *pool;
    if (!pool) assert_int_equal(ls_pool_create(1, &pool), LS_OK);
    const ls_source_request request = {
        .comm = &alone, .pool = pool, .options = record, .seed = 1, .files = files, .count = count, .strict = strict};
    return out->type->open(&request, &out->source, &out->info);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static opened must_open(const char *name, const char *const *options, const char *const *files) {
    opened o;
    if (open_source(name, options, files, &o) != LS_OK) fail_msg("%s", ls_failure_get()->message);
    return o;
}

static void assert_fails(const char *name, const char *const *options, const char *const *files, const char *message) {
    opened o;
    assert_int_equal(open_source(name, options, files, &o), LS_INVALID);
    if (!strstr(ls_failure_get()->message, message)) fail_msg("'%s' has no '%s'", ls_failure_get()->message, message);
}

static void close_source(opened *o) { o->type->close(o->source); }

static void test_table(void **state) {
    (void)state;
    for (const ls_importer_type *const *t = ls_importer_types; *t; t++) {
        assert_ptr_equal(type_named(ls_importer_types, (*t)->name), *t); /* names are unique */
        assert_true(!(*t)->generates || ls_options_find((*t)->options, "count"));
    }
}

/* --- idx --- */

static const char *write_gzip(const char *name, const void *data, unsigned bytes) {
    const char *path = scratch_path(name);
    gzFile file = gzopen(path, "wb");
    assert_int_equal(gzwrite(file, data, bytes), bytes);
    gzclose(file);
    return path;
}

static const uint8_t pictures[] = {0, 0, 8, 3, 0, 0, 0, 2, 0,  0,  0,  2,  0,  0,
                                   0, 3, 1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60};
static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 7, 3};

static void test_idx_plain_and_gzipped(void **state) {
    (void)state;
    for (int zipped = 0; zipped < 2; zipped++) {
        const char *images = zipped ? write_gzip("images.gz", pictures, sizeof pictures)
                                    : scratch_write("images", pictures, sizeof pictures);
        const char *classes =
            zipped ? write_gzip("labels.gz", labels, sizeof labels) : scratch_write("labels", labels, sizeof labels);
        opened o = must_open("idx", NULL, LIST(images, classes));
        assert_true(ls_shape_equal(&o.info.shape, &(ls_shape){3, {2, 3, 1}}));
        assert_true(o.info.count == 2 && o.info.labelled && o.info.classes == 8 && o.info.element == LS_ELEMENT_UINT8);
        uint8_t data[6];
        int32_t label;
        const char *name;
        assert_int_equal(o.type->sample(o.source, 1, data, &label, &name), LS_OK);
        assert_memory_equal(data, pictures + 22, 6);
        assert_int_equal(label, 3);
        assert_null(name);
        close_source(&o);
        o = must_open("idx", NULL, LIST(images));
        assert_false(o.info.labelled);
        close_source(&o);
    }
}

static void test_idx_floats_and_dimensions(void **state) {
    (void)state;
    const uint8_t floats[] = {0, 0, 0x0D, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0x3F, 0x80, 0, 0, 0xC0, 0x20, 0, 0};
    opened o = must_open("idx", NULL, LIST(scratch_write("floats", floats, sizeof floats)));
    assert_true(ls_shape_equal(&o.info.shape, &(ls_shape){1, {2}}));
    assert_int_equal(o.info.element, LS_ELEMENT_FLOAT32);
    float data[2];
    int32_t label;
    const char *name;
    assert_int_equal(o.type->sample(o.source, 0, data, &label, &name), LS_OK);
    assert_true(data[0] == 1.0f && data[1] == -2.5f);
    close_source(&o);
    const uint8_t colours[] = {0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6};
    o = must_open("idx", NULL, LIST(scratch_write("colours", colours, sizeof colours)));
    assert_true(ls_shape_equal(&o.info.shape, &(ls_shape){3, {1, 2, 3}}));
    close_source(&o);
}

static void test_idx_errors(void **state) {
    (void)state;
    uint8_t longer[sizeof pictures + 1] = {0};
    memcpy(longer, pictures, sizeof pictures);
    const char *images = scratch_write("images", pictures, sizeof pictures);
    assert_fails("idx", NULL, LIST(scratch_write("short", pictures, 20)), "has fewer bytes than the 28");
    assert_fails("idx", NULL, LIST(scratch_write("long", longer, sizeof longer)), "has more bytes than the 28");
    assert_fails("idx", NULL, LIST(scratch_write("labels", labels, sizeof labels), images),
                 "the order is IMAGES LABELS");
    const uint8_t one[] = {0, 0, 8, 1, 0, 0, 0, 1, 7};
    assert_fails("idx", NULL, LIST(scratch_write("labels", labels, sizeof labels)),
                 "labels: holds one number a sample");
    assert_fails("idx", NULL, LIST(images, scratch_write("one", one, sizeof one)), "has 1 labels for the 2 samples");
    const uint8_t huge[] = {0, 0, 0x0D, 3, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 1};
    assert_fails("idx", NULL, LIST(scratch_write("huge", huge, sizeof huge)), "too large");
    const uint8_t large[] = {0, 0, 8, 3, 0, 0xFF, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 1};
    assert_fails("idx", NULL, LIST(scratch_write("large", large, sizeof large)),
                 "which a file of 17 bytes cannot hold");
    const uint8_t none[] = {0, 0, 8, 1, 0, 0, 0, 0};
    assert_fails("idx", NULL, LIST(scratch_write("none", none, sizeof none)), "dimension of 0");
    assert_fails("idx", NULL, LIST(scratch_write("text", "some words", 10)), "text: not an IDX file");
    assert_fails("idx", NULL, LIST(scratch_path("missing")), "missing: cannot be opened: No such file");
    assert_int_equal(mkfifo(scratch_path("pipe"), 0666), 0);
    assert_fails("idx", NULL, LIST(scratch_path("pipe")), "pipe: is a pipe or a device, not a file");
    assert_fails("idx", NULL, LIST(images, images, images), "IMAGES LABELS");
    for (int64_t bytes = 0; bytes < (int64_t)sizeof pictures; bytes++)
        assert_fails("idx", NULL, LIST(scratch_write("short", pictures, bytes)), "short: ");
}

static void test_damaged_gzip(void **state) {
    (void)state;
    static uint8_t noise[1 << 16] = {0, 0, 8, 2, 0, 0, 0xFF, 0xF4, 0, 0, 0, 1};
    for (size_t i = 12; i < sizeof noise; i++) noise[i] = (uint8_t)(i * i * 2654435761u >> 24);
    const char *whole = write_gzip("noise.gz", noise, sizeof noise);
    opened o = must_open("idx", NULL, LIST(whole));
    close_source(&o);
    static uint8_t packed[1 << 17];
    FILE *file = fopen(whole, "rb");
    const int64_t bytes = (int64_t)fread(packed, 1, sizeof packed, file);
    fclose(file);
    assert_fails("idx", NULL, LIST(scratch_write("cut.gz", packed, bytes / 2)), "cut.gz: ");
    assert_fails("idx", NULL, LIST(scratch_write("cut.gz", packed, bytes - 4)), "cut.gz: damaged");
    packed[bytes / 2] ^= 1;
    assert_fails("idx", NULL, LIST(scratch_write("wrong.gz", packed, bytes)), "wrong.gz: damaged");
}

/* --- cifar10 --- */

enum { RECORD = 3073 };

static void test_cifar10(void **state) {
    (void)state;
    static uint8_t batch[2 * RECORD];
    for (int i = 0; i < 2 * RECORD; i++) batch[i] = (uint8_t)(i * 7);
    batch[0] = 3;
    batch[RECORD] = 9;
    const char *first = scratch_write("first.bin", batch, RECORD), *both = scratch_write("both.bin", batch, 2 * RECORD);
    opened o = must_open("cifar10", NULL, LIST(first, both));
    assert_true(o.info.count == 3 && o.info.classes == 10 &&
                ls_shape_equal(&o.info.shape, &(ls_shape){3, {32, 32, 3}}));
    assert_string_equal(o.info.class_names[9], "truck");
    uint8_t data[RECORD - 1];
    int32_t label;
    const char *name;
    assert_int_equal(o.type->sample(o.source, 2, data, &label, &name), LS_OK);
    assert_int_equal(label, 9);
    for (int i = 0; i < 1024; i++)
        for (int c = 0; c < 3; c++) assert_int_equal(data[3 * i + c], batch[RECORD + 1 + 1024 * c + i]);
    close_source(&o);
    batch[RECORD] = 10;
    assert_fails("cifar10", NULL, LIST(first, scratch_write("label.bin", batch, 2 * RECORD)),
                 "label.bin: record 1 has label 10");
    assert_fails("cifar10", NULL, LIST(first, scratch_write("size.bin", batch, RECORD + 1)),
                 "size.bin: has 3074 bytes");
    assert_fails("cifar10", NULL, LIST(scratch_write("empty.bin", batch, 0)), "has 0 bytes");
    assert_fails("cifar10", NULL, NULL, "batch files");
}

/* --- images --- */

static void write_picture(const char *name, uint8_t grey) {
    uint8_t pixels[12];
    memset(pixels, grey, sizeof pixels);
    assert_int_equal(ls_image_write_png(scratch_path(name), &(ls_image){.h = 4, .w = 3, .c = 1, .pixels = pixels}),
                     LS_OK);
}

static void make_folder(const char *name) { mkdir(scratch_path(name), 0777); }

/* zoo: cats and dogs in folders, with a file that is no picture and a link that leads back. mixed: classes by name. */
static int make_files(void **state) {
    (void)state;
    make_folder("zoo");
    make_folder("zoo/dogs");
    make_folder("zoo/cats");
    make_folder("zoo/cats/old");
    make_folder("zoo/.hidden");
    make_folder("mixed");
    make_folder("empty");
    write_picture("zoo/dogs/1.png", 10);
    write_picture("zoo/dogs/2.jpg", 20);
    write_picture("zoo/cats/b.png", 30);
    write_picture("zoo/cats/old/a.png", 40);
    write_picture("zoo/.hidden/c.png", 50);
    scratch_write("zoo/notes.txt", "words", 5);
    (void)!symlink("..", scratch_path("zoo/cats/up"));
    write_picture("mixed/ant.1.png", 1);
    write_picture("mixed/ant.2.png", 2);
    write_picture("mixed/bee_1.png", 3);
    write_picture("mixed/bee_2.png", 4);
    write_picture("mixed/wasp-1.png", 5);
    write_picture("mixed/wasp-2.png", 6);
    return 0;
}

#define SIZE "size", "2x2"

/* What a source has, as "name=label ..." ("!" for a sample that fails). */
static const char *list_samples(const opened *o) {
    static char text[1024];
    size_t used = 0;
    for (int64_t i = 0; i < o->info.count; i++) {
        uint8_t data[64];
        int32_t label = 0;
        const char *name = NULL;
        const ls_status status = o->type->sample(o->source, i, data, &label, &name);
        assert_true(status == LS_OK || status == LS_INVALID);
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? " " : "", status == LS_OK ? name : "!");
        if (status == LS_OK && o->info.labelled)
            used += (size_t)snprintf(text + used, sizeof text - used, "=%s", o->info.class_names[label]);
    }
    return text;
}

static void test_images_by_folder(void **state) {
    (void)state;
    opened o = must_open("images", LIST(SIZE), LIST(scratch_path("zoo/")));
    assert_true(o.info.named && o.info.classes == 2 && ls_shape_equal(&o.info.shape, &(ls_shape){3, {2, 2, 3}}));
    assert_string_equal(list_samples(&o), "cats/b.png=cats cats/old/a.png=cats dogs/1.png=dogs dogs/2.jpg=dogs !");
    assert_non_null(strstr(ls_failure_get()->message, "notes.txt: not a JPEG or PNG file"));
    close_source(&o);
    o = must_open("images", LIST(SIZE, "labels", "folder"),
                  LIST(scratch_path("zoo/cats"), scratch_path("zoo/dogs/1.png")));
    assert_true(strstr(list_samples(&o), "b.png=cats old/a.png=old") && strstr(list_samples(&o), "dogs/1.png=dogs"));
    close_source(&o);
}

static void test_images_by_prefix(void **state) {
    (void)state;
    opened o = must_open("images", LIST(SIZE, "channels", "1"), LIST(scratch_path("mixed")));
    assert_true(ls_shape_equal(&o.info.shape, &(ls_shape){3, {2, 2, 1}}));
    assert_string_equal(list_samples(&o),
                        "ant.1.png=ant ant.2.png=ant bee_1.png=bee bee_2.png=bee wasp-1.png=wasp wasp-2.png=wasp");
    close_source(&o);
    o = must_open("images", LIST(SIZE, "labels", "none"), LIST(scratch_path("mixed")));
    assert_false(o.info.labelled);
    assert_string_equal(list_samples(&o), "ant.1.png ant.2.png bee_1.png bee_2.png wasp-1.png wasp-2.png");
    close_source(&o);
    o = must_open("images", LIST(SIZE), LIST(scratch_path("mixed/ant.1.png"), scratch_path("mixed/bee_1.png")));
    assert_false(o.info.labelled); /* as many prefixes as pictures: no classes */
    close_source(&o);
    o = must_open("images", LIST(SIZE, "labels", "prefix"),
                  LIST(scratch_path("mixed/ant.1.png"), scratch_path("mixed/bee_1.png")));
    assert_int_equal(o.info.classes, 2);
    close_source(&o);
}

static void test_images_errors(void **state) {
    (void)state;
    assert_fails("images", LIST(SIZE), LIST(scratch_path("nowhere")), "nowhere: No such file");
    assert_fails("images", LIST(SIZE), LIST("/dev/null"), "/dev/null: is a pipe or a device, not a file");
    assert_fails("images", LIST(SIZE), LIST(scratch_path("empty")), "empty: no JPEG or PNG file");
    static const char *const sizes[] = {"",       "80",  "80x",  "x80",     "80x80x", "80 x80",
                                        "80x80 ", "0x8", "-8x8", "8x20000", "8x8.5",  "+8x8"};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_fails("images", LIST("size", sizes[i]), LIST(scratch_path("mixed")), "such as 80x80");
}

/* --- generated --- */

/* A sample depends on the seed and its number alone, not on what the memory held. */
static void try_generated(const char *size, const char *channels, int64_t bytes) {
    opened o = must_open("digits", LIST("count", "50", "size", size, "channels", channels), NULL);
    assert_int_equal(o.info.count, 50);
    uint8_t *first = malloc((size_t)bytes), *second = malloc((size_t)bytes), *last = calloc(1, (size_t)bytes);
    for (int64_t i = 0; i < 50; i++) {
        int32_t label, again;
        const char *text;
        memset(first, 0, (size_t)bytes);
        memset(second, 255, (size_t)bytes);
        assert_int_equal(o.type->sample(o.source, i, first, &label, &text), LS_OK);
        assert_int_equal(o.type->sample(o.source, i, second, &again, &text), LS_OK);
        assert_memory_equal(first, second, (size_t)bytes);
        assert_memory_not_equal(first, last, (size_t)bytes);
        assert_true(label == again && label >= 0 && label < o.info.classes);
        memcpy(last, first, (size_t)bytes);
    }
    free(first);
    free(second);
    free(last);
    close_source(&o);
}

static void test_generated(void **state) {
    (void)state;
    try_generated("28x28", "1", 28 * 28);
    try_generated("9x40", "1", 9 * 40);
    try_generated("1x1", "1", 1);
    try_generated("32x32", "3", 32 * 32 * 3);
    try_generated("50x20", "3", 50 * 20 * 3);
    try_generated("1x3", "3", 9);
}

/* Of the same shapes: where the grey picture is black and white the coloured one has two colours, other ones for
 * another digit. */
static void test_coloured_digits(void **state) {
    (void)state;
    opened grey = must_open("digits", LIST("count", "20"), NULL);
    opened coloured = must_open("digits", LIST("count", "20", "channels", "3"), NULL);
    uint8_t ink[10][3] = {{0}};
    for (int64_t i = 0; i < 20; i++) {
        uint8_t shape[28 * 28], picture[28 * 28][3];
        int32_t label;
        const char *name;
        assert_int_equal(grey.type->sample(grey.source, i, shape, &label, &name), LS_OK);
        assert_int_equal(coloured.type->sample(coloured.source, i, picture, &label, &name), LS_OK);
        for (int p = 0; p < 28 * 28; p++) {
            if (shape[p] == 0) assert_memory_equal(picture[p], picture[0], 3);
            if (shape[p] != 255) continue;
            if (i < 10) memcpy(ink[label], picture[p], 3);
            assert_memory_equal(picture[p], ink[label], 3);
        }
    }
    for (int a = 0; a < 10; a++)
        for (int b = 0; b < a; b++) assert_memory_not_equal(ink[a], ink[b], 3);
    close_source(&grey);
    close_source(&coloured);
}

/* As in MNIST: ink in the middle, none at the edge, about a fifth of the picture. */
static void test_digits_are_like_mnist(void **state) {
    (void)state;
    opened o = must_open("digits", LIST("count", "1000"), NULL);
    double ink = 0, edge = 0;
    for (int64_t i = 0; i < 1000; i++) {
        uint8_t data[28][28];
        int32_t label;
        const char *name;
        assert_int_equal(o.type->sample(o.source, i, data, &label, &name), LS_OK);
        assert_int_equal(label, i % 10);
        double sum = 0, sum_x = 0, sum_y = 0;
        for (int y = 0; y < 28; y++)
            for (int x = 0; x < 28; x++) {
                sum += data[y][x];
                sum_x += x * data[y][x];
                sum_y += y * data[y][x];
                if (y == 0 || y == 27 || x == 0 || x == 27) edge += data[y][x];
            }
        assert_true(sum_x / sum > 12 && sum_x / sum < 15 && sum_y / sum > 12 && sum_y / sum < 15);
        ink += sum;
    }
    ink /= 1000 * 784 * 255.0;
    assert_true(ink > 0.09 && ink < 0.18); /* MNIST: 0.131 */
    assert_true(edge / (1000 * 108 * 255.0) < 1e-3);
    close_source(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_idx_plain_and_gzipped),
        cmocka_unit_test(test_idx_floats_and_dimensions),
        cmocka_unit_test(test_idx_errors),
        cmocka_unit_test(test_damaged_gzip),
        cmocka_unit_test(test_cifar10),
        cmocka_unit_test(test_images_by_folder),
        cmocka_unit_test(test_images_by_prefix),
        cmocka_unit_test(test_images_errors),
        cmocka_unit_test(test_generated),
        cmocka_unit_test(test_coloured_digits),
        cmocka_unit_test(test_digits_are_like_mnist),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
