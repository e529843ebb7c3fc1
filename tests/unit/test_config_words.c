/* Words that users bring from elsewhere: accepted or named rightly; and the keys of --set that a config's text records.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

#define HEAD     "data: {train: a.h5, input: [rescale]}\nmodel:\n  - dense: {units: 4, activation: sigmoid}\n"
#define LOSS     "loss: mean_squared_error\n"
#define TRAINING "training: {epochs: 2, batch_size: 16}\n"
#define WHOLE    HEAD LOSS "optimizer: adam\n" TRAINING

static ls_config *parse(const char *text, const char *const *settings, int count) {
    ls_config *config;
    ls_status status = ls_config_parse("t.yaml", text, settings, count, &config);
    if (status != LS_OK) print_error("%s\n", ls_failure_get()->message);
    assert_int_equal(status, LS_OK);
    return config;
}

static void expect_failure(const char *text, const char *setting, const char *message) {
    ls_config *config;
    assert_int_equal(ls_config_parse("t.yaml", text, &setting, setting != NULL, &config), LS_INVALID);
    assert_string_equal(ls_failure_get()->message, message);
}

static void short_names_mean_the_long_ones(void **state) {
    (void)state;
    ls_config *config =
        parse(HEAD "loss: mse\nmetrics: [mae, mse, acc]\noptimizer: {sgd: {nesterov: True}}\n" TRAINING, NULL, 0);
    assert_non_null(strstr(config->text, "\nloss: mean_squared_error\n"));
    assert_non_null(strstr(config->text, "\nmetrics: [mean_absolute_error, mean_squared_error, accuracy]\n"));
    assert_non_null(strstr(config->text, "nesterov: true"));
    ls_config_destroy(config);
}

static void others_are_told_the_name_here(void **state) {
    (void)state;
    expect_failure(HEAD LOSS "optimizer: {adam: {lr: 0.1}}\n" TRAINING, NULL,
                   "t.yaml:5:20: unknown key 'lr' in adam; did you mean 'learning_rate'?");
    expect_failure(WHOLE, "optimizer.adam.lr=0.1",
                   "--set optimizer.adam.lr=0.1: unknown key 'lr' in adam; did you mean 'learning_rate'?");
    expect_failure(WHOLE, "epochs=5", "--set epochs=5: unknown key 'epochs'; did you mean 'training.epochs'?");
    expect_failure(WHOLE, "model.0.units=5",
                   "--set model.0.units=5: the path leaves out 'dense': write --set model.0.dense.units=5");
    expect_failure(WHOLE, "optimizer.lr=0.1",
                   "--set optimizer.lr=0.1: the path leaves out 'adam': write --set optimizer.adam.learning_rate=0.1");
    expect_failure(WHOLE, "lr=0.1",
                   "--set lr=0.1: unknown key 'lr'; it belongs to the optimizer: write --set "
                   "optimizer.adam.learning_rate=0.1");
    expect_failure(HEAD LOSS "optimizer: adam\ntraining: {epochs: 2, batch_size: 16, learning_rate: 0.1}\n", NULL,
                   "t.yaml:6:39: unknown key 'learning_rate' in training; it belongs under optimizer: write optimizer: "
                   "{adam: {learning_rate: 0.1}}");
    expect_failure(
        HEAD LOSS "optimizer: {adam: {}}\n" TRAINING, "optimizer.sgd.momentum=0.9",
        "--set optimizer.sgd.momentum=0.9: 'adam' is there already; to replace it by 'sgd', set the optimizer "
        "itself to sgd before");
}

/* The advice of the messages works. */
static void an_optimizer_is_replaced_in_two_words(void **state) {
    (void)state;
    static const char *const settings[] = {"optimizer=sgd", "optimizer.sgd.momentum=0.9"};
    ls_config *config = parse(WHOLE, settings, 2);
    assert_non_null(strstr(config->text, "sgd: {learning_rate: 0.01, momentum: 0.9, "));
    ls_config_destroy(config);
}

static void tabs_are_named(void **state) {
    (void)state;
    static const char said[] = "the line is indented by a tab, which YAML does not allow; put spaces there";
    static const char *const texts[] = {"data:\n\ttrain: a.h5\n", "data:\n  train: a.h5\n  \tinput: []\n",
                                        "data:\n  train: a.h5\nmodel:\n\t- flatten\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ls_config *config;
        assert_int_equal(ls_config_parse("t.yaml", texts[i], NULL, 0, &config), LS_INVALID);
        assert_non_null(strstr(ls_failure_get()->message, said));
    }
}

/* The text says which keys --set gave, the last of each; it is YAML, and means the same config. */
static void keys_of_set_are_recorded(void **state) {
    (void)state;
    static const char *const settings[] = {"training.epochs=3", "training.checkpoint.keep=5", "training.epochs=4",
                                           "training.checkpoint={every_steps: 2}", "data.train=[b.h5]"};
    static const char head[] =
        "# from --set: training.epochs\n# from --set: training.checkpoint\n# from --set: data.train\nseed: 0\n";
    ls_config *config = parse(WHOLE, settings, 5), *plain = parse(WHOLE, NULL, 0);
    assert_memory_equal(config->text, head, sizeof head - 1);
    assert_memory_equal(plain->text, "seed: 0\n", 8);
    ls_config *again = parse(config->text, NULL, 0);
    assert_string_equal(again->text, strstr(config->text, "seed: 0\n"));
    ls_config_destroy(again);
    ls_config_destroy(plain);
    ls_config_destroy(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(short_names_mean_the_long_ones),
                                       cmocka_unit_test(others_are_told_the_name_here),
                                       cmocka_unit_test(an_optimizer_is_replaced_in_two_words),
                                       cmocka_unit_test(tabs_are_named), cmocka_unit_test(keys_of_set_are_recorded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
