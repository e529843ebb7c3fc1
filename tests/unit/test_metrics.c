/* metrics.jsonl: what is printed gives the numbers back, and a file follows its checkpoint. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/metrics.h"
#include "support/nets.h"
#include "support/scratch.h"
#include "support/snapshots.h"

static void expect_content(const char *path, const char *text) {
    int64_t bytes;
    char *content = read_whole(path, &bytes);
    content[bytes] = '\0';
    assert_string_equal(content, text);
    free(content);
}

static void lines_look_like_this(void **unused) {
    (void)unused;
    ls_metrics metrics = {0};
    assert_string_equal(ls_metrics_history(&metrics), "");
    ls_epoch_metrics epoch = {.epoch = 1,
                              .step = 468,
                              .loss = 0.25,
                              .val_loss = (double)NAN,
                              .seconds = 1e-7,
                              .images_per_s = 60000,
                              .lr = 0.001,
                              .times = 1,
                              .time = {{.name = "read", .least_s = 0.5, .mean_s = 1, .most_s = 1.25}}};
    expect_ok(ls_metrics_append(&metrics, &epoch));
    assert_string_equal(ls_metrics_history(&metrics),
                        "{\"epoch\": 1, \"step\": 468, \"loss\": 0.25, \"val_loss\": null, \"seconds\": 1.0e-07, "
                        "\"images_per_s\": 60000, \"lr\": 0.001, \"read_s\": [0.5, 1, 1.25]}\n");
    ls_metrics_close(&metrics);
}

static void metrics_stand_beside_the_loss(void **unused) {
    (void)unused;
    ls_metrics metrics = {0};
    ls_epoch_metrics epoch = {.metrics = 2,
                              .metric = {{"accuracy", 0.5, 0.25}, {"mean_squared_error", 2, (double)NAN}}};
    expect_ok(ls_metrics_append(&metrics, &epoch));
    assert_non_null(strstr(ls_metrics_history(&metrics),
                           "\"val_loss\": 0, \"accuracy\": 0.5, \"val_accuracy\": 0.25, \"mean_squared_error\": 2, "
                           "\"val_mean_squared_error\": null, \"seconds\": 0"));
    ls_metrics_close(&metrics);
}

static void numbers_come_back_exactly(void **unused) {
    (void)unused;
    ls_metrics metrics = {0};
    for (uint64_t i = 0; i < 1000; i++) {
        double value = (double)formula_number(1, i) / 3.0 * pow(10, (double)(i % 600) - 300);
        ls_epoch_metrics epoch = {.epoch = (int64_t)i, .loss = value};
        int64_t before = metrics.length;
        expect_ok(ls_metrics_append(&metrics, &epoch));
        const char *loss = strstr(metrics.text + before, "\"loss\": ");
        assert_non_null(loss);
        assert_true(strtod(loss + 8, NULL) == value);
    }
    ls_metrics_close(&metrics);
}

static void a_file_follows_its_checkpoint(void **unused) {
    (void)unused;
    const char *path = scratch_path("metrics.jsonl");
    ls_metrics metrics = {0};
    ls_epoch_metrics epoch = {.epoch = 1};
    expect_ok(ls_metrics_open(&metrics, path));
    expect_content(path, "");
    expect_ok(ls_metrics_append(&metrics, &epoch));
    char *then = strdup(ls_metrics_history(&metrics));
    expect_content(path, then);
    epoch.epoch = 2; /* that no checkpoint knows of */
    expect_ok(ls_metrics_append(&metrics, &epoch));
    expect_content(path, ls_metrics_history(&metrics));
    ls_metrics_close(&metrics);

    expect_ok(ls_metrics_restore(&metrics, then));
    expect_ok(ls_metrics_open(&metrics, path));
    expect_content(path, then);
    expect_ok(ls_metrics_append(&metrics, &epoch));
    expect_content(path, ls_metrics_history(&metrics));
    ls_metrics_close(&metrics);
    free(then);
}

static void errors_name_the_file(void **unused) {
    (void)unused;
    ls_metrics metrics = {0};
    assert_int_equal(ls_metrics_open(&metrics, "no such directory/metrics.jsonl"), LS_ERROR);
    assert_non_null(strstr(ls_failure_get()->message, "no such directory/metrics.jsonl"));
    ls_metrics_close(&metrics);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_look_like_this),      cmocka_unit_test(metrics_stand_beside_the_loss),
        cmocka_unit_test(numbers_come_back_exactly), cmocka_unit_test(a_file_follows_its_checkpoint),
        cmocka_unit_test(errors_name_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
