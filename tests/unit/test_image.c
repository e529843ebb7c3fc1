/* Reading and writing pictures: JPEG and PNG, turned, huge, damaged, and on a disk that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <zlib.h>

#include "base/memory.h"
#include "base/rng.h"
#include "data/image_codec_internal.h"
#include "support/scratch.h"

static const int64_t limit = INT64_C(64) << 20;

static ls_image make_random(int64_t h, int64_t w, int64_t c) {
    ls_image image = {.h = h, .w = w, .c = c};
    assert_int_equal(ls_alloc(&image.pixels, h * w * c, 1, "a test"), LS_OK);
    const ls_rng rng = ls_rng_stream(1, LS_RNG_TEST, 0, 0);
    for (int64_t i = 0; i < h * w * c; i++) image.pixels[i] = (uint8_t)ls_rng_below(&rng, (uint64_t)i, 256);
    return image;
}

static ls_image read_image(const char *path, int channels) {
    ls_image image;
    if (ls_image_read(path, channels, 0, 0, limit, &image) != LS_OK) fail_msg("%s", ls_failure_get()->message);
    assert_int_equal(image.c, channels);
    return image;
}

static void assert_refused(const char *path) {
    ls_image image;
    assert_int_equal(ls_image_read(path, 3, 0, 0, limit, &image), LS_INVALID);
    assert_null(image.pixels);
    assert_memory_equal(ls_failure_get()->message, path, strlen(path));
}

/* The system fails to read this file's beginning: that is no bad picture, to be passed over. */
static void test_failing_disk(void **state) {
    (void)state;
    ls_image image;
    assert_int_equal(ls_image_read("/proc/self/mem", 3, 0, 0, limit, &image), LS_ERROR);
    assert_string_equal(ls_failure_get()->message, "/proc/self/mem: cannot be read: Input/output error");
    assert_false(ls_image_recognize("/proc/self/mem"));
}

/* --- JPEG files to read --- */

typedef struct jpeg_file {
    unsigned char *data;
    unsigned long bytes;
} jpeg_file;

typedef struct jpeg_kind {
    J_COLOR_SPACE space; /* of the pixels, and of the file unless it is YCbCr's */
    bool progressive;
    int orientation; /* 0: no EXIF */
} jpeg_kind;

static void write_exif(struct jpeg_compress_struct *jpeg, int orientation) {
    const uint8_t exif[] = {'E', 'x', 'i', 'f',  0,    0, 'M', 'M', 0, 42, 0, 0, 0,
                            8,   0,   1,   0x01, 0x12, 0, 3,   0,   0, 0,  1, 0, (uint8_t)orientation,
                            0,   0,   0,   0,    0,    0};
    jpeg_write_marker(jpeg, JPEG_APP0 + 1, exif, sizeof exif);
}

static jpeg_file encode_jpeg(const ls_image *image, jpeg_kind kind) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg_file file = {0};
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &file.data, &file.bytes);
    jpeg.image_width = (JDIMENSION)image->w;
    jpeg.image_height = (JDIMENSION)image->h;
    jpeg.input_components = (int)image->c;
    jpeg.in_color_space = kind.space;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    if (kind.progressive) jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    if (kind.orientation) write_exif(&jpeg, kind.orientation);
    for (int64_t y = 0; y < image->h; y++)
        jpeg_write_scanlines(&jpeg, &(JSAMPROW){image->pixels + y * image->w * image->c}, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return file;
}

/* --- round trips --- */

static void test_png_round_trip(void **state) {
    (void)state;
    for (int c = 1; c <= 3; c += 2) {
        ls_image image = make_random(19, 23, c);
        const char *path = scratch_path("image.png");
        assert_int_equal(ls_image_write_png(path, &image), LS_OK);
        ls_image again = read_image(path, c), other = read_image(path, 4 - c);
        assert_true(again.h == 19 && again.w == 23);
        assert_memory_equal(again.pixels, image.pixels, (size_t)(19 * 23 * c));
        for (int i = 0; i < 19 * 23; i++) {
            const uint8_t *p = image.pixels + i * c, *q = other.pixels + i * other.c;
            const double luma = 0.299 * p[0] + 0.587 * p[c > 1] + 0.114 * p[c - 1];
            assert_true(c == 1 ? q[0] == p[0] && q[1] == p[0] && q[2] == p[0] : q[0] == (int)(luma + 0.5));
        }
        ls_image_release(&image);
        ls_image_release(&again);
        ls_image_release(&other);
    }
}

static void test_png_that_cannot_be_written(void **state) {
    (void)state;
    ls_image image = make_random(2, 2, 1);
    const char *path = scratch_path("no-such-directory/image.png");
    assert_int_equal(ls_image_write_png(path, &image), LS_ERROR);
    assert_non_null(strstr(ls_failure_get()->message, path));
    ls_image_release(&image);
}

/* --- orientation --- */

/* Six tiles of a pixel grid, named a to f; each row of text one row of tiles. */
static const char *const upright[9] = {"abc/def",  "abc/def",  "cba/fed",  "fed/cba", "def/abc",
                                       "ad/be/cf", "da/eb/fc", "fc/eb/da", "cf/be/ad"};
enum { TILE = 16, TILE_STEP = 40 };

static ls_image make_tiles(void) {
    ls_image image = make_random(2 * TILE, 3 * TILE, 1);
    for (int64_t y = 0; y < image.h; y++)
        for (int64_t x = 0; x < image.w; x++)
            image.pixels[y * image.w + x] = (uint8_t)((y / TILE * 3 + x / TILE) * TILE_STEP);
    return image;
}

static void assert_tiles(const ls_image *image, const char *rows) {
    int64_t y = 0, x = 0;
    for (; *rows; rows++) {
        if (*rows == '/') {
            y++;
            x = 0;
            continue;
        }
        const int value = image->pixels[((y * TILE + TILE / 2) * image->w + x * TILE + TILE / 2) * image->c];
        assert_in_range(value + 2, (*rows - 'a') * TILE_STEP, (*rows - 'a') * TILE_STEP + 4);
        x++;
    }
    assert_true(image->h == (y + 1) * TILE && image->w == x * TILE);
}

static void test_orientation(void **state) {
    (void)state;
    ls_image image = make_tiles();
    for (int orientation = 0; orientation <= 8; orientation++)
        for (int channels = 1; channels <= 3; channels += 2) {
            jpeg_file file = encode_jpeg(&image, (jpeg_kind){.space = JCS_GRAYSCALE, .orientation = orientation});
            ls_image out = read_image(scratch_write("turned.jpg", file.data, (int64_t)file.bytes), channels);
            assert_tiles(&out, upright[orientation]);
            ls_image_release(&out);
            free(file.data);
        }
    ls_image_release(&image);
}

static void test_exif_data(void **state) {
    (void)state;
    const uint8_t exif[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0};
    assert_int_equal(ls_exif_orientation(exif, sizeof exif), 6);
    for (size_t bytes = 0; bytes < sizeof exif; bytes++) {
        uint8_t *copy = malloc(bytes + 1); /* of this size, for the address sanitizer */
        memcpy(copy + 1, exif, bytes);
        assert_int_equal(ls_exif_orientation(copy + 1, (int64_t)bytes), 1);
        free(copy);
    }
    assert_int_equal(ls_exif_orientation_of_hex("\nexif\n 28\n457869660000\n49492a000800000001001201030001000000"
                                                "06000000\n"),
                     6);
    assert_int_equal(ls_exif_orientation_of_hex(""), 1);
    assert_int_equal(ls_exif_orientation_of_hex("\n\n"), 1);
}

/* --- colour, size, limits --- */

static void test_cmyk(void **state) {
    (void)state;
    /* libjpeg marks CMYK as Adobe's: 255 is no ink. */
    ls_image ink = make_random(16, 16, 4);
    const uint8_t red[4] = {255, 0, 0, 255};
    for (int i = 0; i < 256; i++) memcpy(ink.pixels + 4 * i, red, 4);
    jpeg_file file = encode_jpeg(&ink, (jpeg_kind){.space = JCS_CMYK});
    const char *path = scratch_write("ink.jpg", file.data, (int64_t)file.bytes);
    ls_image colour = read_image(path, 3), grey = read_image(path, 1);
    assert_true(colour.pixels[0] > 250 && colour.pixels[1] < 5 && colour.pixels[2] < 5);
    assert_in_range(grey.pixels[0], 74, 78);
    ls_image_release(&ink);
    ls_image_release(&colour);
    ls_image_release(&grey);
    free(file.data);
}

/* Whole where that fits; else at the largest scale that does, if it is not below what is wanted. */
static void test_jpeg_is_scaled_only_where_memory_is_short(void **state) {
    (void)state;
    enum { WHOLE = 120 * 200 * (3 + 3) + 1, HALF = 60 * 100 * (3 + 3) + 1, QUARTER = 30 * 50 * (3 + 3) + 1 };
    ls_image image = make_random(120, 200, 3);
    jpeg_file file = encode_jpeg(&image, (jpeg_kind){.space = JCS_RGB});
    jpeg_file turned = encode_jpeg(&image, (jpeg_kind){.space = JCS_RGB, .orientation = 6});
    const char *path = scratch_write("big.jpg", file.data, (int64_t)file.bytes);
    const char *turned_path = scratch_write("turned.jpg", turned.data, (int64_t)turned.bytes);
    static const int64_t cases[][4] = {{15, 25, WHOLE, 120}, {15, 25, WHOLE - 1, 60}, {60, 100, HALF, 60},
                                       {61, 1, HALF, 0},     {15, 25, QUARTER, 30},   {0, 0, HALF, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const ls_status expected = cases[i][3] > 0 ? LS_OK : LS_INVALID;
        ls_image out;
        assert_int_equal(ls_image_read(path, 3, cases[i][0], cases[i][1], cases[i][2], &out), expected);
        assert_true(out.h == cases[i][3]);
        ls_image_release(&out);
        assert_int_equal(ls_image_read(turned_path, 3, cases[i][1], cases[i][0], cases[i][2], &out), expected);
        assert_true(out.w == cases[i][3]);
        ls_image_release(&out);
    }
    ls_image_release(&image);
    free(file.data);
    free(turned.data);
}

/* The same pixels as JPEG and as PNG, fine stripes among them, give the same small picture. */
static void test_jpeg_and_png_shrink_alike(void **state) {
    (void)state;
    ls_image image = make_random(375, 500, 3);
    for (int64_t i = 0; i < image.h * image.w * 3; i++) image.pixels[i] = i / 3 % image.w / 3 % 2 ? 255 : 0;
    jpeg_file file = encode_jpeg(&image, (jpeg_kind){.space = JCS_RGB});
    const char *jpeg = scratch_write("stripes.jpg", file.data, (int64_t)file.bytes), *png = scratch_path("stripes.png");
    ls_image whole, again, a, b;
    assert_int_equal(ls_image_read(jpeg, 3, 0, 0, limit, &whole), LS_OK);
    assert_int_equal(ls_image_write_png(png, &whole), LS_OK);
    ls_image_release(&whole);
    assert_int_equal(ls_image_read(jpeg, 3, 80, 80, limit, &whole), LS_OK);
    assert_int_equal(ls_image_read(png, 3, 80, 80, limit, &again), LS_OK);
    assert_int_equal(ls_image_resize(&whole, 80, 80, LS_FIT_CROP, &a), LS_OK);
    assert_int_equal(ls_image_resize(&again, 80, 80, LS_FIT_CROP, &b), LS_OK);
    assert_memory_equal(a.pixels, b.pixels, 80 * 80 * 3);
    ls_image_release(&image);
    ls_image_release(&whole);
    ls_image_release(&again);
    ls_image_release(&a);
    ls_image_release(&b);
    free(file.data);
}

static unsigned char *find_frame_header(const jpeg_file *file) {
    for (unsigned long i = 0; i + 1 < file->bytes; i++)
        if (file->data[i] == 0xFF && (file->data[i + 1] == 0xC0 || file->data[i + 1] == 0xC2)) return file->data + i;
    fail();
    return NULL;
}

/* A header may claim 65,500 x 65,500; progressive pictures are held whole whatever the scale. */
static void test_jpeg_that_claims_to_be_huge(void **state) {
    (void)state;
    ls_image image = make_random(32, 32, 3);
    for (int progressive = 0; progressive < 2; progressive++) {
        jpeg_file file = encode_jpeg(&image, (jpeg_kind){.space = JCS_RGB, .progressive = progressive});
        static const unsigned char sides[4] = {0xFF, 0xDC, 0xFF, 0xDC};
        memcpy(find_frame_header(&file) + 5, sides, sizeof sides);
        const char *path = scratch_write("huge.jpg", file.data, (int64_t)file.bytes);
        assert_refused(path);
        ls_image out;
        assert_int_equal(ls_image_read(path, 3, 80, 80, INT64_C(512) << 20, &out), LS_INVALID);
        free(file.data);
    }
    ls_image_release(&image);
}

static void test_png_that_claims_to_be_huge(void **state) {
    (void)state;
    uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n', 0,   0,   0,   13,   'I',  'H',  'D',
                     'R',  0,   1,   0,   0,    0,    1,    0,    0,   8,   6,   0,    0,    0,    0,
                     0,    0,   0,   0,   0,    0,    0,    'I',  'D', 'A', 'T', 0x35, 0xAF, 0x06, 0x1E};
    const uLong crc = crc32(0, png + 12, 17);
    for (int i = 0; i < 4; i++) png[29 + i] = (uint8_t)(crc >> (24 - 8 * i));
    assert_refused(scratch_write("huge.png", png, sizeof png));
    assert_non_null(strstr(ls_failure_get()->message, "65536 x 65536"));
}

/* --- damage --- */

static void try_every_length(const char *name, const uint8_t *data, int64_t bytes) {
    for (int64_t length = 0; length < bytes; length++) assert_refused(scratch_write(name, data, length));
    ls_image image = read_image(scratch_write(name, data, bytes), 3);
    ls_image_release(&image);
}

/* One wrong byte: read or refused, whichever, within bounds. */
static void try_every_byte(const char *name, uint8_t *data, int64_t bytes) {
    for (int64_t i = 0; i < bytes; i++) {
        const uint8_t right = data[i];
        data[i] ^= (uint8_t)(1 + i * 37 % 255);
        ls_image image;
        ls_image_read(scratch_write(name, data, bytes), 3, 0, 0, limit, &image);
        ls_image_release(&image);
        data[i] = right;
    }
}

static void test_damaged_jpeg(void **state) {
    (void)state;
    ls_image image = make_random(24, 24, 3);
    for (int progressive = 0; progressive < 2; progressive++) {
        jpeg_file file =
            encode_jpeg(&image, (jpeg_kind){.space = JCS_RGB, .progressive = progressive, .orientation = 6});
        try_every_length("cut.jpg", file.data, (int64_t)file.bytes);
        try_every_byte("wrong.jpg", file.data, (int64_t)file.bytes);
        free(file.data);
    }
    ls_image_release(&image);
}

static void test_damaged_png(void **state) {
    (void)state;
    ls_image image = make_random(16, 16, 3);
    const char *path = scratch_path("whole.png");
    assert_int_equal(ls_image_write_png(path, &image), LS_OK);
    uint8_t data[4096];
    FILE *file = fopen(path, "rb");
    const int64_t bytes = (int64_t)fread(data, 1, sizeof data, file);
    fclose(file);
    try_every_length("cut.png", data, bytes);
    try_every_byte("wrong.png", data, bytes);
    ls_image_release(&image);
}

static void test_what_is_no_picture(void **state) {
    (void)state;
    assert_refused(scratch_path("missing.jpg"));
    assert_refused(scratch_path("."));
    assert_refused("/dev/null");
    assert_refused(scratch_write("empty.jpg", "", 0));
    assert_refused(scratch_write("text.png", "GIF89a, in fact", 15));
    assert_false(ls_image_recognize(scratch_path("missing.jpg")));
}

/* --- the collection of odd pictures, where it is there --- */

#define ODD_IMAGES "../shared/data/odd-images/"
static const char *const folders[] = {"jpeg", "png", "pngsuite", "other"};
static const char *const refused[] = {"monkey12.jpg",       "truncated_jpeg.jpg",     "ultrahdr.jpg",
                                      "broken.png",         "broken_data_stream.png", "truncated_end_chunk.png",
                                      "truncated_image.png"};

static bool is_refused(const char *folder, const char *name) {
    if (strcmp(folder, "other") == 0 || strstr(name, ".txt")) return true;
    if (strcmp(folder, "pngsuite") == 0) return name[0] == 'x';
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (strcmp(name, refused[i]) == 0) return true;
    return false;
}

static void try_odd_image(const char *folder, const char *name) {
    char path[512];
    snprintf(path, sizeof path, ODD_IMAGES "%s/%s", folder, name);
    ls_image image;
    const ls_status status = ls_image_read(path, 3, 80, 80, limit, &image);
    if ((status != LS_OK) != is_refused(folder, name)) fail_msg("%s: %s", path, status == LS_OK ? "read" : "refused");
    if (status != LS_OK) assert_memory_equal(ls_failure_get()->message, path, strlen(path));
    ls_image_release(&image);
}

static void test_odd_images(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, ODD_IMAGES "%s", folders[i]);
        DIR *directory = opendir(path);
        if (!directory) skip();
        for (struct dirent *entry; (entry = readdir(directory));)
            if (entry->d_name[0] != '.') try_odd_image(folders[i], entry->d_name);
        closedir(directory);
    }
}

/* Photographs stored in four ways, with the orientation that puts them right: all show the same. */
static void test_odd_orientations(void **state) {
    (void)state;
    ls_image image, first;
    if (ls_image_read(ODD_IMAGES "jpeg/hopper.jpg", 1, 0, 0, limit, &first) != LS_OK) skip();
    for (int orientation = 2; orientation <= 8; orientation++) {
        char path[512];
        snprintf(path, sizeof path, ODD_IMAGES "jpeg/hopper_orientation_%d.jpg", orientation);
        image = read_image(path, 1);
        assert_true(image.h == first.h && image.w == first.w);
        int64_t difference = 0;
        for (int64_t i = 0; i < image.h * image.w; i++) difference += abs(image.pixels[i] - first.pixels[i]);
        assert_true(difference < 8 * image.h * image.w);
        ls_image_release(&image);
    }
    ls_image_release(&first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failing_disk),
        cmocka_unit_test(test_png_round_trip),
        cmocka_unit_test(test_png_that_cannot_be_written),
        cmocka_unit_test(test_orientation),
        cmocka_unit_test(test_exif_data),
        cmocka_unit_test(test_cmyk),
        cmocka_unit_test(test_jpeg_is_scaled_only_where_memory_is_short),
        cmocka_unit_test(test_jpeg_and_png_shrink_alike),
        cmocka_unit_test(test_jpeg_that_claims_to_be_huge),
        cmocka_unit_test(test_png_that_claims_to_be_huge),
        cmocka_unit_test(test_damaged_jpeg),
        cmocka_unit_test(test_damaged_png),
        cmocka_unit_test(test_what_is_no_picture),
        cmocka_unit_test(test_odd_images),
        cmocka_unit_test(test_odd_orientations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
