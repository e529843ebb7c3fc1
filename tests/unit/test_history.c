/* The history: what is printed gives the numbers back, and metrics.jsonl follows its checkpoint. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/path.h"
#include "report/callbacks.h"
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
    ls_history history = {0};
    assert_string_equal(ls_history_text(&history), "");
    ls_epoch_logs epoch = {.epoch = 1,
                           .step = 468,
                           .loss = 0.25,
                           .val_loss = (double)NAN,
                           .seconds = 1e-7,
                           .images_per_s = 60000,
                           .lr = 0.001,
                           .times = 1,
                           .time = {{.name = "read", .least_s = 0.5, .mean_s = 1, .most_s = 1.25}}};
    expect_ok(ls_history_append(&history, &epoch));
    assert_string_equal(ls_history_text(&history),
                        "{\"epoch\": 1, \"step\": 468, \"loss\": 0.25, \"val_loss\": null, \"seconds\": 1.0e-07, "
                        "\"images_per_s\": 60000, \"lr\": 0.001, \"read_s\": [0.5, 1, 1.25]}\n");
    ls_history_release(&history);
}

static void metrics_stand_beside_the_loss(void **unused) {
    (void)unused;
    ls_history history = {0};
    ls_epoch_logs epoch = {.metrics = 2, .metric = {{"accuracy", 0.5, 0.25}, {"mean_squared_error", 2, (double)NAN}}};
    expect_ok(ls_history_append(&history, &epoch));
    assert_non_null(strstr(ls_history_text(&history),
                           "\"val_loss\": 0, \"accuracy\": 0.5, \"val_accuracy\": 0.25, \"mean_squared_error\": 2, "
                           "\"val_mean_squared_error\": null, \"seconds\": 0"));
    ls_history_release(&history);
}

static void numbers_come_back_exactly(void **unused) {
    (void)unused;
    ls_history history = {0};
    for (uint64_t i = 0; i < 1000; i++) {
        double value = (double)formula_number(1, i) / 3.0 * pow(10, (double)(i % 600) - 300);
        ls_epoch_logs epoch = {.epoch = (int64_t)i, .loss = value};
        int64_t before = history.length;
        expect_ok(ls_history_append(&history, &epoch));
        const char *loss = strstr(history.text + before, "\"loss\": ");
        assert_non_null(loss);
        assert_true(strtod(loss + 8, NULL) == value);
    }
    ls_history_release(&history);
}

/* One rank's metrics.jsonl, as the trainer tells its callback. */
typedef struct file_case {
    ls_comm comm;
    ls_task task;
    ls_trainer trainer;
    ls_report report;
    ls_callback callback;
    char state[64];
} file_case;

static ls_status tell(file_case *c, ls_event event) {
    c->comm = (ls_comm){.size = 1, .host_size = 1};
    c->task.comm = &c->comm;
    c->trainer.task = &c->task;
    c->callback = (ls_callback){.type = &ls_callback_metrics, .settings = &c->report, .state = c->state};
    return ls_callback_metrics.on[event](&c->callback, &c->trainer);
}

static void add_epoch(file_case *c, int64_t epoch) {
    expect_ok(ls_history_append(&c->trainer.history, &(ls_epoch_logs){.epoch = epoch}));
    expect_ok(tell(c, LS_ON_EPOCH_END));
}

static void a_file_follows_its_checkpoint(void **unused) {
    (void)unused;
    file_case c = {.report.run = scratch_path(".")};
    char path[LS_PATH_MAX];
    ls_history *history = &c.trainer.history;
    expect_ok(ls_path_join(c.report.run, "metrics.jsonl", path));
    expect_ok(tell(&c, LS_ON_TRAIN_BEGIN));
    expect_content(path, "");
    add_epoch(&c, 1);
    char *then = strdup(ls_history_text(history));
    expect_content(path, then);
    add_epoch(&c, 2); /* that no checkpoint knows of */
    expect_content(path, ls_history_text(history));
    ls_callback_metrics.release(&c.callback);

    expect_ok(ls_history_restore(history, then));
    expect_ok(tell(&c, LS_ON_TRAIN_BEGIN));
    expect_content(path, then);
    add_epoch(&c, 2);
    expect_content(path, ls_history_text(history));
    ls_callback_metrics.release(&c.callback);
    ls_history_release(history);
    free(then);
}

static void errors_name_the_file(void **unused) {
    (void)unused;
    file_case c = {.report.run = "no such directory"};
    assert_int_equal(tell(&c, LS_ON_TRAIN_BEGIN), LS_ERROR);
    assert_non_null(strstr(ls_failure_get()->message, "no such directory/metrics.jsonl"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_look_like_this),      cmocka_unit_test(metrics_stand_beside_the_loss),
        cmocka_unit_test(numbers_come_back_exactly), cmocka_unit_test(a_file_follows_its_checkpoint),
        cmocka_unit_test(errors_name_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
