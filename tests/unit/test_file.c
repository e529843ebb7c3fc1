/* Files are whole or not there, and only one process writes one. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "support/nets.h"
#include "support/scratch.h"

static bool holds(const char *path, const char *text) {
    char content[64] = "";
    FILE *file = fopen(path, "r");
    if (!file) return false;
    size_t bytes = fread(content, 1, sizeof content - 1, file);
    fclose(file);
    return bytes == strlen(text) && memcmp(content, text, bytes) == 0;
}

static bool exists(const char *path) { return access(path, F_OK) == 0; }

static void the_name_comes_last(void **unused) {
    (void)unused;
    const char *path = scratch_path("a.txt");
    ls_file file;
    expect_ok(ls_file_write_text(path, "old"));
    expect_ok(ls_file_create(path, &file));
    expect_ok(ls_file_write(&file, "new", 3));
    assert_true(holds(path, "old"));
    expect_ok(ls_file_commit(&file));
    assert_true(holds(path, "new"));
    assert_false(exists(file.part));
    ls_file_discard(&file); /* nothing any more */
    assert_true(holds(path, "new"));
}

static void what_is_discarded_leaves_nothing(void **unused) {
    (void)unused;
    const char *path = scratch_path("b.txt");
    ls_file file;
    expect_ok(ls_file_create(path, &file));
    ls_file_discard(&file);
    assert_false(exists(file.part));
    assert_false(exists(path));
}

static void directories_are_made_with_those_above_them(void **unused) {
    (void)unused;
    const char *path = scratch_path("one/two//three/");
    struct stat info;
    for (int i = 0; i < 2; i++) {
        expect_ok(ls_file_make_directory(path));
        assert_true(stat(path, &info) == 0 && S_ISDIR(info.st_mode));
    }
    expect_ok(ls_file_write_text(scratch_path("one/file"), "text"));
    assert_int_equal(ls_file_make_directory(scratch_path("one/file/two")), LS_ERROR);
    assert_non_null(strstr(ls_failure_get()->message, "one/file/two: the directory cannot be made: Not a directory"));
}

/* Locks belong to the open file, so a second one in the same process stands for another process. */
static void one_writer_at_a_time(void **unused) {
    (void)unused;
    const char *path = scratch_path("c.txt");
    ls_file first, second;
    expect_ok(ls_file_create(path, &first));
    expect_ok(ls_file_write(&first, "first", 5));
    assert_int_equal(ls_file_create(path, &second), LS_ERROR);
    assert_non_null(strstr(ls_failure_get()->message, "another process"));
    ls_file_discard(&second);
    expect_ok(ls_file_commit(&first));
    assert_true(holds(path, "first"));
}

static void leftovers_are_begun_again(void **unused) {
    (void)unused;
    (void)scratch_write("d.txt.part", "half a file of a killed run", 27);
    const char *path = scratch_path("d.txt");
    expect_ok(ls_file_write_text(path, "whole"));
    assert_true(holds(path, "whole"));
}

static void sweeping_removes_only_leftovers(void **unused) {
    (void)unused;
    char *folder = strdup(scratch_path("sweep")), name[4096];
    ls_file busy;
    assert_int_equal(mkdir(folder, 0777), 0);
    snprintf(name, sizeof name, "%s/whole.h5", folder);
    expect_ok(ls_file_write_text(name, "whole"));
    snprintf(name, sizeof name, "%s/busy.h5", folder);
    expect_ok(ls_file_create(name, &busy));
    snprintf(name, sizeof name, "%s/left.h5.part", folder);
    close(open(name, O_WRONLY | O_CREAT, 0666));
    ls_file_sweep(folder);
    assert_false(exists(name));
    assert_true(exists(busy.part));
    snprintf(name, sizeof name, "%s/whole.h5", folder);
    assert_true(exists(name));
    ls_file_discard(&busy);
    ls_file_sweep("no such directory");
    free(folder);
}

static void sweeping_removes_links_left_halfway(void **unused) {
    (void)unused;
    char *folder = strdup(scratch_path("links")), name[4096];
    struct stat about;
    assert_int_equal(mkdir(folder, 0777), 0);
    snprintf(name, sizeof name, "%s/last.h5.part", folder);
    assert_int_equal(symlink("step-0000000001.h5", name), 0);
    ls_file_sweep(folder);
    assert_int_not_equal(lstat(name, &about), 0);
    free(folder);
}

/* One process begins the file again and again while another one writes it: what has its name must stay whole, also
 * where the first one opened it under the name that it had before. */
static void what_has_its_name_is_nobodys_to_begin_again(void **unused) {
    (void)unused;
    enum { ROUNDS = 2000 };
    const char *path = scratch_path("race");
    ls_file file;
    pid_t writer = getpid(), other = fork();
    assert_true(other >= 0);
    while (other == 0 && getppid() == writer)
        if (ls_file_create(path, &file) == LS_OK) ls_file_discard(&file);
    if (other == 0) _exit(0);
    for (int round = 0; round < ROUNDS; round++) {
        if (ls_file_create(path, &file) != LS_OK) continue; /* the other one has it */
        expect_ok(ls_file_write(&file, "whole", 5));
        expect_ok(ls_file_commit(&file));
        assert_true(holds(path, "whole"));
    }
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
}

static void links_are_replaced(void **unused) {
    (void)unused;
    const char *path = scratch_path("link");
    char target[16] = "";
    expect_ok(ls_file_link("first", path));
    expect_ok(ls_file_link("second", path));
    assert_int_equal(readlink(path, target, sizeof target - 1), 6);
    assert_string_equal(target, "second");
}

/* A link leads nobody's writes elsewhere, nor does a second name of a file, a pipe or a device. */
static void what_is_in_the_way_stays_as_it_is(void **unused) {
    (void)unused;
    const char *path = scratch_path("way.txt"), *part = scratch_path("way.txt.part");
    const char *victim = scratch_write("victim", "precious", 8);
    ls_file file;
    assert_int_equal(symlink(victim, part), 0);
    assert_int_equal(ls_file_create(path, &file), LS_ERROR);
    assert_non_null(strstr(ls_failure_get()->message, "way.txt.part: is a symbolic link"));
    assert_int_equal(unlink(part), 0);
    assert_int_equal(link(victim, part), 0);
    assert_int_equal(ls_file_create(path, &file), LS_ERROR);
    assert_non_null(strstr(ls_failure_get()->message, "way.txt.part: is not a file that Lockstep has made"));
    assert_int_equal(unlink(part), 0);
    assert_int_equal(mkfifo(part, 0666), 0);
    assert_int_equal(ls_file_create(path, &file), LS_ERROR);
    assert_int_equal(unlink(part), 0);
    assert_int_equal(mkfifo(path, 0666), 0);
    assert_int_equal(ls_file_create(path, &file), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "way.txt: is a pipe or a device"));
    assert_true(holds(victim, "precious"));
}

static void outputs_go_where_a_link_leads(void **unused) {
    (void)unused;
    const char *link_path = scratch_path("link-out"), *target = scratch_write("target-out", "old", 3);
    char place[LS_PATH_MAX];
    expect_ok(ls_file_follow(target, place));
    assert_string_equal(place, target);
    assert_int_equal(symlink("target-out", link_path), 0);
    expect_ok(ls_file_follow(link_path, place));
    expect_ok(ls_file_write_text(place, "new"));
    assert_true(holds(target, "new") && holds(link_path, "new"));
    assert_int_equal(unlink(target), 0);
    assert_int_equal(ls_file_follow(link_path, place), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "leads nowhere"));
}

static void errors_name_the_file(void **unused) {
    (void)unused;
    ls_file file;
    assert_int_equal(ls_file_write_text("no such directory/x", "text"), LS_ERROR);
    assert_non_null(strstr(ls_failure_get()->message, "no such directory/x"));
    char *name = calloc(1, 5000);
    memset(name, 'x', 4999);
    assert_int_equal(ls_file_create(name, &file), LS_ERROR);
    free(name);
    const char *folder = scratch_path("folder");
    assert_int_equal(mkdir(folder, 0777), 0);
    assert_int_equal(ls_file_write_text(folder, "text"), LS_INVALID); /* a directory cannot be replaced */
    char part[4096];
    snprintf(part, sizeof part, "%s.part", folder);
    assert_false(exists(part));
}

static void only_files_are_regular(void **unused) {
    (void)unused;
    const char *path = scratch_path("file");
    assert_int_equal(ls_file_check_regular(path), LS_INVALID);
    assert_int_equal(ls_file_write_text(path, "text"), LS_OK);
    assert_int_equal(ls_file_check_regular(path), LS_OK);
    assert_int_equal(ls_file_check_regular("/dev/null"), LS_INVALID);
    assert_int_equal(ls_file_check_regular("/tmp"), LS_INVALID);
    assert_string_equal(ls_failure_get()->message, "/tmp: is a directory, not a file");
}

/* A signal that ends the process leaves none of two guarded files behind, also where their owner has moved. */
static void guarded_files_go_with_a_signal(void **unused) {
    (void)unused;
    char one[LS_PATH_MAX], two[LS_PATH_MAX];
    int state;
    snprintf(one, sizeof one, "%s", scratch_path("one.csv"));
    snprintf(two, sizeof two, "%s", scratch_path("two.csv"));
    const pid_t child = fork();
    if (child == 0) {
        ls_file file, committed;
        if (ls_file_create(scratch_path("committed"), &committed) != LS_OK) _exit(1);
        ls_file_guard(&committed);
        if (ls_file_commit(&committed) != LS_OK) _exit(1);
        for (int i = 0; i < 2; i++) {
            if (ls_file_create(i == 0 ? one : two, &file) != LS_OK) _exit(1);
            ls_file_guard(&file);
        }
        memset(&file, 0, sizeof file);
        (void)raise(SIGTERM);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &state, 0), child);
    assert_true(WIFSIGNALED(state) && WTERMSIG(state) == SIGTERM);
    assert_false(exists(strcat(one, ".part")));
    assert_false(exists(strcat(two, ".part")));
    assert_true(exists(scratch_path("committed")));
}

static void folders_are_looked_at(void **unused) {
    (void)unused;
    char message[2 * LS_PATH_MAX];
    assert_int_equal(ls_file_write_text(scratch_path("plain"), "text"), LS_OK);
    expect_ok(ls_file_check_folder_of(scratch_path("plain")));
    assert_int_equal(ls_file_check_folder_of(scratch_path("plain/out.npy")), LS_INVALID);
    snprintf(message, sizeof message, " %s is not a folder", scratch_path("plain"));
    assert_non_null(strstr(ls_failure_get()->message, message));
    assert_int_equal(ls_file_check_folder_of(scratch_path("none/out.npy")), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "does not exist; make it first"));
    assert_int_equal(ls_file_check_folder_of(scratch_path("plain/folder/out.npy")), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "Not a directory"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_comes_last),
        cmocka_unit_test(what_is_discarded_leaves_nothing),
        cmocka_unit_test(directories_are_made_with_those_above_them),
        cmocka_unit_test(one_writer_at_a_time),
        cmocka_unit_test(leftovers_are_begun_again),
        cmocka_unit_test(sweeping_removes_only_leftovers),
        cmocka_unit_test(sweeping_removes_links_left_halfway),
        cmocka_unit_test(what_has_its_name_is_nobodys_to_begin_again),
        cmocka_unit_test(links_are_replaced),
        cmocka_unit_test(what_is_in_the_way_stays_as_it_is),
        cmocka_unit_test(outputs_go_where_a_link_leads),
        cmocka_unit_test(errors_name_the_file),
        cmocka_unit_test(only_files_are_regular),
        cmocka_unit_test(guarded_files_go_with_a_signal),
        cmocka_unit_test(folders_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
