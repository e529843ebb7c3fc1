/* Which files an import finds, under which names, and what classes it makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/dataset.h"
#include "data/import_labels_internal.h"
#include "support/scratch.h"

static const ls_comm alone = {.size = 1, .host_size = 1};

static void folder(const char *name) { assert_int_equal(mkdir(scratch_path(name), 0777), 0); }
static void file(const char *name) { (void)scratch_write(name, "x", 1); }
static void link_to(const char *target, const char *name) { assert_int_equal(symlink(target, scratch_path(name)), 0); }

/* The names that are found, with spaces between; *skipped of them were left out. */
static const char *find(const char *const *arguments, int count, int64_t *skipped) {
    static char text[4096];
    ls_file_list list;
    size_t used = 0;
    if (ls_file_list_find(&alone, arguments, count, false, &list) != LS_OK) fail_msg("%s", ls_failure_get()->message);
    text[0] = '\0';
    for (int64_t i = 0; i < list.count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? " " : "",
                                 ls_file_list_path(&list, i) + list.files[i].name);
    *skipped = list.skipped;
    ls_file_list_release(&list);
    return text;
}

static void expect_found(const char *argument, int64_t left_out, const char *names) {
    int64_t skipped;
    assert_string_equal(find(&argument, 1, &skipped), names);
    assert_int_equal(skipped, left_out);
}

static void expect_failure(const char *argument, bool strict, const char *message) {
    ls_file_list list;
    assert_int_equal(ls_file_list_find(&alone, &argument, 1, strict, &list), LS_INVALID);
    if (!strstr(ls_failure_get()->message, message)) fail_msg("'%s' is not in: %s", message, ls_failure_get()->message);
    ls_file_list_release(&list);
}

static void links_to_nowhere_are_counted(void **state) {
    (void)state;
    folder("dvc");
    file("dvc/1");
    link_to("/store/not/fetched/2", "dvc/2");
    link_to("loop", "dvc/loop");
    assert_int_equal(mkfifo(scratch_path("dvc/pipe"), 0666), 0);
    expect_found(scratch_path("dvc"), 3, "1");
    expect_failure(scratch_path("dvc"), true, "dvc/pipe: is a pipe or a device");
    assert_int_equal(remove(scratch_path("dvc/pipe")), 0);
    expect_failure(scratch_path("dvc"), true, "dvc/2: the link leads nowhere");
    expect_failure("/dev/null", false, "/dev/null: is a pipe or a device, not a file");
    expect_failure(scratch_path("dvc/2"), false, "dvc/2: No such file");
}

/* What is real has its own name; what only a link leads to has the link's. */
static void each_file_once(void **state) {
    (void)state;
    folder("top");
    folder("top/b");
    folder("outside");
    file("outside/far");
    file("top/b/1");
    file("top/b/2");
    link_to("b", "top/a");
    link_to("b/1", "top/1");
    link_to("../../outside", "top/b/z");
    link_to("../../outside", "top/b/y");
    assert_int_equal(link(scratch_path("top/b/2"), scratch_path("top/b/3")), 0);
    expect_found(scratch_path("top"), 0, "b/1 b/2 b/y/far");
    int64_t skipped;
    const char *both[] = {scratch_path("top/b/1"), scratch_path("top"), scratch_path("top//")};
    assert_string_equal(find(both, 3, &skipped), "b/1 b/2 b/y/far");
    expect_found(scratch_path("top/a/"), 0, "1 2 y/far"); /* a link that is asked for by name */
}

static void a_mesh_of_folders_is_walked_once(void **state) {
    (void)state;
    char name[32], target[32];
    folder("mesh");
    for (int i = 0; i < 7; i++) {
        snprintf(name, sizeof name, "mesh/%d", i);
        folder(name);
        snprintf(name, sizeof name, "mesh/%d/x", i);
        file(name);
    }
    for (int i = 0; i < 49; i++) {
        snprintf(name, sizeof name, "mesh/%d/to%d", i / 7, i % 7);
        snprintf(target, sizeof target, "../%d", i % 7);
        link_to(target, name);
    }
    expect_found(scratch_path("mesh"), 0, "0/x 1/x 2/x 3/x 4/x 5/x 6/x");
}

/* Folders of any depth; those whose path the system does not take are named. */
static void deep_folders(void **state) {
    (void)state;
    char before[4096];
    folder("deep");
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(scratch_path("deep")), 0);
    for (int i = 0; i < 2500; i++) assert_true(mkdir("d", 0777) == 0 && chdir("d") == 0);
    assert_int_equal(chdir(before), 0);
    file("deep/1");
    expect_found(scratch_path("deep"), 1, "1");
}

/* --- classes --- */

/* Of all files in the folder: "cat=0 dog=1", the names of classes with the sum of the labels at the end. */
static ls_status label(const char *argument, ls_labels_from from, ls_class_list *classes, int64_t *sum) {
    ls_file_list list;
    assert_int_equal(ls_file_list_find(&alone, &argument, 1, false, &list), LS_OK);
    uint8_t *all = malloc((size_t)list.count);
    int32_t *labels = calloc((size_t)list.count, sizeof *labels);
    memset(all, 1, (size_t)list.count);
    ls_status status = ls_labels_make(&list, all, from, labels, classes);
    *sum = 0;
    for (int64_t i = 0; i < list.count; i++) *sum += labels[i];
    free(all);
    free(labels);
    ls_file_list_release(&list);
    return status;
}

static void expect_classes(const char *argument, ls_labels_from from, const char *given, const char *names,
                           int64_t sum) {
    ls_class_list classes = {0};
    char text[256] = "";
    int64_t found;
    if (given) assert_int_equal(ls_class_list_read(&alone, given, "", &classes), LS_OK);
    if (label(argument, from, &classes, &found) != LS_OK) fail_msg("%s", ls_failure_get()->message);
    for (int64_t i = 0; i < classes.count; i++) strcat(strcat(text, i > 0 ? "," : ""), classes.name[i]);
    assert_string_equal(text, names);
    assert_int_equal(found, sum);
    ls_class_list_release(&classes);
}

static void make_zoo(const char *name, int cats, int dogs) {
    char path[64];
    folder(name);
    for (int i = -2; i < cats + dogs; i++) {
        if (i < 0)
            snprintf(path, sizeof path, "%s/%s", name, i == -2 ? "cat" : "dog");
        else
            snprintf(path, sizeof path, "%s/%s/%d_x", name, i < cats ? "cat" : "dog", i);
        i < 0 ? folder(path) : file(path);
    }
}

static void folders_are_classes_also_without_pictures(void **state) {
    (void)state;
    make_zoo("zoo", 3, 2);
    folder("zoo/bee");
    expect_classes(scratch_path("zoo"), LS_LABELS_AUTO, NULL, "bee,cat,dog", 3 * 1 + 2 * 2);
    expect_classes(scratch_path("zoo"), LS_LABELS_FOLDER, NULL, "bee,cat,dog", 3 * 1 + 2 * 2);
    expect_classes(scratch_path("zoo"), LS_LABELS_NONE, NULL, "", 0);
}

/* Folders that are classes themselves, one of them without pictures. */
static void empty_folders_that_are_given(void **state) {
    (void)state;
    ls_file_list list;
    folder("ants");
    folder("bees");
    file("bees/1");
    const char *both[] = {scratch_path("ants/"), scratch_path("bees")};
    assert_int_equal(ls_file_list_find(&alone, both, 2, true, &list), LS_OK);
    assert_int_equal(list.folder_count, 1);
    assert_string_equal(list.text + list.folders[0], "ants");
    ls_file_list_release(&list);
}

static void classes_that_are_given(void **state) {
    (void)state;
    static const char lines[] = "\xEF\xBB\xBF"
                                "dog\r\nwolf\r\n\r\ncat";
    make_zoo("pets", 3, 2);
    expect_classes(scratch_path("pets"), LS_LABELS_AUTO, "dog,wolf,cat", "dog,wolf,cat", 3 * 2);
    char at[4096];
    snprintf(at, sizeof at, "@%s", scratch_write("lines.txt", lines, sizeof lines - 1));
    expect_classes(scratch_path("pets"), LS_LABELS_FOLDER, at, "dog,wolf,cat", 3 * 2);
    ls_class_list classes;
    int64_t sum;
    assert_int_equal(ls_class_list_read(&alone, "dog,wolf", "", &classes), LS_OK);
    assert_int_equal(label(scratch_path("pets"), LS_LABELS_AUTO, &classes, &sum), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "its class would be 'cat', which is none of the 2"));
    ls_class_list_release(&classes);
    static const char *const bad[][2] = {
        {"a,b,a", "'a' is named twice"}, {",,", "no class is named"}, {"@nowhere", "nowhere: cannot be opened"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(ls_class_list_read(&alone, bad[i][0], "", &classes), LS_INVALID);
        if (!strstr(ls_failure_get()->message, bad[i][1])) fail_msg("%s", ls_failure_get()->message);
        ls_class_list_release(&classes);
    }
}

/* A name that is not UTF-8 is the one that a data set made of it. */
static void classes_that_are_not_utf8(void **state) {
    (void)state;
    folder("bytes");
    folder("bytes/caf\xE9");
    file("bytes/caf\xE9/1");
    expect_classes(scratch_path("bytes"), LS_LABELS_FOLDER, "bar,caf\xEF\xBF\xBD", "bar,caf\xEF\xBF\xBD", 1);
}

/* More folders than there can be classes: no labels, rather than others that nobody asked for. */
static void too_many_folders(void **state) {
    (void)state;
    enum { FOLDERS = LS_CLASSES_MAX + 1, FILES = 2 * FOLDERS };
    ls_file_list list = {.count = FILES};
    list.text = malloc((size_t)FILES * 16);
    list.files = calloc(FILES, sizeof *list.files);
    for (int i = 0; i < FILES; i++) {
        list.files[i] = (ls_file_entry){.path = 16 * i, .name = 2};
        snprintf(list.text + 16 * i, 16, "r/%05d/%c_1", i / 2 % 100000, i % 2 ? 'a' : 'b');
    }
    uint8_t *all = malloc(FILES);
    int32_t *labels = calloc(FILES, sizeof *labels);
    ls_class_list classes = {0};
    memset(all, 1, FILES);
    assert_int_equal(ls_labels_make(&list, all, LS_LABELS_AUTO, labels, &classes), LS_OK);
    assert_int_equal(classes.count, 0);
    assert_int_equal(ls_labels_make(&list, all, LS_LABELS_FOLDER, labels, &classes), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "a data set can have"));
    assert_int_equal(ls_labels_make(&list, all, LS_LABELS_PREFIX, labels, &classes), LS_OK);
    assert_int_equal(classes.count, 2);
    ls_class_list_release(&classes);
    free(list.text);
    free(list.files);
    free(all);
    free(labels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_to_nowhere_are_counted),
        cmocka_unit_test(each_file_once),
        cmocka_unit_test(a_mesh_of_folders_is_walked_once),
        cmocka_unit_test(deep_folders),
        cmocka_unit_test(folders_are_classes_also_without_pictures),
        cmocka_unit_test(empty_folders_that_are_given),
        cmocka_unit_test(classes_that_are_given),
        cmocka_unit_test(classes_that_are_not_utf8),
        cmocka_unit_test(too_many_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
