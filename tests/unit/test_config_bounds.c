/* However large or strange a config is, reading it takes little time, and the message says what there is too much of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"

enum { TEXT_BYTES = (1 << 20) - 64 };

/* What each of these takes is some hundredths of a second; where the time grew with the square of the size, minutes. */
static const double cpu_s_max = 20;

static double cpu_s(void) { return (double)clock() / CLOCKS_PER_SEC; }

/* begin, the unit again and again (a %d in it counts) up to the largest text there may be, end. The caller's: free. */
static char *repeat(const char *begin, const char *unit, const char *end) {
    char *text = malloc(TEXT_BYTES + 128), piece[128];
    assert_non_null(text);
    int at = sprintf(text, "%s", begin);
    for (int i = 0; at < TEXT_BYTES - 128; i++) {
        snprintf(piece, sizeof piece, unit, i);
        at += sprintf(text + at, "%s", piece);
    }
    sprintf(text + at, "%s", end);
    return text;
}

static void expect(char *text, const char *message) {
    ls_config *config;
    double begin_s = cpu_s();
    assert_int_equal(ls_config_parse("t.yaml", text, NULL, 0, &config), LS_INVALID);
    if (strstr(ls_failure_get()->message, message) == NULL) print_error("%s\n", ls_failure_get()->message);
    assert_non_null(strstr(ls_failure_get()->message, message));
    assert_true(cpu_s() - begin_s < cpu_s_max);
    free(text);
}

static void long_lists_and_maps_are_refused_soon(void **unused) {
    (void)unused;
    expect(repeat("model:\n", "- flatten\n", ""), "t.yaml:4098:3: a list has at most 4096 entries");
    expect(repeat("model: [", "{dense: 1}, ", "]\n"), "a list has at most 4096 entries");
    expect(repeat("", "k%d: 1\n", ""), "t.yaml:4097:1: a map has at most 4096 entries");
    expect(repeat("data: {", "k%d, ", "}\n"), "a map has at most 4096 entries");
    expect(repeat("", "- [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]]\n", ""),
           "a config has at most 65536 values");
}

static void other_large_texts_are_refused_soon(void **unused) {
    (void)unused;
    expect(repeat("a: ", "[", "\n"), "nested too deeply");
    expect(repeat("a: ", "{a: ", "\n"), "nested too deeply");
    expect(repeat("a: ", "x", "\n"), "unknown key 'a'");
    expect(repeat("", "x", ": 1\n"), "t.yaml:");
    expect(repeat("a: \"", "\\x1b", "\"\n"), "unknown key 'a'");
    expect(repeat("a: ", "- ", "\n"), "t.yaml:");
    expect(repeat("", "? ", "\n"), "t.yaml:");
    expect(repeat("a: ", "&a ", "\n"), "t.yaml:");
    expect(repeat("", "\n", "a: 1\n"), "unknown key 'a'");
}

/* It would end the text for us alone. */
static void zero_bytes_are_refused(void **unused) {
    (void)unused;
    expect(strdup("a: \"b\\0c\"\n"), "t.yaml:1:4: a text cannot have a zero byte in it");
    expect(strdup("\"seed\\0\": 3\n"), "t.yaml:1:1: a text cannot have a zero byte in it");
}

/* A list of layers that is as long as a list may be gets the message of layers. */
static void too_many_layers_are_counted(void **unused) {
    (void)unused;
    char text[8192] = "model: [";
    for (int i = 0; i <= LS_LAYERS_MAX; i++) strcat(text, "flatten, ");
    strcat(text, "]\n");
    expect(strdup(text), "model must be a list of 1 to 256 layers");
}

static void settings_have_the_same_bounds(void **unused) {
    (void)unused;
    static char storage[6000][32];
    static const char *settings[6000];
    char *value = repeat("model=[", "flatten, ", "]");
    ls_config *config;
    double begin_s = cpu_s();
    const char *one = value;
    assert_int_equal(ls_config_parse("t.yaml", "a: 1\n", &one, 1, &config), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "a list has at most 4096 entries"));
    free(value);
    for (int i = 0; i < 6000; i++) {
        snprintf(storage[i], sizeof storage[i], "model.%d=flatten", i);
        settings[i] = storage[i];
    }
    assert_int_equal(ls_config_parse("t.yaml", "model: []\n", settings, 6000, &config), LS_INVALID);
    assert_string_equal(ls_failure_get()->message,
                        "--set model.4096=flatten: a list has at most 4096 entries, and this one has more");
    for (int i = 0; i < 6000; i++) snprintf(storage[i], sizeof storage[i], "k%d=1", i);
    assert_int_equal(ls_config_parse("t.yaml", "model: []\n", settings, 6000, &config), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "a map has at most 4096 entries"));
    assert_true(cpu_s() - begin_s < cpu_s_max);
}

static const ls_comm alone = {.size = 1, .host_size = 1};

static void expect_file(const char *path, const char *message) {
    ls_config *config;
    assert_int_equal(ls_config_load(&alone, path, NULL, 0, &config), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, message));
}

/* A pipe that nobody writes to would be waited for, and a device read for ever. */
static void only_files_are_configs(void **unused) {
    (void)unused;
    char folder[] = "/tmp/lockstep-test-bounds-XXXXXX", pipe[64], large[64];
    assert_non_null(mkdtemp(folder));
    snprintf(pipe, sizeof pipe, "%s/pipe.yaml", folder);
    snprintf(large, sizeof large, "%s/large.yaml", folder);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    expect_file(pipe, "pipe.yaml: is a pipe or a device, not a file");
    expect_file("/dev/zero", "/dev/zero: is a pipe or a device, not a file");
    expect_file(folder, "is a directory, not a file");
    FILE *file = fopen(large, "w");
    for (int i = 0; i < 1 << 20; i++) fputc('#', file);
    fclose(file);
    expect_file(large, "large.yaml: a config is smaller than 1024 KiB");
    unlink(large);
    unlink(pipe);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_lists_and_maps_are_refused_soon),
        cmocka_unit_test(other_large_texts_are_refused_soon),
        cmocka_unit_test(zero_bytes_are_refused),
        cmocka_unit_test(too_many_layers_are_counted),
        cmocka_unit_test(settings_have_the_same_bounds),
        cmocka_unit_test(only_files_are_configs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
