/* What a file's header claims is held against the file's length before memory is asked for, what is packed cannot take
 * all memory when it is unpacked, and what is no file is not waited for: at every door. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <zlib.h>

#include "base/memory.h"
#include "data/gzip_internal.h"
#include "data/image.h"
#include "data/importers_internal.h"
#include "run/codes.h"
#include "run/inspect_kinds.h"
#include "run/run_directory.h"
#include "state/checkpoint.h"
#include "support/scratch.h"

static const ls_comm alone = {.size = 1, .host_size = 1};

static ls_status import(const ls_importer_type *type, const char *path) {
    void *source = NULL;
    ls_source_info info;
    const ls_source_request request = {.comm = &alone, .seed = 1, .files = &path, .count = 1};
    ls_status status = type->open(&request, &source, &info);
    if (status == LS_OK) type->close(source);
    return status;
}

static ls_status import_idx(const char *path) { return import(&ls_import_idx, path); }
static ls_status import_cifar10(const char *path) { return import(&ls_import_cifar10, path); }

static ls_status read_picture(const char *path) {
    ls_image image;
    ls_status status = ls_image_read(path, 3, 8, 8, INT64_C(512) << 20, &image);
    if (status == LS_OK) ls_image_release(&image);
    return status;
}

static ls_status read_codes(ls_status (*load)(const char *, ls_codes *), const char *path) {
    ls_codes codes = {.shape = {1, {3, 1, 1, 1}}};
    ls_status status = load(path, &codes);
    ls_free(codes.data);
    return status;
}

static ls_status read_npy(const char *path) { return read_codes(ls_codes_load_npy, path); }
static ls_status read_csv(const char *path) { return read_codes(ls_codes_load_csv, path); }

static ls_status read_dataset(const char *path) {
    ls_dataset *dataset;
    ls_status status = ls_dataset_open(&path, 1, &dataset);
    if (status == LS_OK) ls_dataset_close(dataset);
    return status;
}

static ls_status read_checkpoint(const char *path) {
    ls_checkpoint_info info;
    ls_status status = ls_checkpoint_find(&alone, path, &info);
    ls_checkpoint_info_release(&info);
    return status;
}

static const struct door {
    const char *name;
    ls_status (*read)(const char *path);
} doors[] = {{"idx", import_idx}, {"cifar10", import_cifar10}, {"picture", read_picture},      {"npy", read_npy},
             {"csv", read_csv},   {"data set", read_dataset},  {"checkpoint", read_checkpoint}};
enum { DOORS = sizeof doors / sizeof *doors };

/* A pipe that nobody writes to is waited for by who opens it, and /dev/zero is read for ever: the alarm ends the test.
 */
static void what_is_no_file_is_refused_at_once(void **unused) {
    (void)unused;
    const char *fifo = scratch_path("pipe");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    const char *const paths[] = {fifo, "/dev/zero", "/dev/null"};
    for (int i = 0; i < DOORS; i++)
        for (size_t p = 0; p < sizeof paths / sizeof *paths; p++) {
            (void)alarm(60);
            assert_int_equal(doors[i].read(paths[p]), LS_INVALID);
            if (!strstr(ls_failure_get()->message, paths[p]))
                fail_msg("%s: %s does not name %s", doors[i].name, ls_failure_get()->message, paths[p]);
        }
    (void)alarm(0);
    assert_int_equal(unlink(fifo), 0);
}

/* A folder, too; of a checkpoint it is a run's. */
static void folders_are_no_files(void **unused) {
    (void)unused;
    const char *folder = scratch_path("folder");
    assert_int_equal(mkdir(folder, 0700), 0);
    for (int i = 0; i < DOORS; i++) assert_int_equal(doors[i].read(folder), LS_INVALID);
    assert_int_equal(rmdir(folder), 0);
}

/* Nor are those of a run's directory, which somebody else may have sent. */
static void what_is_no_file_in_a_run_is_not_waited_for(void **unused) {
    (void)unused;
    char metrics[LS_PATH_MAX], *text = NULL;
    size_t bytes;
    int64_t epochs;
    const char *run = scratch_path("a-run");
    assert_int_equal(mkdir(run, 0700), 0);
    snprintf(metrics, sizeof metrics, "%s/metrics.jsonl", run);
    assert_int_equal(ls_run_directory_count_epochs(run, &epochs), LS_OK);
    assert_int_equal(epochs, 0);
    assert_int_equal(mkfifo(metrics, 0600), 0);
    (void)alarm(60);
    assert_int_equal(ls_run_directory_count_epochs(run, &epochs), LS_INVALID);
    (void)fclose(fopen(scratch_path("a-run/config.yaml"), "w"));
    FILE *out = open_memstream(&text, &bytes);
    assert_int_equal(ls_inspect_run(run, out), LS_OK);
    fclose(out);
    (void)alarm(0);
    assert_non_null(strstr(text, "none yet"));
    free(text);
    unlink(metrics);
    unlink(scratch_path("a-run/config.yaml"));
    assert_int_equal(rmdir(run), 0);
}

static int64_t peak_bytes(void) {
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (int64_t)usage.ru_maxrss * 1024;
}

/* Refused with this text, and with less memory than was claimed. */
static void refused(ls_status (*read)(const char *), const char *path, const char *text) {
    enum { BYTES_MAX = 64 << 20 };
    const int64_t before = peak_bytes();
    assert_int_equal(read(path), LS_INVALID);
    if (!strstr(ls_failure_get()->message, text)) fail_msg("'%s' has no '%s'", ls_failure_get()->message, text);
    assert_true(peak_bytes() - before < BYTES_MAX);
}

static const char *write_gzip(const char *name, const void *data, unsigned bytes, int64_t zeros) {
    static const char zero[1 << 20];
    const char *path = scratch_path(name);
    gzFile file = gzopen(path, "wb1");
    assert_int_equal(gzwrite(file, data, bytes), bytes);
    for (; zeros > 0; zeros -= (int64_t)sizeof zero) assert_int_equal(gzwrite(file, zero, sizeof zero), sizeof zero);
    assert_int_equal(gzclose(file), Z_OK);
    return path;
}

/* 2^32 - 1 pictures of as many pixels; and some of a size that could be, in a file that is much too short. */
static void claims_of_idx_are_held_against_the_file(void **unused) {
    (void)unused;
    uint8_t head[16] = {0, 0, 8, 3};
    memset(head + 4, 0xFF, 12);
    refused(import_idx, scratch_write("most.idx", head, sizeof head), "its dimensions are too large");
    static const uint8_t gibibytes[16] = {0, 0, 8, 3, 0, 0x10, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0};
    refused(import_idx, scratch_write("gib.idx", gibibytes, 16), "which a file of 16 bytes cannot hold");
    refused(import_idx, write_gzip("gib.idx.gz", gibibytes, 16, 1 << 20), "cannot hold; it is damaged or cut short");
}

/* Deflate makes a gigabyte of a megabyte. */
static void a_bomb_is_not_unpacked(void **unused) {
    (void)unused;
    ls_bytes bytes;
    const char *path = write_gzip("bomb.gz", "", 0, INT64_C(520) << 20);
    assert_int_equal(ls_gzip_read(path, 1000, &bytes), LS_OK); /* asked for little, it takes little */
    assert_int_equal(bytes.count, 1000);
    ls_free(bytes.data);
    assert_int_equal(import_cifar10(path), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "has more than 512 MiB; a batch"));
    unlink(path);
}

/* 10,000 x 8,000 pixels in a file of 60 bytes. */
static void claims_of_pictures_are_held_against_the_file(void **unused) {
    (void)unused;
    static const uint8_t head[] = {0x89, 'P', 'N', 'G',  '\r', '\n', 0x1A, '\n', 0,    0, 0, 13, 'I', 'H', 'D',
                                   'R',  0,   0,   0x27, 0x10, 0,    0,    0x1F, 0x40, 8, 2, 0,  0,   0};
    uint8_t png[64] = {0};
    memcpy(png, head, sizeof head);
    const uint32_t crc = (uint32_t)crc32(0, head + 12, 17);
    for (int i = 0; i < 4; i++) png[29 + i] = (uint8_t)(crc >> (24 - 8 * i));
    memcpy(png + 33, "\0\0\0\0IDAT\x35\xaf\x06\x1e", 12);
    refused(read_picture, scratch_write("large.png", png, sizeof png),
            "8000 x 10000 pixels cannot be in a file of 64 bytes");
}

static void claims_of_npy_are_held_against_the_file(void **unused) {
    (void)unused;
    static const char *const shapes[] = {"(100000000, 3)", "(4611686018427387904, 3)", "(-1, 3)",
                                         "(3, -1)",        "(9223372036854775807, 3)", "(99999999999999999999, 3)"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        char npy[256] = "\x93NUMPY\x01";
        const int length =
            snprintf(npy + 10, sizeof npy - 10, "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }\n", shapes[i]);
        npy[8] = (char)length;
        refused(read_npy, scratch_write("forged.npy", npy, 10 + length + 12), "forged.npy: ");
    }
}

/* Without an end of a line a file of any length would be one. */
static void lines_of_csv_are_no_longer_than_codes(void **unused) {
    (void)unused;
    enum { BYTES = 20 << 20 };
    char *text;
    assert_int_equal(ls_alloc(&text, BYTES, 1, "a test"), LS_OK);
    for (int i = 0; i < BYTES; i++) text[i] = "1,"[i % 2];
    refused(read_csv, scratch_write("long.csv", text, BYTES), "long.csv:1: the line is too long for a code");
    memset(text, ' ', BYTES);
    memset(text, '"', 1);
    refused(read_csv, scratch_write("long.csv", text, BYTES), "long.csv:1: the line is too long for a code");
    ls_free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_file_is_refused_at_once),
        cmocka_unit_test(folders_are_no_files),
        cmocka_unit_test(what_is_no_file_in_a_run_is_not_waited_for),
        cmocka_unit_test(claims_of_idx_are_held_against_the_file),
        cmocka_unit_test(claims_of_pictures_are_held_against_the_file),
        cmocka_unit_test(claims_of_npy_are_held_against_the_file),
        cmocka_unit_test(lines_of_csv_are_no_longer_than_codes),
        cmocka_unit_test(a_bomb_is_not_unpacked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
