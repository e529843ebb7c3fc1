/* The trainer on arrays in memory: in which order its callbacks hear of what, and what becomes of a failure that only
 * one rank has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "data/arrays.h"
#include "support/nets.h"
#include "support/ranks.h"
#include "train/trainer.h"

enum { SAMPLES = 20, WIDTH = 4, BATCH = 8, EPOCHS = 2 };

/* What a callback hears, a letter an event; and when it fails. */
typedef struct diary {
    char letters[64];
    int rank;       /* that fails; -1: none */
    ls_event event; /* at its end of epoch 1 */
    ls_status status;
} diary;

static ls_status note(ls_callback *self, char letter, ls_event event, const ls_trainer *t) {
    diary *d = *(diary *const *)self->settings;
    d->letters[strlen(d->letters)] = letter;
    bool fails = ranks.rank == d->rank && event == d->event && t->position.epoch <= 1;
    return fails ? LS_RAISE(d->status, "the disk of one rank is full") : LS_OK;
}

#define NOTE(name, letter, event)                                                                                      \
    static ls_status name(ls_callback *self, ls_trainer *t) { return note(self, letter, event, t); }
NOTE(train_begin, '<', LS_ON_TRAIN_BEGIN)
NOTE(epoch_begin, '(', LS_ON_EPOCH_BEGIN)
NOTE(batch_end, '.', LS_ON_TRAIN_BATCH_END)
NOTE(test_end, '?', LS_ON_TEST_END)
NOTE(epoch_end, ')', LS_ON_EPOCH_END)
NOTE(train_end, '>', LS_ON_TRAIN_END)

static const ls_callback_type diarist = {.on = {[LS_ON_TRAIN_BEGIN] = train_begin,
                                                [LS_ON_EPOCH_BEGIN] = epoch_begin,
                                                [LS_ON_TRAIN_BATCH_END] = batch_end,
                                                [LS_ON_TEST_END] = test_end,
                                                [LS_ON_EPOCH_END] = epoch_end,
                                                [LS_ON_TRAIN_END] = train_end}};

static const void *find_optimizer(void) {
    for (int i = 0; ls_optimizer_types[i] != NULL; i++)
        if (strcmp(ls_optimizer_types[i]->name, "sgd") == 0) return ls_optimizer_types[i];
    return NULL;
}

/* Trains an autoencoder with a split of a half; returns how that ended. */
static ls_status train(diary *d) {
    static float x[SAMPLES * WIDTH];
    char options[256];
    fill_formula(1, 0, 1, SAMPLES * WIDTH, x);
    ls_arrays arrays = {.count = SAMPLES, .x = x, .x_shape = {1, {WIDTH}}};
    ls_task task = {.comm = &ranks, .pool = start_pool(1), .threads = 1, .loss = ls_loss_types[0]};
    for (int i = 0; strcmp(task.loss->name, "mean_squared_error") != 0; i++) task.loss = ls_loss_types[i];
    task.model = new_model(arrays.x_shape);
    add_layer(task.model, "dense", "units=4", NULL);
    expect_ok(ls_model_set_loss(task.model, task.loss, &arrays.x_shape));
    task.optimizer = find_optimizer();
    set_options(task.optimizer->options, options, "");
    task.optimizer_options = options;
    task.split = 0.5;
    task.parts = 1;
    task.shuffle_window = SAMPLES;
    task.cache_mb = -1;
    task.epochs = EPOCHS;
    task.batch_size = BATCH;
    expect_ok(ls_lanes_init(&task.lanes, 4, ranks.rank, ranks.size));
    expect_ok(ls_dataset_of_arrays(&arrays, &task.train));
    expect_ok(ls_arrays_pipelines(task.train, &arrays, &task.input, &task.target));

    ls_trainer trainer;
    ls_callback callback = {.type = &diarist, .settings = &d};
    expect_ok(ls_trainer_open(&trainer, &task));
    ls_status status = ls_trainer_run(&trainer, &callback, 1);
    ls_trainer_close(&trainer);
    ls_pipeline_destroy(task.input);
    ls_pipeline_destroy(task.target);
    ls_dataset_close(task.train);
    ls_model_destroy(task.model);
    ls_pool_destroy(task.pool);
    return status;
}

/* Ten samples to train on are two steps of at most eight. */
static void callbacks_hear_of_all_in_order(void **unused) {
    (void)unused;
    diary d = {.rank = -1};
    assert_on_all_ranks(train(&d) == LS_OK);
    assert_on_all_ranks(strcmp(d.letters, "<(..?)(..?)>") == 0);
}

/* Every rank leaves at the same event, with the failing one's status and message. */
static void one_ranks_failure_ends_all(void **unused) {
    (void)unused;
    const struct {
        ls_event event;
        ls_status status;
        const char *letters;
    } cases[] = {{LS_ON_TRAIN_BEGIN, LS_ERROR, "<"},
                 {LS_ON_EPOCH_BEGIN, LS_INVALID, "<("},
                 {LS_ON_TEST_END, LS_ERROR, "<(..?"},
                 {LS_ON_EPOCH_END, LS_STOPPED, "<(..?)"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        diary d = {.rank = ranks.size - 1, .event = cases[i].event, .status = cases[i].status};
        assert_on_all_ranks(train(&d) == cases[i].status);
        assert_on_all_ranks(strcmp(d.letters, cases[i].letters) == 0);
        assert_on_all_ranks(strstr(ls_failure_get()->message, "the disk of one rank is full") != NULL);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(callbacks_hear_of_all_in_order),
                                       cmocka_unit_test(one_ranks_failure_ends_all)};
    return run_on_ranks(argc, argv, "trainer", tests, sizeof tests / sizeof *tests);
}
