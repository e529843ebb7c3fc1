/* The settings of a run: what is accepted, what is said about what is not, and that the resolved text means the same.
 */
#include "config/config.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A small complete config, in pieces that tests replace. */
#define DATA                                                                                                           \
    "data:\n"                                                                                                          \
    "  train: a.h5\n"                                                                                                  \
    "  input: [{rescale: [0, 1]}]\n"
#define MODEL                                                                                                          \
    "model:\n"                                                                                                         \
    "  - dense: {units: 3, activation: relu, name: code}\n"                                                            \
    "  - dense: {units: 4, activation: sigmoid}\n"
#define REST                                                                                                           \
    "loss: binary_crossentropy\n"                                                                                      \
    "optimizer: adam\n"                                                                                                \
    "training: {epochs: 2, batch_size: 16}\n"

static ls_config *parse(const char *text, const char *const *settings, int count) {
    ls_config *config;
    ls_status status = ls_config_parse("t.yaml", text, settings, count, &config);
    if (status != LS_OK) print_error("%s\n", ls_failure_get()->message);
    assert_int_equal(status, LS_OK);
    return config;
}

static void expect_failure(const char *text, const char *message) {
    ls_config *config;
    assert_int_equal(ls_config_parse("t.yaml", text, NULL, 0, &config), LS_INVALID);
    assert_null(config);
    assert_string_equal(ls_failure_get()->message, message);
}

static void expect_setting_failure(const char *setting, const char *message) {
    ls_config *config;
    assert_int_equal(ls_config_parse("t.yaml", DATA MODEL REST, &setting, 1, &config), LS_INVALID);
    assert_string_equal(ls_failure_get()->message, message);
}

/* ---- what is accepted ---- */

static void regularizers_are_maps(void **state) {
    (void)state;
    ls_config *config = parse(DATA "model:\n"
                                   "  - dense: {units: 3, activity_regularizer: {l1: 1.0e-4}}\n"
                                   "  - dense: {units: 4, activation: sigmoid}\n" REST,
                              NULL, 0);
    assert_non_null(strstr(config->text,
                           "use_bias: true, kernel_regularizer: {l1: 0, l2: 0}, activity_regularizer: {l1: "
                           "0.0001, l2: 0}}\n"));
    ls_config *again = parse(config->text, NULL, 0);
    assert_string_equal(again->text, config->text);
    ls_config_destroy(again);
    ls_config_destroy(config);
    expect_failure(DATA "model:\n  - dense: {units: 3, kernel_regularizer: {l3: 1}}\n" REST,
                   "t.yaml:5:44: unknown key 'l3' in kernel_regularizer; did you mean 'l1'?");
    expect_failure(DATA "model:\n  - dense: {units: 3, kernel_regularizer: {l1: -1}}\n" REST,
                   "t.yaml:5:48: kernel_regularizer.l1 must be a number >= 0 and <= 1000000000, not '-1'");
}

static void metrics_are_a_list(void **state) {
    (void)state;
    ls_config *config = parse(DATA MODEL "metrics: [accuracy, mean_squared_error]\n" REST, NULL, 0);
    assert_int_equal(config->metrics, 2);
    assert_string_equal(config->metric[1]->name, "mean_squared_error");
    assert_non_null(strstr(config->text, "\nmetrics: [accuracy, mean_squared_error]\n"));
    ls_config_destroy(config);
    expect_failure(DATA MODEL "metrics: accuracy\n" REST,
                   "t.yaml:7:10: metrics must be a list: write metrics: [accuracy]");
    expect_failure(DATA MODEL "metrics: [acuracy]\n" REST,
                   "t.yaml:7:11: unknown metric 'acuracy'; did you mean 'accuracy'?");
}

static void defaults_are_filled_in(void **state) {
    (void)state;
    ls_config *config = parse(DATA MODEL REST, NULL, 0);
    assert_int_equal(config->training.lanes, 8);
    assert_int_equal(config->data.shuffle_window, 16384);
    assert_int_equal(config->data.cache_mb, -1);
    assert_int_equal(config->data.parts, 1);
    assert_false(config->training.early_stopping.enabled);
    assert_int_equal(config->data.validation.count, 0);
    assert_string_equal(config->code, "");
    ls_config_destroy(config);
}

static void target_is_the_input_where_that_is_not_corrupted(void **state) {
    (void)state;
    ls_config *config = parse(DATA MODEL REST, NULL, 0);
    assert_int_equal(config->data.target.count, 1);
    assert_string_equal(config->data.target.entry[0].type->name, "rescale");
    ls_config_destroy(config);
}

static void shorthands_mean_the_long_forms(void **state) {
    (void)state;
    ls_config *brief = parse("data: {train: a.h5, input: [{rescale: [0, 1]}, grayscale], target: labels}\n"
                             "model: [{conv2d: {filters: 2, kernel_size: 3}}, flatten, {dropout: 0.4}, "
                             "{activation: relu}, {dense: 3}]\n" REST,
                             NULL, 0);
    ls_config *full = parse("data:\n"
                            "  train:\n"
                            "    - a.h5\n"
                            "  input:\n"
                            "    - rescale:\n"
                            "        range: [0, 1]\n"
                            "    - grayscale: {}\n"
                            "  target: labels\n"
                            "model:\n"
                            "  - conv2d: {filters: 2, kernel_size: [3]}\n"
                            "  - flatten:\n"
                            "  - dropout: {rate: 0.4}\n"
                            "  - activation: {activation: relu}\n"
                            "  - dense: {units: 3}\n"
                            "loss: {binary_crossentropy: }\n"
                            "optimizer: {adam: {}}\n"
                            "training: {epochs: 2, batch_size: 16}\n",
                            NULL, 0);
    assert_string_equal(brief->text, full->text);
    ls_config_destroy(brief);
    ls_config_destroy(full);
}

static void validation_may_be_files_a_split_or_none(void **state) {
    (void)state;
    const char *settings[] = {"data.validation=[b.h5, 'c*.h5']", "data.validation={split: 0.3}",
                              "data.validation=none"};
    ls_config *config = parse(DATA MODEL REST, settings, 1);
    assert_int_equal(config->data.validation.count, 2);
    assert_string_equal(config->data.validation.path[1], "c*.h5");
    ls_config_destroy(config);
    config = parse(DATA MODEL REST, settings, 2);
    assert_int_equal(config->data.validation.count, 0);
    assert_float_equal(config->data.split, 0.3, 1e-15);
    ls_config_destroy(config);
    config = parse(DATA MODEL REST, settings, 3);
    assert_int_equal(config->data.validation.count, 0);
    assert_true(config->data.split == 0);
    ls_config_destroy(config);
}

/* ---- --set ---- */

static void set_replaces_makes_and_appends(void **state) {
    (void)state;
    const char *settings[] = {"training.lanes=16",
                              "model.0.dense.units=64",
                              "optimizer.adam.learning_rate=0.5",
                              "training.early_stopping={monitor: loss, patience: 3}",
                              "model.2=flatten",
                              "training.checkpoint.keep=7"};
    ls_config *config = parse(DATA MODEL REST, settings, 6);
    assert_int_equal(config->training.lanes, 16);
    assert_non_null(strstr(config->text, "- dense: {units: 64,"));
    assert_non_null(strstr(config->text, "adam: {learning_rate: 0.5,"));
    assert_true(config->training.early_stopping.enabled);
    assert_int_equal(config->training.early_stopping.patience, 3);
    assert_int_equal(config->layers, 3);
    assert_string_equal(config->layer[2].type->name, "flatten");
    assert_int_equal(config->training.checkpoint.keep, 7);
    ls_config_destroy(config);
}

static void set_says_what_is_wrong(void **state) {
    (void)state;
    expect_setting_failure("training.lanes", "--set training.lanes: expected path.to.key=value");
    expect_setting_failure("training.lanes=",
                           "--set training.lanes=: a value is missing; null stands for none, \"\" for an empty text");
    expect_setting_failure("training.lane=4", "--set training.lane=4: unknown key 'lane' in training; did you mean "
                                              "'lanes'?");
    expect_setting_failure("training.lanes=x", "--set training.lanes=x: lanes must be an integer >= 1 and <= 1024, not "
                                               "'x'");
    expect_setting_failure("model.5.dense.units=1", "--set model.5.dense.units=1: '5' must be the number of an "
                                                    "entry of the list, from 0 to 2 (2 appends one)");
    expect_setting_failure("optimizer.sgd.learning_rate=1",
                           "--set optimizer.sgd.learning_rate=1: 'adam' is there already; to replace it by 'sgd', set "
                           "the optimizer itself to sgd before");
    expect_setting_failure("data.train=*.h5", "--set data.train=*.h5: a text that begins with '*' needs quotes: write "
                                              "--set 'data.train=\"*.h5\"'");
    expect_setting_failure("model.0.dense.units.n=1", "--set model.0.dense.units.n=1: model.0.dense.units is '3' and "
                                                      "has no 'n'");
    expect_setting_failure("data..train=x", "--set data..train=x: a name is missing before or after a dot");
    expect_setting_failure("seed={", "--set seed={: this is not YAML: did not find expected node content");
}

/* ---- what is refused, where, and the nearest that is right ---- */

static void unknown_words_name_the_nearest(void **state) {
    (void)state;
    expect_failure(DATA "model:\n"
                        "  - dense: {unts: 3}\n" REST,
                   "t.yaml:5:13: unknown key 'unts' in dense; did you mean 'units'?");
    expect_failure(DATA "model:\n"
                        "  - dens: {units: 3}\n" REST,
                   "t.yaml:5:5: unknown layer 'dens'; did you mean 'dense'?");
    expect_failure(DATA MODEL "loss: binary_cross_entropy\n"
                              "optimizer: adam\n"
                              "training: {epochs: 2, batch_size: 16}\n",
                   "t.yaml:7:7: unknown loss 'binary_cross_entropy'; did you mean 'binary_crossentropy'?");
    expect_failure(DATA MODEL "loss: binary_crossentropy\n"
                              "optimizer: {adma: {learning_rate: 1}}\n"
                              "training: {epochs: 2, batch_size: 16}\n",
                   "t.yaml:8:13: unknown optimizer 'adma'; did you mean 'adam'?");
    expect_failure("seeed: 3\n" DATA MODEL REST, "t.yaml:1:1: unknown key 'seeed'; did you mean 'seed'?");
    expect_failure(DATA MODEL "loss: binary_crossentropy\n"
                              "optimizer: {adam: {decay: 1}}\n",
                   "t.yaml:8:20: unknown key 'decay' in adam; there is: learning_rate, beta_1, beta_2, epsilon, "
                   "global_clipnorm");
    expect_failure(DATA MODEL "loss: binary_crossentropy\n"
                              "optimizer: adam\n"
                              "training: {epochs: 2, batch_size: 1, checkpoint: {every_steps:50}}\n",
                   "t.yaml:9:51: unknown key 'every_steps:50' in checkpoint; a colon needs a space behind it");
    expect_failure(DATA "  target: [{rescal: [0, 1]}]\n" MODEL REST,
                   "t.yaml:4:13: unknown transform 'rescal'; did you mean 'rescale'?");
    expect_failure(DATA "  shards: 3\n" MODEL REST,
                   "t.yaml:4:3: unknown key 'shards' in data; there is: train, validation, parts, shuffle_window, "
                   "cache_mb, augment, input, target");
}

static void values_are_checked(void **state) {
    (void)state;
    expect_failure("seed: one\n" DATA MODEL REST,
                   "t.yaml:1:7: seed must be an integer >= 0 and <= 999999999999999, not 'one'");
    expect_failure("seed:\n" DATA MODEL REST, "t.yaml:1:6: seed has no value");
    expect_failure("seed: {a: 1}\n" DATA MODEL REST, "t.yaml:1:7: seed takes a value, not a map");
    expect_failure(DATA MODEL "loss: binary_crossentropy\n"
                              "optimizer: adam\n"
                              "training: {epochs: 2, batch_size: 1, tensorboard: true}\n",
                   "t.yaml:9:51: tensorboard must be a map of keys and values, {} for all defaults, or none");
    expect_failure(DATA "model: [{dense: {units: 0}}]\n" REST,
                   "t.yaml:4:25: units must be an integer >= 1 and <= 1000000000, not '0'");
    expect_failure(DATA "model: [{dense: {units: 3, activation: relo}}]\n" REST,
                   "t.yaml:4:40: activation must be one of linear, relu, sigmoid, tanh, softmax, not 'relo'; did you "
                   "mean 'relu'?");
    expect_failure(DATA "model: [{flatten: 3}]\n" REST, "t.yaml:4:19: flatten has no options");
    expect_failure(DATA "model: []\n" REST, "t.yaml:4:8: model must be a list of 1 to 256 layers");
    expect_failure(DATA "  validation: {split: 1}\n" MODEL REST,
                   "t.yaml:4:23: split must be a number > 0 and < 1, not '1'");
    expect_failure("data: {train: [], input: []}\n" MODEL REST,
                   "t.yaml:1:15: train must be a file, a list of files or a pattern");
    expect_failure(DATA MODEL "loss: binary_crossentropy\n"
                              "optimizer: adam\n"
                              "training: {epochs: 2, batch_size: 16, early_stopping: {patience: 3}}\n",
                   "t.yaml:9:55: early_stopping watches val_loss, but there is no data.validation; give one, or "
                   "monitor: loss");
}

static void what_is_missing_is_named(void **state) {
    (void)state;
    expect_failure(MODEL REST,
                   "t.yaml:1:1: the file needs 'data': the data sets, and how input and target are made from a sample");
    expect_failure(DATA "model: [{dense: {activation: relu}}]\n" REST, "t.yaml:4:10: dense needs 'units': outputs");
    expect_failure("data: {train: a.h5, input: [{rescale: [0, 1]}, {gaussian_noise: {stddev: 0.5}}]}\n" MODEL REST,
                   "t.yaml:1:49: data needs 'target': after gaussian_noise the input cannot serve as one");
    expect_failure(DATA MODEL "loss: binary_crossentropy\n"
                              "optimizer: adam\n"
                              "training:\n"
                              "  epochs: 3\n",
                   "t.yaml:9:1: training needs 'batch_size': samples in a step, over all ranks");
}

static void lanes_must_be_a_power_of_two(void **state) {
    (void)state;
    ls_config *config;
    const char *setting = "training.lanes=12";
    assert_int_equal(ls_config_parse("t.yaml", DATA MODEL REST, &setting, 1, &config), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "--set training.lanes=12: "));
    assert_non_null(strstr(ls_failure_get()->message, "power of two"));
}

static void yaml_itself_is_checked(void **state) {
    (void)state;
    expect_failure("", "t.yaml:1:1: there is nothing here");
    expect_failure("[1, 2]\n", "t.yaml:1:1: the file must be a map of keys and values");
    expect_failure("seed: 1\nseed: 2\n", "t.yaml:2:1: 'seed' is given twice; the first is in line 1");
    expect_failure("seed: &a 1\n", "t.yaml:1:7: anchors and aliases are not supported; write 'a' out (a text that "
                                   "begins with * or & needs quotes)");
    expect_failure("seed: !!int 1\n", "t.yaml:1:7: tags are not supported; leave 'tag:yaml.org,2002:int' out");
    expect_failure("seed: 1\n---\nseed: 2\n",
                   "t.yaml:2:1: a second YAML document begins here; a config is one document");
    expect_failure("seed: [1\n", "t.yaml:2:1: this is not YAML: did not find expected ',' or ']'");
    expect_failure("? [a]\n: 1\n", "t.yaml:1:3: a key must be a plain word");
    char deep[101] = {0};
    memset(deep, '[', 100);
    expect_failure(deep, "t.yaml:1:34: nested too deeply");
}

static void options_beside_a_layer_are_explained(void **state) {
    (void)state;
    expect_failure(
        DATA "model:\n"
             "  - dense:\n"
             "    units: 3\n" REST,
        "t.yaml:6:5: 'units' stands beside 'dense', not under it; indent it, or write 'dense: {units: ...}'");
}

/* ---- the resolved text ---- */

static void expect_fixed_point(ls_config *config) {
    ls_config *again;
    if (ls_config_parse("again.yaml", config->text, NULL, 0, &again) != LS_OK)
        fail_msg("%s\n%s", ls_failure_get()->message, config->text);
    assert_string_equal(config->text, again->text);
    assert_int_equal(ls_config_compare(config, again, true), LS_OK);
    ls_config_destroy(again);
    ls_config_destroy(config);
}

static void resolved_text_parses_to_itself(void **state) {
    (void)state;
    expect_fixed_point(parse(DATA MODEL REST, NULL, 0));
    expect_fixed_point(parse("seed: 7\n"
                             "data:\n"
                             "  train: ['odd: name.h5', \"b\\x01\\\"'.h5\", '-', 'data/*.h5', 'none']\n"
                             "  validation: {split: 0.1}\n"
                             "  input: []\n"
                             "  target: labels\n"
                             "model:\n"
                             "  - dense: {units: 3, name: first, inputs: input}\n"
                             "  - dense: {units: 3, name: code, inputs: [first]}\n"
                             "  - dropout: 0.123456789012345678\n"
                             "code: code\n"
                             "loss: binary_crossentropy\n"
                             "optimizer: {sgd: {learning_rate: 1e-7}}\n"
                             "training: {epochs: 2, batch_size: 16, early_stopping: {min_delta: 3.0e-5}}\n",
                             NULL, 0));
}

static void every_config_of_the_project_is_valid(void **state) {
    (void)state;
    glob_t found;
    assert_int_equal(glob("configs/*.yaml", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char text[65536];
        FILE *file = fopen(found.gl_pathv[i], "r");
        assert_non_null(file);
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
        ls_config *config;
        if (ls_config_parse(found.gl_pathv[i], text, NULL, 0, &config) != LS_OK)
            fail_msg("%s", ls_failure_get()->message);
        expect_fixed_point(config);
    }
    globfree(&found);
}

/* ---- resume ---- */

static void compare(const char *setting, ls_status expected, const char *message) {
    ls_config *then = parse(DATA MODEL REST, NULL, 0), *now = parse(DATA MODEL REST, &setting, 1);
    assert_int_equal(ls_config_compare(then, now, true), expected);
    if (message != NULL) assert_string_equal(ls_failure_get()->message, message);
    ls_config_destroy(then);
    ls_config_destroy(now);
}

static void resume_lets_some_settings_change(void **state) {
    (void)state;
    compare("training.epochs=3", LS_OK, NULL);
    compare("data.train=[b.h5, c.h5]", LS_OK, NULL);
    compare("training.threads=2", LS_OK, NULL);
    compare("training.checkpoint.every_steps=5", LS_OK, NULL);
    compare("training.images=0", LS_OK, NULL);
    compare("training.tensorboard={}", LS_OK, NULL);
}

static void resume_refuses_the_others(void **state) {
    (void)state;
#define MEND ", which cannot change when it is resumed; leave it out, or train in another directory with --run"
    compare("seed=1", LS_INVALID, "--set seed=1: seed is 1 here, but the run was started with 0" MEND);
    compare("training.lanes=16", LS_INVALID,
            "--set training.lanes=16: training.lanes is 16 here, but the run was started with 8" MEND);
    compare("model.0.dense.units=9", LS_INVALID,
            "--set model.0.dense.units=9: model.0.dense.units is 9 here, but the run was started with 3" MEND);
    compare("model.2=flatten", LS_INVALID,
            "--set model.2: model is a list of 3 here, but the run was started with a list of 2" MEND);
    compare("data.input=[{rescale: [0, 2]}]", LS_INVALID,
            "--set data.input: data.input.0.rescale.range.1 is 2 here, but the run was started with 1" MEND);
    ls_config *then = parse(DATA MODEL REST, NULL, 0), *now = parse("seed: 1\n" DATA MODEL REST, NULL, 0);
    assert_int_equal(ls_config_compare(then, now, true), LS_INVALID); /* the file's own words are the file's */
    assert_string_equal(ls_failure_get()->message,
                        "t.yaml: seed is 1 here, but the run was started with 0, which cannot change when it is "
                        "resumed; put it back, or train in another directory with --run");
    ls_config_destroy(then);
    ls_config_destroy(now);
    compare("data.validation={split: 0.5}", LS_INVALID,
            "--set data.validation: data.validation is {split: 0.5} here, but the run was started with none" MEND);
}

enum { LIST_MAX = 4096 };

/* "[a, üüüü, üüüü]": of so many names after one of `shift` letters. */
static void list_names(int count, int shift, char list[LIST_MAX]) {
    int length = snprintf(list, LIST_MAX, "[%.*s", shift, "abcdefgh");
    for (int i = 0; i < count; i++) length += snprintf(list + length, (size_t)(LIST_MAX - length), ", üüüü");
    snprintf(list + length, (size_t)(LIST_MAX - length), "]");
}

static void resume_tells_values_whole(void **state) {
    (void)state;
    char list[LIST_MAX], setting[LIST_MAX + 64], message[LIST_MAX + 256];
    list_names(40, 3, list);
    snprintf(setting, sizeof setting, "data.validation=%s", list);
    snprintf(message, sizeof message,
             "--set data.validation: data.validation is %s here, but the run was started with none" MEND, list);
    compare(setting, LS_INVALID, message);
}

/* One that no message should be as long as ends where that can be seen, and not within a letter. */
static void resume_shortens_very_long_values(void **state) {
    (void)state;
    char list[LIST_MAX], setting[LIST_MAX + 64];
    for (int shift = 1; shift <= 8; shift++) {
        list_names(LS_FILES_MAX - 1, shift, list);
        snprintf(setting, sizeof setting, "data.validation=%s", list);
        compare(setting, LS_INVALID, NULL);
        const char *message = ls_failure_get()->message, *end = strstr(message, "... here, but");
        assert_non_null(end);
        assert_int_not_equal((unsigned char)end[-1], 0xC3); /* the first half of a letter */
        assert_memory_equal(message + strlen("--set data.validation: data.validation is "), list, 400);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_are_a_list),
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(regularizers_are_maps),
        cmocka_unit_test(target_is_the_input_where_that_is_not_corrupted),
        cmocka_unit_test(shorthands_mean_the_long_forms),
        cmocka_unit_test(validation_may_be_files_a_split_or_none),
        cmocka_unit_test(set_replaces_makes_and_appends),
        cmocka_unit_test(set_says_what_is_wrong),
        cmocka_unit_test(unknown_words_name_the_nearest),
        cmocka_unit_test(values_are_checked),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(lanes_must_be_a_power_of_two),
        cmocka_unit_test(yaml_itself_is_checked),
        cmocka_unit_test(options_beside_a_layer_are_explained),
        cmocka_unit_test(resolved_text_parses_to_itself),
        cmocka_unit_test(every_config_of_the_project_is_valid),
        cmocka_unit_test(resume_lets_some_settings_change),
        cmocka_unit_test(resume_refuses_the_others),
        cmocka_unit_test(resume_tells_values_whole),
        cmocka_unit_test(resume_shortens_very_long_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
