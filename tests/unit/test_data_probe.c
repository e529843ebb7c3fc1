/* Data files are tried by another process first: what becomes of that process is the file's fault only where a file can
 * do it. What a file's samples cost to decode is spent once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <hdf5.h>

#include "data/dataset.h"
#include "store/data_probe.h"
#include "store/hdf5.h"
#include "support/nets.h"
#include "support/plain_dataset.h"
#include "support/scratch.h"

enum { COUNT = 1000, PIXELS = 12 };

/* A filter that changes nothing, and counts the chunks that it undoes. Its number is one of those for tests. */
enum { COUNTING_FILTER = 300 };
static int undone;

static size_t count_chunk(unsigned flags, size_t settings, const unsigned *setting, size_t bytes, size_t *room,
                          void **data) {
    (void)settings, (void)setting, (void)room, (void)data;
    if (flags & H5Z_FLAG_REVERSE) undone++;
    return bytes;
}

static const char *write_counted(const char *name, hsize_t chunk) {
    const H5Z_class2_t filter = {.version = H5Z_CLASS_T_VERS,
                                 .id = COUNTING_FILTER,
                                 .encoder_present = 1,
                                 .decoder_present = 1,
                                 .name = "counting",
                                 .filter = count_chunk};
    const char *path = scratch_path(name);
    ls_hdf5_lock();
    H5Zregister(&filter);
    ls_hdf5_unlock();
    plain_dataset_write(
        path,
        &(plain_dataset){
            .type = H5T_STD_U8LE, .dims = 3, .dim = {COUNT, 1024, PIXELS}, .chunk = chunk, .filter = COUNTING_FILTER});
    return path;
}

static void a_fingerprint_decodes_a_chunk_once(void **unused) {
    (void)unused;
    static const hsize_t chunks[] = {COUNT, COUNT / 2, 300};
    char fingerprint[3][LS_FINGERPRINT_MAX];
    for (int i = 0; i < 3; i++) {
        const char *path = write_counted("counted.h5", chunks[i]);
        ls_dataset *dataset;
        undone = 0;
        expect_ok(ls_dataset_open(&path, 1, &dataset));
        assert_int_equal(undone, (COUNT + chunks[i] - 1) / chunks[i]);
        memcpy(fingerprint[i], ls_dataset_get_info(dataset)->fingerprint, LS_FINGERPRINT_MAX);
        ls_dataset_close(dataset);
    }
    /* As they were when each sample was read alone: checkpoints know them. */
    assert_string_equal(fingerprint[0], "47ddc6279b5d19de");
    assert_string_equal(fingerprint[1], "b3811d07e16e8651");
    assert_string_equal(fingerprint[2], "9a574c48a909693c");
}

/* Opens a good file, which a program that does this has tried. */
static ls_status try_with(const char *action) {
    const char *path = scratch_path("good.h5"), *program = scratch_path("prober");
    plain_dataset_write(path, &(plain_dataset){.type = H5T_STD_U8LE, .dims = 2, .dim = {COUNT, PIXELS}});
    FILE *script = fopen(program, "w");
    assert_non_null(script);
    fprintf(script, "#!/bin/sh\nulimit -c 0\n%s\n", action);
    assert_int_equal(fclose(script), 0);
    chmod(program, 0755);
    ls_data_probe_by(program);
    ls_dataset *dataset;
    ls_status status = ls_dataset_open(&path, 1, &dataset);
    ls_data_probe_by("");
    ls_dataset_close(dataset);
    return status;
}

static void only_a_file_that_harms_is_refused(void **unused) {
    (void)unused;
    expect_ok(try_with("printf . >&3"));
    static const char *const harm[] = {"XCPU", "SEGV", "BUS", "ABRT", "FPE", "ILL"};
    static const char *const others[] = {"kill -TERM $$", "kill -KILL $$", "kill -HUP $$", "exit 1", "exit 0"};
    char action[32];
    for (size_t i = 0; i < sizeof harm / sizeof *harm; i++) {
        snprintf(action, sizeof action, "kill -%s $$", harm[i]);
        assert_int_equal(try_with(action), LS_INVALID);
        assert_non_null(strstr(ls_failure_get()->message, "good.h5: HDF5 fails on its header"));
    }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* whose crashes end with a status */
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) assert_int_equal(try_with(others[i]), LS_ERROR);
#else
    assert_int_equal(try_with(others[0]), LS_ERROR);
#endif
}

static void without_a_program_files_are_opened(void **unused) {
    (void)unused;
    expect_ok(try_with("exit 127")); /* as where a library of it is missing */
    const char *path = scratch_path("good.h5");
    ls_dataset *dataset;
    ls_data_probe_by(scratch_path("nothing"));
    expect_ok(ls_dataset_open(&path, 1, &dataset));
    ls_data_probe_by("");
    ls_dataset_close(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_fingerprint_decodes_a_chunk_once),
                                       cmocka_unit_test(only_a_file_that_harms_is_refused),
                                       cmocka_unit_test(without_a_program_files_are_opened)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
