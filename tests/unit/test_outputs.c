/* Picture grids and files of arrays, read back with other code than wrote them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/image.h"
#include "report/outputs.h"
#include "support/nets.h"
#include "support/scratch.h"

static ls_image write_and_read(const ls_grid_row *rows, int count, int64_t pictures, int channels) {
    const char *path = scratch_path("grid.png");
    ls_image image;
    expect_ok(ls_grid_write(path, rows, count, pictures, pictures));
    expect_ok(ls_image_read(path, channels, 0, 0, 1 << 24, &image));
    return image;
}

static int pixel(const ls_image *image, int64_t y, int64_t x, int64_t channel) {
    return image->pixels[(y * image->w + x) * image->c + channel];
}

/* 784 numbers are a picture of 28 x 28, shown three times as large, with gaps of 4. */
static void vectors_are_squares(void **unused) {
    (void)unused;
    float data[2][784];
    for (int i = 0; i < 784; i++) {
        data[0][i] = (float)i / 783.0f;
        data[1][i] = i == 0 ? -5.0f : 5.0f; /* out of range */
    }
    ls_grid_row row = {.data = data[0], .shape = {.dims = 1, .dim = {784}}, .low = 0, .high = 1};
    ls_image image = write_and_read(&row, 1, 2, 1);
    assert_int_equal(image.h, 4 + 84 + 4);
    assert_int_equal(image.w, 4 + 84 + 4 + 84 + 4);
    for (int64_t y = 0; y < 28; y++)
        for (int64_t x = 0; x < 28; x++) {
            int expected = (int)lrintf((float)(y * 28 + x) / 783.0f * 255.0f);
            assert_int_equal(pixel(&image, 4 + 3 * y, 4 + 3 * x, 0), expected);
            assert_int_equal(pixel(&image, 4 + 3 * y + 2, 4 + 3 * x + 2, 0), expected);
        }
    assert_int_equal(pixel(&image, 0, 0, 0), 255);
    assert_int_equal(pixel(&image, 4, 92, 0), 0);
    assert_int_equal(pixel(&image, 90, 175, 0), 255);
    ls_image_release(&image);
}

/* Rows of different shapes and kinds under one another: grey in the first, colours in the second. */
static void rows_may_differ(void **unused) {
    (void)unused;
    float grey[32 * 32], colours[32 * 32 * 3];
    for (int i = 0; i < 32 * 32; i++) grey[i] = 0.5f;
    for (int i = 0; i < 32 * 32 * 3; i++) colours[i] = (float)(i % 3) / 2.0f;
    ls_grid_row rows[] = {{.data = grey, .shape = {.dims = 3, .dim = {32, 32, 1}}, .low = 0, .high = 1},
                          {.data = colours, .shape = {.dims = 3, .dim = {32, 32, 3}}, .low = 0, .high = 1},
                          {.data = colours, .shape = {.dims = 1, .dim = {32 * 32 * 3}}, .low = 0, .high = 1}};
    ls_image image = write_and_read(rows, 3, 1, 3);
    assert_int_equal(image.h, 4 + 3 * 100);
    for (int64_t channel = 0; channel < 3; channel++) {
        assert_int_equal(pixel(&image, 50, 50, channel), 128);
        assert_int_equal(pixel(&image, 150, 50, channel), (channel * 255 + 1) / 2);
        assert_int_equal(pixel(&image, 250, 50, channel), (channel * 255 + 1) / 2);
    }
    ls_image_release(&image);
}

/* Five channels of 2 x 2: tiles in rows of three, the sixth place white; without a range, from black to white. */
static void channels_are_tiles(void **unused) {
    (void)unused;
    float code[20];
    for (int i = 0; i < 20; i++) code[i] = (float)(i % 5) * 10.0f - 7.0f;
    ls_grid_row row = {.data = code, .shape = {.dims = 3, .dim = {2, 2, 5}}};
    ls_image image = write_and_read(&row, 1, 1, 1);
    int64_t scale = 96 / 6;
    for (int64_t tile = 0; tile < 6; tile++) {
        int expected = tile < 5 ? (int)lrintf((float)tile / 4.0f * 255.0f) : 255;
        assert_int_equal(pixel(&image, 4 + (tile / 3 * 2 + 1) * scale, 4 + (tile % 3 * 2 + 1) * scale, 0), expected);
    }
    ls_image_release(&image);
}

/* After two pictures the rows go on below; labels stand in front of each row, and nothing else is in the margin. */
static void rows_are_wrapped_and_labelled(void **unused) {
    (void)unused;
    float black[3 * 96 * 96] = {0};
    ls_grid_row row = {.label = "a-Z", .data = black, .shape = {.dims = 2, .dim = {96, 96}}, .low = 0, .high = 1};
    const char *path = scratch_path("labelled.png");
    ls_image image;
    expect_ok(ls_grid_write(path, &row, 1, 3, 2));
    expect_ok(ls_image_read(path, 1, 0, 0, 1 << 24, &image));
    int64_t margin = image.w - (4 + 2 * 100), dark[2] = {0};
    assert_int_equal(image.h, 4 + 2 * 100);
    assert_true(margin > 0);
    assert_int_equal(pixel(&image, 50, 4 + margin, 0), 0);
    assert_int_equal(pixel(&image, 150, 4 + margin, 0), 0);
    assert_int_equal(pixel(&image, 150, 4 + margin + 100, 0), 255); /* there is no fourth one */
    for (int64_t y = 0; y < image.h; y++)
        for (int64_t x = 0; x < margin; x++) dark[y / 102] += pixel(&image, y, x, 0) == 0;
    assert_true(dark[0] > 0 && dark[0] == dark[1]);
    ls_image_release(&image);
}

static void any_shape_can_be_shown(void **unused) {
    (void)unused;
    static float data[3 * 400 * 300];
    const ls_shape shapes[] = {{.dims = 1, .dim = {1}},           {.dims = 1, .dim = {2}},
                               {.dims = 1, .dim = {12}},          {.dims = 1, .dim = {131}},
                               {.dims = 2, .dim = {5, 7}},        {.dims = 3, .dim = {1, 1, 512}},
                               {.dims = 3, .dim = {300, 400, 3}}, {.dims = 3, .dim = {3, 90, 2}}};
    data[0] = strtof("nan", NULL);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        ls_grid_row row = {.data = data, .shape = shapes[i]};
        ls_image image = write_and_read(&row, 1, 1, 1);
        ls_image_release(&image);
    }
    ls_grid_row row = {.data = data, .shape = shapes[0]};
    assert_int_equal(ls_grid_write("no such directory/grid.png", &row, 1, 1, 1), LS_ERROR);
}

/* --- files of arrays --- */

static const char *write_sink(const char *name, int64_t total, const ls_shape *shape) {
    const char *path = scratch_path(name);
    int64_t each = ls_shape_count(shape);
    const int32_t labels[] = {5, 0, 4, 1, 9, 2, 1, 3, 1, 4};
    float *data = malloc((size_t)(total * each) * sizeof *data);
    assert_true(total <= 10);
    fill_formula(1, -1, 1, total * each, data);
    ls_sink *sink;
    const ls_sink_spec spec = {.total = total, .shape = *shape, .labelled = true};
    expect_ok(ls_sink_open(path, &spec, &sink));
    for (int64_t at = 0, count = 1; at < total; at += count, count = count + 1 < total - at ? count + 1 : total - at)
        expect_ok(ls_sink_append(sink, count, data + at * each, labels + at, NULL));
    assert_int_not_equal(access(path, F_OK), 0);
    expect_ok(ls_sink_close(sink, true));
    free(data);
    return path;
}

static void numpy_reads_npy(void **unused) {
    (void)unused;
    const char *path = write_sink("out.npy", 10, &(ls_shape){.dims = 3, .dim = {4, 3, 2}});
    unsigned char head[10];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(head, 1, 10, file), 10);
    assert_memory_equal(head, "\x93NUMPY\x01\x00", 8);
    int length = head[8] + 256 * head[9];
    assert_int_equal((10 + length) % 64, 0);
    char *header = calloc(1, (size_t)length + 1);
    assert_int_equal(fread(header, 1, (size_t)length, file), length);
    assert_non_null(strstr(header, "{'descr': '<f4', 'fortran_order': False, 'shape': (10, 4, 3, 2,), }"));
    assert_int_equal(header[length - 1], '\n');
    for (uint64_t i = 0; i < 240; i++) {
        float value;
        assert_int_equal(fread(&value, sizeof value, 1, file), 1);
        assert_true(value == formula_number(1, i) * 2.0f - 1.0f);
    }
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
    free(header);
}

static void csv_has_labels_and_all_digits(void **unused) {
    (void)unused;
    FILE *file = fopen(write_sink("out.csv", 3, &(ls_shape){.dims = 2, .dim = {2, 2}}), "r");
    char line[256];
    const int labels[] = {5, 0, 4};
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    assert_string_equal(line, "label,x0,x1,x2,x3\n");
    for (uint64_t row = 0; row < 3; row++) {
        int label;
        float x[4];
        assert_int_equal(fscanf(file, "%d,%f,%f,%f,%f", &label, &x[0], &x[1], &x[2], &x[3]), 5);
        assert_int_equal(label, labels[row]);
        for (uint64_t i = 0; i < 4; i++) assert_true(x[i] == formula_number(1, 4 * row + i) * 2.0f - 1.0f);
    }
    fclose(file);
}

static void expect_text(const char *path, const char *text) {
    char is[512] = "";
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    (void)!fread(is, 1, sizeof is - 1, file);
    fclose(file);
    assert_string_equal(is, text);
}

static void write_named(const char *path, bool labelled) {
    const char *const names[] = {"plain.png", "a, \"b\".png", NULL, "two\nlines \xff\xc3\xa4"};
    const int32_t labels[] = {3, 0, 2, 1};
    const float data[] = {0, 1, 2, 3};
    const ls_sink_spec spec = {.total = 4, .shape = {.dims = 1, .dim = {1}}, .labelled = labelled, .named = true};
    ls_sink *sink;
    expect_ok(ls_sink_open(path, &spec, &sink));
    expect_ok(ls_sink_append(sink, 1, data, labels, names));
    expect_ok(ls_sink_append(sink, 3, data + 1, labels + 1, names + 1));
    expect_ok(ls_sink_close(sink, true));
}

static void rows_have_names(void **unused) {
    (void)unused;
    char path[4096], rows[4096];
    snprintf(path, sizeof path, "%s", scratch_path("named.csv"));
    write_named(path, false);
    expect_text(path, "name,x0\nplain.png,0\n\"a, \"\"b\"\".png\",1\n,2\n\"two\nlines \xEF\xBF\xBD\xC3\xA4\",3\n");
    write_named(path, true);
    expect_text(
        path,
        "name,label,x0\nplain.png,3,0\n\"a, \"\"b\"\".png\",0,1\n,2,2\n\"two\nlines \xEF\xBF\xBD\xC3\xA4\",1,3\n");
    snprintf(path, sizeof path, "%s", scratch_path("named.npy"));
    snprintf(rows, sizeof rows, "%s", scratch_path("named.rows.csv"));
    write_named(path, true);
    expect_text(rows, "name,label\nplain.png,3\n\"a, \"\"b\"\".png\",0\n,2\n\"two\nlines \xEF\xBF\xBD\xC3\xA4\",1\n");
    /* What no longer holds is not left beside the array. */
    const ls_sink_spec spec = {.total = 1, .shape = {.dims = 1, .dim = {1}}};
    ls_sink *sink;
    expect_ok(ls_sink_open(path, &spec, &sink));
    expect_ok(ls_sink_append(sink, 1, (float[]){0}, NULL, NULL));
    expect_ok(ls_sink_close(sink, true));
    assert_int_not_equal(access(rows, F_OK), 0);
}

/* A file of the user's where an array's rows would be: with rows or without it is left as it is. */
static void other_rows_are_kept(void **unused) {
    (void)unused;
    char path[4096], rows[4096];
    snprintf(path, sizeof path, "%s", scratch_path("mine.npy"));
    const char *text = "name,label,x0\na,1,2\n";
    snprintf(rows, sizeof rows, "%s", scratch_write("mine.rows.csv", text, (int64_t)strlen(text)));
    for (int named = 0; named <= 1; named++) {
        ls_sink *sink;
        const ls_sink_spec spec = {.total = 1, .shape = {.dims = 1, .dim = {1}}, .named = named};
        assert_int_equal(ls_sink_open(path, &spec, &sink), LS_INVALID);
        assert_null(sink);
    }
    expect_text(rows, text);
    assert_int_equal(ls_sink_check_input(path, rows), LS_INVALID);
    expect_ok(ls_sink_check_input(rows, path));
    assert_int_not_equal(access(path, F_OK), 0);
}

/* Where the array cannot get its name, no new rows stand beside an old one. */
static void rows_wait_for_their_array(void **unused) {
    (void)unused;
    const char *const names[] = {"a"};
    char path[4096], rows[4096];
    snprintf(path, sizeof path, "%s", scratch_path("late.npy"));
    snprintf(rows, sizeof rows, "%s", scratch_path("late.rows.csv"));
    const ls_sink_spec spec = {.total = 1, .shape = {.dims = 1, .dim = {1}}, .named = true};
    ls_sink *sink;
    expect_ok(ls_sink_open(path, &spec, &sink));
    expect_ok(ls_sink_append(sink, 1, (float[]){0}, NULL, names));
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(ls_sink_close(sink, true), LS_ERROR);
    assert_int_not_equal(access(rows, F_OK), 0);
    assert_int_equal(rmdir(path), 0);
}

static void what_is_not_kept_leaves_nothing(void **unused) {
    (void)unused;
    const char *names[] = {"gone.csv", "gone.npy", "gone.png"};
    for (int i = 0; i < 3; i++) {
        const char *path = scratch_path(names[i]);
        char part[4096];
        ls_sink *sink;
        expect_ok(ls_sink_open(path, &(ls_sink_spec){.total = 5, .shape = {.dims = 1, .dim = {3}}}, &sink));
        expect_ok(ls_sink_close(sink, false));
        snprintf(part, sizeof part, "%s.part", path);
        assert_int_not_equal(access(path, F_OK), 0);
        assert_int_not_equal(access(part, F_OK), 0);
    }
}

static void names_are_checked(void **unused) {
    (void)unused;
    ls_sink *sink;
    ls_sink_spec spec = {.total = 5, .shape = {.dims = 1, .dim = {3}}};
    assert_int_equal(ls_sink_open("out.txt", &spec, &sink), LS_INVALID);
    assert_int_equal(ls_sink_open(".npy", &spec, &sink), LS_INVALID);
    assert_int_equal(ls_sink_open("no such directory/out.npy", &spec, &sink), LS_INVALID);
    assert_int_equal(ls_sink_open("no such directory/out.csv", &spec, &sink), LS_INVALID);
    assert_null(sink);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_squares),
        cmocka_unit_test(rows_may_differ),
        cmocka_unit_test(channels_are_tiles),
        cmocka_unit_test(rows_are_wrapped_and_labelled),
        cmocka_unit_test(any_shape_can_be_shown),
        cmocka_unit_test(numpy_reads_npy),
        cmocka_unit_test(csv_has_labels_and_all_digits),
        cmocka_unit_test(rows_have_names),
        cmocka_unit_test(other_rows_are_kept),
        cmocka_unit_test(rows_wait_for_their_array),
        cmocka_unit_test(what_is_not_kept_leaves_nothing),
        cmocka_unit_test(names_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
