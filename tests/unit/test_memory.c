/* Allocation and its message, growing arrays, and the limits of control groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/memory_groups_internal.h"
#include "support/scratch.h"

static void test_memory_is_zeroed_and_aligned(void **state) {
    (void)state;
    for (int64_t count = 0; count < 300; count += 7) {
        float *numbers;
        assert_int_equal(ls_alloc(&numbers, count, sizeof *numbers, "numbers"), LS_OK);
        assert_non_null(numbers);
        assert_int_equal((uintptr_t)numbers % LS_ALIGN_BYTES, 0);
        for (int64_t i = 0; i < count; i++) assert_true(numbers[i] == 0);
        memset(numbers, 0xff, (size_t)count * sizeof *numbers); /* so that the next one is not zero by chance */
        ls_free(numbers);
    }
    ls_free(NULL);
}

static void test_failure_says_what_for(void **state) {
    (void)state;
    char *bytes = (char *)&bytes;
    assert_int_equal(ls_alloc(&bytes, INT64_MAX / 2, 1, "the weights"), LS_ERROR);
    assert_null(bytes);
    assert_string_equal(ls_failure_get()->message, "cannot allocate 4611686018427387903 bytes for the weights");
    assert_int_equal(ls_alloc(&bytes, INT64_MAX, 1000, "a header's claim"), LS_ERROR);
    assert_null(bytes);
    assert_non_null(strstr(ls_failure_get()->message, "for a header's claim"));
}

static void test_growing_keeps_what_is_there(void **state) {
    (void)state;
    int64_t *numbers = NULL, room = 0, moves = 0;
    for (int64_t count = 0; count < 1000; count++) {
        const int64_t *before = numbers;
        assert_int_equal(ls_grow(&numbers, &room, count + 1, sizeof *numbers, "numbers"), LS_OK);
        assert_true(room > count && numbers[count] == 0);
        moves += numbers != before;
        numbers[count] = count * count;
    }
    for (int64_t i = 0; i < 1000; i++) assert_int_equal(numbers[i], i * i);
    assert_true(moves < 10);
    assert_int_equal(ls_grow(&numbers, &room, INT64_MAX / 8, sizeof *numbers, "numbers"), LS_ERROR);
    assert_true(room < 2000 && numbers[999] == 999 * 999);
    ls_free(numbers);
}

static void test_rounding(void **state) {
    (void)state;
    assert_int_equal(ls_align_bytes(0), 0);
    assert_int_equal(ls_align_floats(0), 0);
    for (int64_t n = 1; n < 1000; n++) {
        int64_t bytes = ls_align_bytes(n), floats = ls_align_floats(n);
        assert_true(bytes >= n && bytes < n + LS_ALIGN_BYTES && bytes % LS_ALIGN_BYTES == 0);
        assert_int_equal(floats * (int64_t)sizeof(float), ls_align_bytes(n * (int64_t)sizeof(float)));
    }
}

/* --- control groups --- */

static void make_folder(const char *path) { assert_true(mkdir(path, 0777) == 0 || errno == EEXIST); }

static void make_group(const char *mount, const char *group, const char *const files[3], const char *const texts[3]) {
    char path[4096];
    snprintf(path, sizeof path, "%s%s", mount, group);
    for (char *slash = path + strlen(mount); slash != NULL; slash = strchr(slash + 1, '/')) {
        char letter = *slash;
        *slash = '\0';
        make_folder(path);
        *slash = letter;
        if (letter == '\0') break;
    }
    make_folder(path);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s/%s", mount, group, files[i]);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(texts[i], file);
        fclose(file);
    }
}

/* A batch system puts a limit on a job's group, or on the step's or the user's; the root has none. */
static void test_the_tightest_group_counts(void **state) {
    (void)state;
    static const char *const v2[] = {"memory.max", "memory.current", "memory.stat"};
    static const char *const v1[] = {"memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat"};
    char *mount = strdup(scratch_path("cgroup"));
    const char *member = scratch_write("member", "1:name=systemd:/x\n0::/slurm/job_7/step_0\n", 41);
    assert_true(ls_groups_memory(member, mount).free_bytes == INT64_MAX);
    assert_true(ls_groups_memory("no such file", mount).free_bytes == INT64_MAX);
    make_group(mount, "/slurm/job_7/step_0", v2, (const char *[]){"max\n", "500\n", ""});
    assert_true(ls_groups_memory(member, mount).free_bytes == INT64_MAX);
    make_group(mount, "/slurm/job_7", v2,
               (const char *[]){"9000\n", "2000\n", "anon 900\nfile 999\ninactive_file 200\nactive_file 100\n"});
    assert_int_equal(ls_groups_memory(member, mount).free_bytes, 9000 - 2000 + 300);
    assert_int_equal(ls_groups_memory(member, mount).limit_bytes, 9000);
    make_group(mount, "/slurm", v2, (const char *[]){"6000\n", "2000\n", ""});
    assert_int_equal(ls_groups_memory(member, mount).limit_bytes, 6000);
    assert_int_equal(ls_groups_memory(member, mount).free_bytes, 4000);
    make_group(mount, "", v2, (const char *[]){"1000\n", "2000\n", ""});
    assert_int_equal(ls_groups_memory(member, mount).free_bytes, 0);

    member = scratch_write("member", "5:cpu,cpuacct:/a\n4:hugetlb,memory:/a/b\n0::/a/b\n", 47);
    char *old = strdup(scratch_path("cgroup1")), memory[4096];
    snprintf(memory, sizeof memory, "%s/memory", old);
    make_folder(old);
    make_group(memory, "/a/b", v1, (const char *[]){"9223372036854771712\n", "10\n", ""});
    make_group(memory, "/a", v1,
               (const char *[]){"800\n", "300\n", "inactive_file 0\ntotal_inactive_file 40\ntotal_active_file 10\n"});
    assert_int_equal(ls_groups_memory(member, old).free_bytes, 550);
    free(old);
    free(mount);
    assert_true(ls_memory_available_bytes() > 0);
    assert_true(ls_memory_total_bytes() >= ls_memory_available_bytes());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zeroed_and_aligned), cmocka_unit_test(test_failure_says_what_for),
        cmocka_unit_test(test_growing_keeps_what_is_there),  cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_the_tightest_group_counts),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
