/* Every target of tests/fuzz takes its corpus, and each small file of it cut short: what fuzzing once found stays
 * mended. With a target's name and files as arguments it replays these (tests/fuzz/run). */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/dataset.h"
#include "fuzz/targets.h"
#include "store/data_probe.h"

enum { FILE_BYTES_MAX = 1 << 20, SMALL_BYTES = 4096, CUTS = 8 };

static uint8_t content[FILE_BYTES_MAX];

static void replay(const fuzz_target *target, const char *path) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t bytes = fread(content, 1, sizeof content, file);
    fclose(file);
    printf("%s: %s\n", target->name, path);
    fflush(stdout); /* of one that hangs or crashes the name is seen */
    target->run(content, bytes);
    for (size_t cut = 0; bytes <= SMALL_BYTES && cut < CUTS; cut++) target->run(content, bytes * cut / CUTS);
}

static void every_target_takes_its_corpus(void **unused) {
    (void)unused;
    const char *root = getenv("LOCKSTEP_ROOT");
    for (const fuzz_target *target = fuzz_targets; target->name; target++) {
        char pattern[4096];
        glob_t found;
        snprintf(pattern, sizeof pattern, "%s/tests/fuzz/corpus/%s/*", root ? root : ".", target->name);
        assert_int_equal(glob(pattern, 0, NULL, &found), 0); /* each has one */
        for (size_t i = 0; i < found.gl_pathc; i++) replay(target, found.gl_pathv[i]);
        globfree(&found);
    }
}

/* Data sets are tried in a process of their own first, as the program does it: in this program, called anew. */
int main(int argc, char **argv) {
    static char program[4096];
    if (argc > 1 && strcmp(argv[1], LS_PROBE_WORD) == 0) return ls_data_probe_answer(argc - 2, argv + 2);
    if (readlink("/proc/self/exe", program, sizeof program - 1) > 0) ls_data_probe_by(program);
    const fuzz_target *target = argc > 1 ? fuzz_find(argv[1]) : NULL;
    for (int i = 2; target && i < argc; i++) replay(target, argv[i]);
    if (argc > 1) return target ? 0 : 2;
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_target_takes_its_corpus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
