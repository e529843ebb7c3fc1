/* Cores counted from a description of the processors as the system gives it. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cores.h"
#include "support/scratch.h"

/* Four cores of two hardware threads each, numbered as most systems do it: n and n + 4. */
enum { CORES = 4 };

static void describe_machine(void) {
    char name[64], text[16];
    for (int cpu = 0; cpu < 2 * CORES; cpu++) {
        snprintf(name, sizeof name, "cpu%d", cpu);
        assert_int_equal(mkdir(scratch_path(name), 0700), 0);
        snprintf(name, sizeof name, "cpu%d/topology", cpu);
        assert_int_equal(mkdir(scratch_path(name), 0700), 0);
        snprintf(name, sizeof name, "cpu%d/topology/thread_siblings_list", cpu);
        int bytes = snprintf(text, sizeof text, "%d,%d\n", cpu % CORES, cpu % CORES + CORES);
        scratch_write(name, text, bytes);
    }
}

/* Of all subsets of the machine's eight processors. */
static void test_a_core_counts_once(void **state) {
    (void)state;
    describe_machine();
    for (unsigned subset = 0; subset < 1u << 2 * CORES; subset++) {
        ls_cpus cpus = {0};
        bool used[CORES] = {false};
        int cores = 0, count = 0;
        for (int cpu = 0; cpu < 2 * CORES; cpu++) {
            if (!(subset >> cpu & 1)) continue;
            ls_cpus_add(&cpus, cpu);
            cores += !used[cpu % CORES];
            used[cpu % CORES] = true;
            count++;
        }
        assert_int_equal(ls_cpus_count(&cpus), count);
        assert_int_equal(ls_cpus_cores_in(&cpus, scratch_path(".")), cores);
    }
}

static void test_without_a_description_all_count(void **state) {
    (void)state;
    ls_cpus cpus = {0};
    ls_cpus_add(&cpus, 0);
    ls_cpus_add(&cpus, 63);
    ls_cpus_add(&cpus, LS_CPUS_MAX - 1);
    assert_int_equal(ls_cpus_cores_in(&cpus, "/nowhere"), 3);
}

static void test_of_this_process(void **state) {
    (void)state;
    cpu_set_t before, one;
    ls_cpus machine = ls_cpus_of_machine(), all = ls_cpus_allowed();
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    assert_int_equal(ls_cpus_count(&all), CPU_COUNT(&before));
    assert_true(ls_cpus_cores(&all) >= 1 && ls_cpus_cores(&all) <= ls_cpus_count(&all));
    assert_true(ls_cpus_count(&machine) >= 1);
    size_t cpu = 0;
    while (!CPU_ISSET(cpu, &before)) cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    ls_cpus bound = ls_cpus_allowed();
    assert_int_equal(ls_cpus_count(&bound), 1);
    assert_int_equal(ls_cpus_cores(&bound), 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_core_counts_once),
        cmocka_unit_test(test_without_a_description_all_count),
        cmocka_unit_test(test_of_this_process),
    };
    return cmocka_run_group_tests_name("cores", tests, NULL, NULL);
}
