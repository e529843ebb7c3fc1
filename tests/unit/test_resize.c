/* Resizing, cropping and padding of pictures, by laws of what must not change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "data/image.h"

static ls_image make(int64_t h, int64_t w, int64_t c) {
    ls_image image = {.h = h, .w = w, .c = c};
    assert_int_equal(ls_alloc(&image.pixels, h * w * c, 1, "a test"), LS_OK);
    return image;
}

static ls_image make_random(int64_t h, int64_t w, int64_t c) {
    ls_image image = make(h, w, c);
    const ls_rng rng = ls_rng_stream(1, LS_RNG_TEST, 0, 0);
    for (int64_t i = 0; i < h * w * c; i++) image.pixels[i] = (uint8_t)ls_rng_below(&rng, (uint64_t)i, 256);
    return image;
}

static ls_image resize(const ls_image *image, int64_t h, int64_t w, ls_fit fit) {
    ls_image out;
    assert_int_equal(ls_image_resize(image, h, w, fit, &out), LS_OK);
    assert_true(out.h == h && out.w == w && out.c == image->c);
    return out;
}

static const int64_t sizes[][2] = {{1, 1}, {1, 7}, {7, 1}, {5, 5}, {28, 28}, {33, 20}, {100, 64}, {3, 1000}};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void test_same_size_is_identity(void **state) {
    (void)state;
    ls_image image = make_random(13, 17, 3);
    for (ls_fit fit = 0; fit < LS_FIT_COUNT; fit++) {
        ls_image out = resize(&image, 13, 17, fit);
        assert_memory_equal(out.pixels, image.pixels, 13 * 17 * 3);
        ls_image_release(&out);
    }
    ls_image_release(&image);
}

static void test_constant_stays_constant(void **state) {
    (void)state;
    for (int from = 0; from < SIZES; from++)
        for (int to = 0; to < SIZES; to++)
            for (int value = 1; value < 256; value += 127) {
                ls_image image = make(sizes[from][0], sizes[from][1], 3);
                memset(image.pixels, value, (size_t)(image.h * image.w * 3));
                ls_image crop = resize(&image, sizes[to][0], sizes[to][1], LS_FIT_CROP);
                ls_image stretch = resize(&image, sizes[to][0], sizes[to][1], LS_FIT_STRETCH);
                for (int64_t i = 0; i < crop.h * crop.w * 3; i++) {
                    assert_int_equal(crop.pixels[i], value);
                    assert_int_equal(stretch.pixels[i], value);
                }
                ls_image_release(&image);
                ls_image_release(&crop);
                ls_image_release(&stretch);
            }
}

/* By a whole factor, every output pixel is the mean of its box, rounded once. */
static void test_boxes(void **state) {
    (void)state;
    enum { H = 6, W = 5, FACTOR_H = 3, FACTOR_W = 4 };
    ls_image image = make_random(H * FACTOR_H, W * FACTOR_W, 1);
    ls_image out = resize(&image, H, W, LS_FIT_STRETCH);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            int sum = 0;
            for (int i = 0; i < FACTOR_H; i++)
                for (int k = 0; k < FACTOR_W; k++)
                    sum += image.pixels[(y * FACTOR_H + i) * W * FACTOR_W + x * FACTOR_W + k];
            const double mean = (double)sum / (FACTOR_H * FACTOR_W);
            assert_true(fabs(out.pixels[y * W + x] - mean) < 0.5 + 1e-4);
        }
    ls_image_release(&image);
    ls_image_release(&out);
}

/* The definition, pixel by pixel: the mean over the rectangle that an output pixel covers. */
static double covered_mean(const ls_image *image, double y0, double y1, double x0, double x1) {
    double sum = 0, area = 0;
    for (int64_t y = 0; y < image->h; y++)
        for (int64_t x = 0; x < image->w; x++) {
            const double high = fmin(y1, (double)y + 1) - fmax(y0, (double)y);
            const double wide = fmin(x1, (double)x + 1) - fmax(x0, (double)x);
            if (high <= 0 || wide <= 0) continue;
            sum += high * wide * image->pixels[y * image->w + x];
            area += high * wide;
        }
    return sum / area;
}

static void test_shrinking_is_the_mean_of_what_is_covered(void **state) {
    (void)state;
    enum { H = 9, W = 7 };
    ls_image image = make_random(31, 24, 1);
    ls_image out = resize(&image, H, W, LS_FIT_STRETCH);
    const double dy = (double)image.h / H, dx = (double)image.w / W;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            const double mean = covered_mean(&image, y * dy, (y + 1) * dy, x * dx, (x + 1) * dx);
            assert_true(fabs(out.pixels[y * W + x] - mean) < 0.5 + 1e-4);
        }
    ls_image_release(&image);
    ls_image_release(&out);
}

/* A ramp stays a ramp, except where it ends. */
static void test_growing_interpolates(void **state) {
    (void)state;
    ls_image image = make(1, 10, 1);
    for (int x = 0; x < 10; x++) image.pixels[x] = (uint8_t)(20 * x);
    ls_image out = resize(&image, 3, 40, LS_FIT_STRETCH);
    for (int y = 0; y < 3; y++)
        for (int x = 0; x < 40; x++) {
            const double expected = fmin(fmax((x + 0.5) / 4 - 0.5, 0), 9) * 20;
            assert_true(fabs(out.pixels[y * 40 + x] - expected) <= 0.5);
        }
    ls_image_release(&image);
    ls_image_release(&out);
}

/* Three bands of equal size; the middle one alone is 200. */
static ls_image make_bands(bool upright) {
    ls_image image = upright ? make(10, 30, 1) : make(30, 10, 1);
    for (int64_t y = 0; y < image.h; y++)
        for (int64_t x = 0; x < image.w; x++) image.pixels[y * image.w + x] = (upright ? x : y) / 10 == 1 ? 200 : 50;
    return image;
}

static void test_crop_takes_the_middle(void **state) {
    (void)state;
    for (int upright = 0; upright < 2; upright++)
        for (int64_t side = 3; side <= 30; side += 9) {
            ls_image image = make_bands(upright);
            ls_image out = resize(&image, side, side, LS_FIT_CROP);
            for (int64_t i = 0; i < side * side; i++)
                if (side <= 10 || (i / side % (side - 1) && i % side % (side - 1)))
                    assert_int_equal(out.pixels[i], 200);
            ls_image_release(&image);
            ls_image_release(&out);
        }
}

static void test_pad_keeps_all_between_bars(void **state) {
    (void)state;
    for (int upright = 0; upright < 2; upright++) {
        ls_image image = make_bands(upright);
        ls_image out = resize(&image, 15, 15, LS_FIT_PAD);
        for (int64_t y = 0; y < 15; y++)
            for (int64_t x = 0; x < 15; x++) {
                const int64_t along = upright ? x : y, across = upright ? y : x;
                const int expected = across < 5 || across >= 10 ? 0 : along / 5 == 1 ? 200 : 50;
                assert_int_equal(out.pixels[y * 15 + x], expected);
            }
        ls_image_release(&image);
        ls_image_release(&out);
    }
}

static void test_pad_of_extreme_shapes_keeps_a_pixel(void **state) {
    (void)state;
    ls_image image = make(1, 5000, 1);
    memset(image.pixels, 255, 5000);
    ls_image out = resize(&image, 8, 8, LS_FIT_PAD);
    int64_t sum = 0;
    for (int i = 0; i < 64; i++) sum += out.pixels[i];
    assert_int_equal(sum, 8 * 255);
    ls_image_release(&image);
    ls_image_release(&out);
}

/* A sum of a million weights is rounded a million times: white gets a little darker or too bright, and never black. */
static void test_very_long_white_stays_white(void **state) {
    (void)state;
    for (int64_t width = 900001; width < 1000000; width += 9973) {
        ls_image image = make(1, width, 1);
        memset(image.pixels, UINT8_MAX, (size_t)width);
        ls_image out = resize(&image, 1, 1, LS_FIT_STRETCH);
        assert_true(out.pixels[0] > 240);
        ls_image_release(&out);
        ls_image_release(&image);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_size_is_identity),
        cmocka_unit_test(test_constant_stays_constant),
        cmocka_unit_test(test_boxes),
        cmocka_unit_test(test_shrinking_is_the_mean_of_what_is_covered),
        cmocka_unit_test(test_growing_interpolates),
        cmocka_unit_test(test_crop_takes_the_middle),
        cmocka_unit_test(test_pad_keeps_all_between_bars),
        cmocka_unit_test(test_very_long_white_stays_white),
        cmocka_unit_test(test_pad_of_extreme_shapes_keeps_a_pixel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
