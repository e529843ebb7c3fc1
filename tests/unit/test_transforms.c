/* Each transform against its formula, and which of them are random, when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/transform.h"
#include "support/types.h"

enum { H = 6, W = 7, RGB = 3, PIXELS = H * W, VALUES = PIXELS * RGB };

static const ls_dataset_info colour = {
    .count = 100, .shape = {3, {H, W, RGB}}, .element = LS_ELEMENT_UINT8, .sample_bytes = VALUES};
static const ls_dataset_info labelled = {.count = 100,
                                         .shape = {3, {H, W, RGB}},
                                         .element = LS_ELEMENT_UINT8,
                                         .sample_bytes = VALUES,
                                         .labelled = true,
                                         .classes = 5};
static const ls_dataset_info floats = {
    .count = 100, .shape = {1, {256}}, .element = LS_ELEMENT_FLOAT32, .sample_bytes = 1024};

static const ls_pipeline_call training = {.seed = 9, .epoch = 3, .use = LS_USE_TRAINING};

static ls_pipeline *pipeline_of(const ls_dataset_info *info) {
    ls_pipeline *pipeline;
    assert_int_equal(ls_pipeline_create(info, false, &pipeline), LS_OK);
    return pipeline;
}

/* The values of one option; the others keep their defaults. */
static ls_status append(ls_status (*to)(ls_pipeline *, const ls_transform_type *, const void *), ls_pipeline *pipeline,
                        const char *name, const char *option, const char *a, const char *b) {
    const ls_transform_type *type = type_named(ls_transform_types, name);
    assert_non_null(type);
    char *record = calloc(1, type->options_bytes);
    const char *texts[] = {a, b};
    ls_options_init(type->options, record);
    if (option)
        assert_int_equal(ls_option_set(ls_options_find(type->options, option), record, texts, b ? 2 : 1, b != NULL),
                         LS_OK);
    ls_status status = to(pipeline, type, record);
    free(record); /* the pipeline has its copy */
    return status;
}

static ls_status add(ls_pipeline *pipeline, const char *name, const char *option, const char *a, const char *b) {
    return append(ls_pipeline_add, pipeline, name, option, a, b);
}

static ls_status augment(ls_pipeline *pipeline, const char *name, const char *option, const char *a) {
    return append(ls_pipeline_augment, pipeline, name, option, a, NULL);
}

static void apply(const ls_pipeline *pipeline, const ls_pipeline_call *call, int64_t sample, const void *stored,
                  float *out) {
    float *scratch;
    assert_int_equal(ls_alloc(&scratch, ls_pipeline_scratch(pipeline), sizeof *scratch, "test"), LS_OK);
    ls_pipeline_apply(pipeline, call, sample, stored, 0, out, scratch);
    ls_free(scratch);
}

static void fill_bytes(uint8_t *bytes, int64_t count) {
    for (int64_t i = 0; i < count; i++) bytes[i] = (uint8_t)(i * 37 + 11);
}

static void assert_range(const ls_pipeline *pipeline, float low, float high) {
    float is_low, is_high;
    ls_pipeline_range(pipeline, &is_low, &is_high);
    assert_float_equal(is_low, low, 0);
    assert_float_equal(is_high, high, 0);
}

static void test_stored_values_without_transforms(void **state) {
    (void)state;
    uint8_t bytes[VALUES];
    float out[VALUES];
    fill_bytes(bytes, VALUES);
    ls_pipeline *pipeline = pipeline_of(&colour);
    assert_int_equal(ls_pipeline_scratch(pipeline), 0);
    assert_range(pipeline, 0, 255);
    apply(pipeline, &training, 0, bytes, out);
    for (int i = 0; i < VALUES; i++) assert_float_equal(out[i], bytes[i], 0);
    ls_pipeline_destroy(pipeline);
}

static void test_rescale_divides_as_keras_does(void **state) {
    (void)state;
    const ls_dataset_info info = {.count = 1, .shape = {1, {256}}, .element = LS_ELEMENT_UINT8, .sample_bytes = 256};
    uint8_t bytes[256];
    float out[256];
    for (int i = 0; i < 256; i++) bytes[i] = (uint8_t)i;
    ls_pipeline *pipeline = pipeline_of(&info);
    assert_int_equal(add(pipeline, "rescale", NULL, NULL, NULL), LS_OK);
    apply(pipeline, &training, 0, bytes, out);
    for (int i = 0; i < 256; i++) assert_float_equal(out[i], (float)i / 255.0F, 0);
    assert_range(pipeline, 0, 1);
    ls_pipeline_destroy(pipeline);
}

static void test_rescale_maps_the_ends_and_can_be_undone(void **state) {
    (void)state;
    float x[256], out[256];
    for (int i = 0; i < 256; i++) x[i] = (float)i / 255.0F;
    ls_pipeline *pipeline = pipeline_of(&floats);
    assert_int_equal(add(pipeline, "rescale", "range", "-1", "1"), LS_OK);
    apply(pipeline, &training, 0, x, out);
    assert_float_equal(out[0], -1, 0);
    assert_float_equal(out[255], 1, 0);
    assert_range(pipeline, -1, 1);
    assert_int_equal(add(pipeline, "rescale", "range", "0", "1"), LS_OK);
    apply(pipeline, &training, 0, x, out);
    for (int i = 0; i < 256; i++) assert_float_equal(out[i], x[i], 1e-6);
    assert_int_equal(add(pipeline, "rescale", "range", "2", "2"), LS_INVALID);
    ls_pipeline_destroy(pipeline);
}

/* Floats that were bytes become what the bytes would, bit for bit. */
static void test_rescale_is_told_the_range_of_floats(void **state) {
    (void)state;
    float x[256], out[256];
    for (int i = 0; i < 256; i++) x[i] = (float)i;
    ls_pipeline *pipeline = pipeline_of(&floats);
    assert_int_equal(add(pipeline, "rescale", "from", "0", "255"), LS_OK);
    assert_range(pipeline, 0, 1);
    apply(pipeline, &training, 0, x, out);
    for (int i = 0; i < 256; i++) assert_float_equal(out[i], (float)i / 255.0F, 0);
    assert_int_equal(add(pipeline, "rescale", "from", "3", "3"), LS_INVALID);
    assert_int_equal(add(pipeline, "rescale", "from", "3", NULL), LS_INVALID);
    ls_pipeline_destroy(pipeline);
}

static void test_grayscale_is_luminance(void **state) {
    (void)state;
    uint8_t bytes[VALUES];
    float one[PIXELS], three[VALUES];
    fill_bytes(bytes, VALUES);
    ls_pipeline *grey = pipeline_of(&colour), *grey3 = pipeline_of(&colour);
    assert_int_equal(add(grey, "grayscale", NULL, NULL, NULL), LS_OK);
    assert_int_equal(add(grey3, "grayscale", "channels", "3", NULL), LS_OK);
    ls_shape shape = ls_pipeline_shape(grey), shape3 = ls_pipeline_shape(grey3);
    assert_true(ls_shape_equal(&shape, &(ls_shape){3, {H, W, 1}}));
    assert_true(ls_shape_equal(&shape3, &colour.shape));
    apply(grey, &training, 0, bytes, one);
    apply(grey3, &training, 0, bytes, three);
    for (int i = 0; i < PIXELS; i++) {
        const uint8_t *p = bytes + 3 * i;
        assert_float_equal(one[i], (float)(0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]), 1e-4);
        for (int c = 0; c < RGB; c++) assert_float_equal(three[RGB * i + c], one[i], 0);
    }
    ls_pipeline_destroy(grey3);
    assert_int_equal(add(grey, "grayscale", NULL, NULL, NULL), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "grey already (6 x 7 x 1)"));
    ls_pipeline_destroy(grey);
    ls_pipeline *vectors = pipeline_of(&floats);
    assert_int_equal(add(vectors, "grayscale", NULL, NULL, NULL), LS_INVALID);
    assert_int_equal(add(vectors, "grayscale", "channels", "2", NULL), LS_INVALID);
    ls_pipeline_destroy(vectors);
}

static void test_clip(void **state) {
    (void)state;
    float x[256], out[256];
    for (int i = 0; i < 256; i++) x[i] = (float)(i - 100) / 50.0F;
    ls_pipeline *pipeline = pipeline_of(&floats);
    assert_int_equal(add(pipeline, "clip", "range", "1", "-1"), LS_INVALID);
    assert_int_equal(add(pipeline, "clip", "range", "-0.5", "0.75"), LS_OK);
    apply(pipeline, &training, 0, x, out);
    for (int i = 0; i < 256; i++) assert_float_equal(out[i], fminf(fmaxf(x[i], -0.5F), 0.75F), 0);
    assert_range(pipeline, 0, 0.75F);
    ls_pipeline_destroy(pipeline);
}

static bool same_noise(const ls_pipeline *pipeline, ls_pipeline_call a, int64_t a_sample, ls_pipeline_call b,
                       int64_t b_sample) {
    float x[256] = {0}, a_out[256], b_out[256];
    apply(pipeline, &a, a_sample, x, a_out);
    apply(pipeline, &b, b_sample, x, b_out);
    return memcmp(a_out, b_out, sizeof a_out) == 0;
}

static void test_noise_is_a_function_of_seed_epoch_and_sample(void **state) {
    (void)state;
    ls_pipeline *pipeline = pipeline_of(&floats);
    assert_int_equal(add(pipeline, "gaussian_noise", "stddev", "0.5", NULL), LS_OK);
    ls_pipeline_call train = training, other_seed = training, other_epoch = training, target = training;
    other_seed.seed++, other_epoch.epoch++, target.target = true;
    assert_true(same_noise(pipeline, train, 7, train, 7));
    assert_false(same_noise(pipeline, train, 7, train, 8));
    assert_false(same_noise(pipeline, train, 7, other_seed, 7));
    assert_false(same_noise(pipeline, train, 7, other_epoch, 7));
    assert_false(same_noise(pipeline, train, 7, target, 7));
    ls_pipeline_call evaluation = train, later = other_epoch, first = {.seed = train.seed, .use = LS_USE_TRAINING};
    evaluation.use = later.use = LS_USE_VALIDATION;
    assert_true(same_noise(pipeline, evaluation, 7, later, 7));
    assert_false(same_noise(pipeline, evaluation, 7, first, 7));
    ls_pipeline_destroy(pipeline);
}

static void test_noise_has_its_mean_and_deviation(void **state) {
    (void)state;
    ls_pipeline *pipeline = pipeline_of(&floats), *none = pipeline_of(&floats);
    assert_int_equal(add(pipeline, "gaussian_noise", "stddev", "0.5", NULL), LS_OK);
    float x[256], out[256];
    double sum = 0, squares = 0, cross = 0;
    int64_t samples = 400, count = 256 * samples;
    for (int i = 0; i < 256; i++) x[i] = 2;
    for (int64_t s = 0; s < samples; s++) {
        apply(pipeline, &training, s, x, out);
        for (int i = 0; i < 256; i++) {
            double noise = (double)out[i] - 2;
            sum += noise;
            squares += noise * noise;
            if (i > 0) cross += noise * ((double)out[i - 1] - 2);
        }
    }
    double n = (double)count, error = 0.5 / sqrt(n);
    assert_true(fabs(sum / n) < 5 * error);
    assert_true(fabs(sqrt(squares / n) - 0.5) < 5 * error);
    assert_true(fabs(cross / n) < 5 * error);
    assert_int_equal(add(none, "gaussian_noise", "mean", "0.25", NULL), LS_OK); /* stddev 0 */
    apply(none, &training, 0, x, out);
    for (int i = 0; i < 256; i++) assert_float_equal(out[i], 2.25, 0);
    ls_pipeline_destroy(none);
    ls_pipeline_destroy(pipeline);
}

/* Two of a kind in a row draw different numbers: the second is not twice the first. */
static void test_transforms_of_a_pipeline_have_streams_of_their_own(void **state) {
    (void)state;
    float x[256] = {0}, once[256], twice[256];
    ls_pipeline *one = pipeline_of(&floats), *two = pipeline_of(&floats);
    assert_int_equal(add(one, "gaussian_noise", "stddev", "1", NULL), LS_OK);
    assert_int_equal(add(two, "gaussian_noise", "stddev", "1", NULL), LS_OK);
    assert_int_equal(add(two, "gaussian_noise", "stddev", "1", NULL), LS_OK);
    apply(one, &training, 5, x, once);
    apply(two, &training, 5, x, twice);
    int equal = 0;
    for (int i = 0; i < 256; i++) equal += fabsf(twice[i] - 2 * once[i]) < 1e-6F;
    assert_true(equal < 4);
    ls_pipeline_destroy(two);
    ls_pipeline_destroy(one);
}

/* However the buffers take turns, a long pipeline is its stages one after the other. */
static void test_a_pipeline_is_its_stages_in_a_row(void **state) {
    (void)state;
    uint8_t bytes[VALUES];
    float out[VALUES], expected[VALUES];
    fill_bytes(bytes, VALUES);
    for (int noises = 0; noises < 4; noises++) {
        ls_pipeline *pipeline = pipeline_of(&colour);
        assert_int_equal(add(pipeline, "rescale", NULL, NULL, NULL), LS_OK);
        for (int i = 0; i < noises; i++) {
            assert_int_equal(add(pipeline, "gaussian_noise", "mean", "0.25", NULL), LS_OK); /* stddev 0 */
            assert_int_equal(add(pipeline, "clip", "range", "-0.5", "0.9"), LS_OK);
        }
        assert_int_equal(add(pipeline, "grayscale", NULL, NULL, NULL), LS_OK);
        assert_int_equal(add(pipeline, "rescale", "range", "0", "10"), LS_OK);
        float low, high;
        ls_pipeline_range(pipeline, &low, &high);
        float black = 0, white = noises > 0 ? 0.9F : 1;
        for (int i = 0; i < PIXELS; i++) {
            float v[RGB];
            for (int c = 0; c < RGB; c++) {
                v[c] = (float)bytes[RGB * i + c] / 255;
                for (int k = 0; k < noises; k++) v[c] = fminf(v[c] + 0.25F, 0.9F);
            }
            float grey = 0.299F * v[0] + 0.587F * v[1] + 0.114F * v[2];
            expected[i] = (grey - black) / (white - black) * 10;
        }
        apply(pipeline, &training, 1, bytes, out);
        for (int i = 0; i < PIXELS; i++) assert_float_equal(out[i], expected[i], 1e-5);
        assert_float_equal(low, 0, 0);
        assert_float_equal(high, 10, 0);
        ls_pipeline_destroy(pipeline);
    }
}

/* The place in the stored picture of value i of the mirrored one. */
static int mirrored(int i, bool across, bool down) {
    int row = i / (W * RGB), column = i / RGB % W;
    return ((down ? H - 1 - row : row) * W + (across ? W - 1 - column : column)) * RGB + i % RGB;
}

static bool is_mirrored(const float *out, const uint8_t *bytes, bool across, bool down) {
    for (int i = 0; i < VALUES; i++)
        if (out[i] != bytes[mirrored(i, across, down)]) return false;
    return true;
}

static void check_flips(const char *mode, bool across_allowed, bool down_allowed) {
    enum { SAMPLES = 1000 };
    uint8_t bytes[VALUES];
    float out[VALUES];
    int seen[4] = {0}, kinds = (across_allowed ? 2 : 1) * (down_allowed ? 2 : 1);
    fill_bytes(bytes, VALUES);
    ls_pipeline *pipeline = pipeline_of(&colour);
    assert_int_equal(augment(pipeline, "random_flip", "mode", mode), LS_OK);
    for (int s = 0; s < SAMPLES; s++) {
        apply(pipeline, &training, s, bytes, out);
        int kind = -1;
        for (int k = 0; k < 4; k++)
            if (is_mirrored(out, bytes, k & 1, k & 2)) kind = k;
        assert_true(kind >= 0 && (across_allowed || !(kind & 1)) && (down_allowed || !(kind & 2)));
        seen[kind]++;
    }
    for (int k = 0; k < 4; k++) /* four standard deviations of 1000 throws of a coin */
        if (seen[k] > 0) assert_true(abs(seen[k] - SAMPLES / kinds) < 64);
    ls_pipeline_destroy(pipeline);
}

static void test_flips_are_as_likely_as_not(void **state) {
    (void)state;
    check_flips("horizontal", true, false);
    check_flips("vertical", false, true);
    check_flips("horizontal_and_vertical", true, true);
    ls_pipeline *pipeline = pipeline_of(&floats);
    assert_int_equal(augment(pipeline, "random_flip", NULL, NULL), LS_INVALID); /* not a picture */
    ls_pipeline_destroy(pipeline);
}

/* Augmentation: the same for input and target, another in each epoch, and none in a validation, whatever comes after.
 */
static void test_augmentation_is_common_to_input_and_target(void **state) {
    (void)state;
    uint8_t bytes[VALUES];
    float a[VALUES], b[VALUES], plain[PIXELS];
    fill_bytes(bytes, VALUES);
    ls_pipeline *input = pipeline_of(&colour), *target = pipeline_of(&colour), *without = pipeline_of(&colour);
    ls_pipeline *const augmented[] = {input, target};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(augment(augmented[i], "random_flip", "mode", "horizontal"), LS_OK);
        assert_int_equal(augment(augmented[i], "gaussian_noise", "stddev", "3"), LS_OK);
    }
    ls_pipeline *const grey[] = {input, without};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(add(grey[i], "gaussian_noise", "mean", "2", NULL), LS_OK); /* stddev 0 */
        assert_int_equal(add(grey[i], "grayscale", NULL, NULL, NULL), LS_OK);
    }
    ls_pipeline_call of_target = training, later = training, validation = training;
    of_target.target = true;
    later.epoch++;
    validation.use = LS_USE_VALIDATION;
    bool changes = false;
    for (int s = 0; s < 20; s++) {
        apply(input, &training, s, bytes, a);
        apply(target, &of_target, s, bytes, b);
        for (int i = 0; i < PIXELS; i++)
            assert_float_equal(a[i], 0.299F * b[RGB * i] + 0.587F * b[RGB * i + 1] + 0.114F * b[RGB * i + 2] + 2, 1e-3);
        apply(input, &later, s, bytes, b);
        changes = changes || memcmp(a, b, sizeof plain) != 0;
        apply(input, &validation, s, bytes, a);
        apply(without, &validation, s, bytes, plain);
        assert_memory_equal(a, plain, sizeof plain);
    }
    assert_true(changes);
    assert_int_equal(augment(input, "random_flip", NULL, NULL), LS_INVALID); /* it would not come first */
    ls_pipeline *shrunk = pipeline_of(&colour);
    assert_int_equal(augment(shrunk, "grayscale", NULL, NULL), LS_INVALID);      /* another shape */
    assert_int_equal(augment(shrunk, "rescale", NULL, NULL), LS_INVALID);        /* another range */
    assert_int_equal(augment(shrunk, "grayscale", "channels", "3"), LS_INVALID); /* in training alone */
    ls_pipeline_destroy(shrunk);
    ls_pipeline_destroy(input);
    ls_pipeline_destroy(target);
    ls_pipeline_destroy(without);
}

/* A trained model is given what there is: the rest of the pipeline, noise or not, is the same. */
static void test_nothing_random_is_applied(void **state) {
    (void)state;
    uint8_t bytes[VALUES];
    float out[PIXELS], expected[PIXELS];
    fill_bytes(bytes, VALUES);
    const ls_pipeline_call application = {.seed = 9, .use = LS_USE_APPLICATION},
                           target = {.seed = 9, .use = LS_USE_APPLICATION, .target = true};
    for (int noises = 0; noises < 4; noises++) {
        ls_pipeline *noisy = pipeline_of(&colour), *plain = pipeline_of(&colour);
        assert_int_equal(augment(noisy, "random_flip", "mode", "horizontal"), LS_OK);
        assert_int_equal(add(noisy, "rescale", NULL, NULL, NULL), LS_OK);
        assert_int_equal(add(plain, "rescale", NULL, NULL, NULL), LS_OK);
        for (int i = 0; i < noises; i++) assert_int_equal(add(noisy, "gaussian_noise", "stddev", "1", NULL), LS_OK);
        assert_int_equal(add(noisy, "clip", NULL, NULL, NULL), LS_OK);
        assert_int_equal(add(noisy, "grayscale", NULL, NULL, NULL), LS_OK);
        assert_int_equal(add(plain, "grayscale", NULL, NULL, NULL), LS_OK);
        for (int64_t s = 0; s < 4; s++) {
            apply(plain, &training, s, bytes, expected);
            apply(noisy, &application, s, bytes, out);
            assert_memory_equal(out, expected, sizeof out);
            apply(noisy, &target, s, bytes, out);
            assert_memory_equal(out, expected, sizeof out);
        }
        ls_pipeline_destroy(plain);
        ls_pipeline_destroy(noisy);
    }
}

/* Every type that is random is left out of an application, and none else is. */
static void test_types_say_whether_they_are_random(void **state) {
    (void)state;
    for (int t = 0; ls_transform_types[t]; t++) {
        const ls_transform_type *type = ls_transform_types[t];
        bool noise = strcmp(type->name, "gaussian_noise") == 0, flip = strcmp(type->name, "random_flip") == 0;
        uint8_t bytes[VALUES];
        float a[VALUES], b[VALUES];
        bool differs = false;
        ls_pipeline *pipeline = pipeline_of(&colour);
        fill_bytes(bytes, VALUES);
        assert_int_equal(flip ? augment(pipeline, type->name, NULL, NULL)
                              : add(pipeline, type->name, noise ? "stddev" : NULL, noise ? "1" : NULL, NULL),
                         LS_OK);
        ls_shape shape = ls_pipeline_shape(pipeline);
        for (int64_t s = 0; s < 20; s++) {
            apply(pipeline, &training, s, bytes, a);
            apply(pipeline, &training, s + 1, bytes, b);
            differs = differs || memcmp(a, b, (size_t)ls_shape_count(&shape) * sizeof *a) != 0;
        }
        assert_int_equal(differs, type->random);
        ls_pipeline_destroy(pipeline);
    }
}

/* Mirrored by themselves, input and target would not be of one picture; and validation would be mirrored, too. */
static void test_flips_belong_to_augmentation(void **state) {
    (void)state;
    ls_pipeline *pipeline = pipeline_of(&colour);
    assert_int_equal(add(pipeline, "random_flip", NULL, NULL, NULL), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "belongs in data.augment"));
    ls_pipeline_destroy(pipeline);
}

static void test_labels_are_one_hot(void **state) {
    (void)state;
    ls_pipeline *pipeline;
    float out[5];
    assert_int_equal(ls_pipeline_create(&labelled, true, &pipeline), LS_OK);
    ls_shape shape = ls_pipeline_shape(pipeline);
    assert_true(ls_shape_equal(&shape, &(ls_shape){1, {5}}));
    for (int32_t label = 0; label < 5; label++) {
        ls_pipeline_apply(pipeline, &training, 0, NULL, label, out, NULL);
        for (int c = 0; c < 5; c++) assert_float_equal(out[c], c == label ? 1 : 0, 0);
    }
    ls_pipeline_destroy(pipeline);
    assert_int_equal(ls_pipeline_create(&colour, true, &pipeline), LS_INVALID);
    assert_null(pipeline);
}

static void test_too_many_transforms_are_refused(void **state) {
    (void)state;
    ls_pipeline *pipeline = pipeline_of(&floats);
    for (int i = 0; i < LS_TRANSFORMS_MAX; i++) assert_int_equal(add(pipeline, "clip", NULL, NULL, NULL), LS_OK);
    assert_int_equal(add(pipeline, "clip", NULL, NULL, NULL), LS_INVALID);
    ls_pipeline_destroy(pipeline);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored_values_without_transforms),
        cmocka_unit_test(test_rescale_divides_as_keras_does),
        cmocka_unit_test(test_rescale_maps_the_ends_and_can_be_undone),
        cmocka_unit_test(test_rescale_is_told_the_range_of_floats),
        cmocka_unit_test(test_grayscale_is_luminance),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_noise_is_a_function_of_seed_epoch_and_sample),
        cmocka_unit_test(test_noise_has_its_mean_and_deviation),
        cmocka_unit_test(test_transforms_of_a_pipeline_have_streams_of_their_own),
        cmocka_unit_test(test_a_pipeline_is_its_stages_in_a_row),
        cmocka_unit_test(test_flips_are_as_likely_as_not),
        cmocka_unit_test(test_augmentation_is_common_to_input_and_target),
        cmocka_unit_test(test_nothing_random_is_applied),
        cmocka_unit_test(test_types_say_whether_they_are_random),
        cmocka_unit_test(test_flips_belong_to_augmentation),
        cmocka_unit_test(test_labels_are_one_hot),
        cmocka_unit_test(test_too_many_transforms_are_refused),
    };
    return cmocka_run_group_tests_name("transforms", tests, NULL, NULL);
}
