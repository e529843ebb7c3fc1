/* Codes out of files that other programs write, and made ones. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "run/codes.h"
#include "support/nets.h"
#include "support/scratch.h"

static const ls_comm alone = {.size = 1, .host_size = 1};
static const ls_shape pairs = {.dims = 1, .dim = {2}};

static const char *write_npy(const char *name, const char *header, const void *data, int64_t bytes) {
    char file[512] = "\x93NUMPY\x01";
    size_t length = strlen(header);
    file[8] = (char)length;
    memcpy(file + 10, header, length);
    memcpy(file + 10 + length, data, (size_t)bytes);
    return scratch_write(name, file, (int64_t)(10 + length) + bytes);
}

static void expect_codes(const char *path, int64_t count, const float *numbers) {
    ls_code_source source = {.file = path};
    ls_codes codes;
    float all[16];
    expect_ok(ls_codes_open(&alone, &source, &pairs, &codes));
    assert_int_equal(codes.count, count);
    expect_ok(ls_codes_read(&codes, 0, count, all));
    assert_memory_equal(all, numbers, (size_t)(2 * count) * sizeof *all);
    ls_codes_close(&codes);
}

static void expect_refused(const ls_code_source *source, const ls_shape *shape, const char *message) {
    ls_codes codes;
    assert_int_equal(ls_codes_open(&alone, source, shape, &codes), LS_INVALID);
    if (!strstr(ls_failure_get()->message, message)) fail_msg("'%s' is not in: %s", message, ls_failure_get()->message);
    ls_codes_close(&codes);
}

static void expect_bad_file(const char *path, const char *message) {
    expect_refused(&(ls_code_source){.file = path}, &pairs, message);
}

static const float numbers[] = {0.5F, -1, 2, 0.25F, 3, 1e-3F};

static void npy_of_floats_and_doubles(void **state) {
    (void)state;
    double wide[6];
    for (int i = 0; i < 6; i++) wide[i] = (double)numbers[i];
    expect_codes(write_npy("a.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n", numbers, 24), 3,
                 numbers);
    expect_codes(write_npy("b.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 1, 2), }\n", wide, 48), 3,
                 numbers);
}

static void bad_npy_is_refused(void **state) {
    (void)state;
    const char *good = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n";
    expect_bad_file(write_npy("c.npy", good, numbers, 20), "cut short");
    expect_bad_file(write_npy("d.npy", "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 2), }\n", numbers, 24),
                    "must hold float32 or float64");
    expect_bad_file(write_npy("e.npy", "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }\n", numbers, 24),
                    "in C's order");
    expect_bad_file(write_npy("f.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", numbers, 24),
                    "3 numbers a row, but codes are 2");
    expect_bad_file(write_npy("g.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n", numbers, 24),
                    "damaged, or has no codes");
    expect_bad_file(write_npy("h.npy",
                              "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4294967296, 4294967296), }\n",
                              numbers, 24),
                    "damaged, or has no codes");
    expect_bad_file(write_npy("k.npy",
                              "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 2), }\n",
                              numbers, 24),
                    "k.npy: is cut short");
    expect_bad_file(
        write_npy("l.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (20000000000, 2), }\n", numbers, 24),
        "l.npy: is cut short");
    const float nothing[] = {0.5F, -1, 2, NAN, 3, 1e-3F};
    expect_bad_file(write_npy("n.npy", good, nothing, 24), "n.npy: code 1 has a number that is not finite");
    expect_bad_file(scratch_write("i.npy", "hello", 5), "is not an .npy file");
    expect_bad_file(scratch_write("j.txt", "hello", 5), "codes are read from .h5, .npy or .csv");
}

static const char *write_text(const char *name, const char *text) {
    return scratch_write(name, text, (int64_t)strlen(text));
}

static void csv_with_and_without_header(void **state) {
    (void)state;
    expect_codes(write_text("a.csv", "0.5,-1\n2, 0.25\n\n3,1e-3"), 3, numbers);
    expect_codes(write_text("b.csv", "a,b\r\n0.5,-1\r\n2,0.25\r\n3,1e-3\r\n"), 3, numbers);
    expect_codes(write_text("c.csv", "label,x0,x1\n7,0.5,-1\n1,2,0.25\n"), 2, numbers);
    expect_bad_file(write_text("d.csv", "a,b\n0.5,-1,3\n"), "d.csv:2: 3 numbers, but a code has 2");
    expect_bad_file(write_text("e.csv", "0.5,nan\n"), "e.csv:1: 'nan' is not a number");
    expect_bad_file(write_text("g.csv", "a,b\n"), "has no codes");
    expect_bad_file("no such.csv", "no such.csv: cannot be opened");
}

/* pandas' to_csv with and without its index, R's write.csv, and spreadsheets, on several systems. */
static void csv_of_other_programs(void **state) {
    (void)state;
    static const char *const texts[] = {
        "0,1\n0.5,-1.0\n2.0,0.25\n3.0,0.001\n",
        ",0,1\n0,0.5,-1.0\n1,2.0,0.25\n2,3.0,0.001\n",
        ",z0,z1\n0,0.5,-1.0\n1,2.0,0.25\n2,3.0,0.001\n",
        "\"\",\"V1\",\"V2\"\r\n\"1\",0.5,-1\r\n\"2\",2,0.25\r\n\"3\",3,0.001\r\n",
        "\xEF\xBB\xBFz0,z1\n0.5,-1\n2,0.25\n3,0.001\n",
        "\357\273\2770.5,-1\n2,0.25\n3,0.001", /* the mark again, in octal: an escape that ends before a digit */
        "z0;z1\r\n0.5;-1\r\n2;0.25\r\n3;0.001\r\n",
        "0.5\t-1\n2\t0.25\n3\t0.001\n",
        "z0,z1,\n0.5,-1,\n2,0.25,\n3,0.001,\n",
        "z0,z1\r0.5,-1\r2,0.25\r3,0.001\r",
        "name,label,x0,x1\n\"a,\"\"b\"\"\nc.png\",0,\"0.5\",-1\n,1,2,0.25\nd.png,1, 3 , 0.001 \n,,,\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) expect_codes(write_text("p.csv", texts[i]), 3, numbers);
    const float zeros[] = {0, 1, 0, 1};
    expect_codes(write_text("q.csv", "0.0,1.0\n0,1\n"), 2, zeros);
}

static void csv_that_is_none_is_refused(void **state) {
    (void)state;
    expect_bad_file(write_text("r.csv", "z0;z1\n0,5;1,0\n"),
                    "r.csv:2: '0,5' is not a number; numbers are written with");
    expect_bad_file(scratch_write("s.csv",
                                  "\xFF\xFE"
                                  "1\0,\0"
                                  "2\0",
                                  8),
                    "s.csv: is text in UTF-16; save it as UTF-8");
    expect_bad_file(scratch_write("t.csv",
                                  "1\0,\0"
                                  "2\0\n\0",
                                  8),
                    "t.csv:1: here is a zero byte");
    expect_bad_file(write_text("u.csv", "0.5,\n"), "u.csv:1: a number is missing");
    expect_bad_file(write_text("x.csv", "1,2\n,\n3,4\n"), "x.csv:2: a number is missing");
    expect_bad_file(write_text("y.csv", "a,b\n1,2\n\n,\n,\n3,4\n"), "y.csv:4: a number is missing");
    expect_bad_file(write_text("v.csv", "a,b\n0.5,-1\n1,,2\n"), "v.csv:3: a number is missing");
    expect_bad_file(write_text("w.csv", "a,b\n0.5,\"-1\n1,2\n"), "w.csv:2: the quotes are not closed");
    expect_bad_file("/dev/null.csv", "cannot be opened");
}

static void read_made(const ls_code_source *source, int64_t count, float *out) {
    ls_codes codes;
    expect_ok(ls_codes_open(&alone, source, &pairs, &codes));
    assert_int_equal(codes.count, count);
    expect_ok(ls_codes_read(&codes, 0, count, out));
    ls_codes_close(&codes);
}

/* Row by row from the upper left: the first number grows to the right, the second upwards. */
static void grids(void **state) {
    (void)state;
    const float even[] = {-2, 2, 0, 2, 2, 2, -2, -2, 0, -2, 2, -2};
    float grid[12];
    read_made(&(ls_code_source){.rows = 2, .columns = 3, .range = 2}, 6, grid);
    assert_memory_equal(grid, even, sizeof even);
    read_made(&(ls_code_source){.rows = 1, .columns = 3}, 3, grid);
    expect_near((double)grid[0], -1.6448536269514722, 1e-7); /* of N(0, 1): 5 % are below */
    expect_near((double)grid[2], 0, 1e-7);
    expect_near((double)grid[4], 1.6448536269514722, 1e-7);
    expect_near((double)grid[1], 0, 1e-7); /* a single row is in the middle */
    expect_refused(&(ls_code_source){.rows = 2, .columns = 2}, &(ls_shape){.dims = 1, .dim = {3}},
                   "a grid is over codes of two numbers, but these are 3");
}

static void draws_are_normal_and_depend_on_the_seed(void **state) {
    (void)state;
    enum { COUNT = 20000 };
    static float drawn[2 * COUNT], fewer[2 * COUNT];
    double sum = 0, square = 0;
    read_made(&(ls_code_source){.count = COUNT, .seed = 3}, COUNT, drawn);
    for (int i = 0; i < 2 * COUNT; i++) sum += (double)drawn[i], square += (double)drawn[i] * (double)drawn[i];
    expect_near(sum / (2 * COUNT), 0, 0.02); /* four standard deviations */
    expect_near(square / (2 * COUNT), 1, 0.03);
    read_made(&(ls_code_source){.count = 10, .seed = 3}, 10, fewer);
    assert_memory_equal(fewer, drawn, 20 * sizeof *fewer);
    read_made(&(ls_code_source){.count = 10, .seed = 4}, 10, fewer);
    assert_memory_not_equal(fewer, drawn, 20 * sizeof *fewer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy_of_floats_and_doubles),
        cmocka_unit_test(bad_npy_is_refused),
        cmocka_unit_test(csv_with_and_without_header),
        cmocka_unit_test(csv_of_other_programs),
        cmocka_unit_test(csv_that_is_none_is_refused),
        cmocka_unit_test(grids),
        cmocka_unit_test(draws_are_normal_and_depend_on_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
