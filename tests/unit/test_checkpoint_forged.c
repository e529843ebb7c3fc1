/* Checkpoints whose hash is right, and that Lockstep has not written: every number is held against what it can be. */
#include <fcntl.h>
#include <hdf5.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "data/dataset.h"
#include "state/checkpoint_format_internal.h"
#include "store/hdf5.h"
#include "store/seal.h"
#include "support/nets.h"
#include "support/scratch.h"
#include "support/snapshots.h"

static const ls_comm alone = {.size = 1, .host_size = 1};

static const char *write_state(const char *name, uint32_t version) {
    const char *path = scratch_path(name);
    state s = new_state(0, 1, version, true);
    expect_ok(ls_checkpoint_write(&alone, path, &s.snapshot));
    free_state(&s);
    return path;
}

static void seal(const char *path) {
    ls_file sealed = {.fd = open(path, O_RDWR)};
    expect_ok(ls_seal_write(&sealed));
    close(sealed.fd);
}

static void set_attribute(const char *path, const char *name, hid_t type, const void *value) {
    ls_hdf5_lock();
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate(H5S_SCALAR);
    assert_true(file >= 0 && H5Adelete(file, name) >= 0);
    hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(attribute >= 0 && H5Awrite(attribute, type, value) >= 0);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Fclose(file);
    ls_hdf5_unlock();
    seal(path);
}

static void set_text(const char *path, const char *name, const char *text) {
    ls_hdf5_lock();
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, strlen(text) + 1);
    ls_hdf5_unlock();
    set_attribute(path, name, type, text);
    H5Tclose(type);
}

static void expect_refused(const char *path, const char *attribute) {
    ls_checkpoint_info info;
    assert_int_equal(ls_checkpoint_inspect(path, &info), LS_INVALID);
    if (!strstr(ls_failure_get()->message, path) || !strstr(ls_failure_get()->message, attribute))
        fail_msg("%s: %s", attribute, ls_failure_get()->message);
    assert_true(info.whole);
}

static void numbers_out_of_range_are_refused(void **unused) {
    (void)unused;
    static const struct {
        const char *name;
        int64_t value;
    } cases[] = {{"lanes", 0},
                 {"lanes", -8},
                 {"lanes", 3},
                 {"lanes", INT64_C(1) << 32},
                 {"lanes", INT64_MAX},
                 {"classes", -1},
                 {"classes", LS_CLASSES_MAX + 1},
                 {"classes", INT64_C(1) << 32},
                 {"loss_count", -1},
                 {"best_epoch", 4},
                 {"step", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = write_state("a.h5", 7);
        set_attribute(path, cases[i].name, H5T_NATIVE_INT64, &cases[i].value);
        expect_refused(path, cases[i].name);
    }
}

/* Whatever integer there is, at its edges. */
static void every_integer_has_a_range(void **unused) {
    (void)unused;
    for (int f = 0; f < LS_POSITION_FIELDS; f++) {
        const ls_position_field *field = &ls_position_fields[f];
        if (field->type != LS_NUMBER_INT64) continue;
        const int64_t values[] = {field->least - 1, field->most + 1, INT64_MIN, INT64_MAX};
        for (int v = 0; v < 4; v++) {
            const char *path = write_state("a.h5", 7);
            set_attribute(path, field->name, H5T_NATIVE_INT64, &values[v]);
            expect_refused(path, field->name);
        }
    }
}

static void texts_that_cannot_be_are_refused(void **unused) {
    (void)unused;
    static const char *const shapes[] = {"",
                                         "0",
                                         "-3",
                                         "28 x 0",
                                         "1 x 2 x 3 x 4 x 5",
                                         "99999 x 99999",
                                         "999999999 x 999999999 x 999999999 x 999999999",
                                         "28 x 28 x",
                                         "nonsense"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const char *path = write_state("a.h5", 7);
        set_text(path, "sample_shape", shapes[i]);
        expect_refused(path, "sample_shape");
    }
    static const char *const names[] = {
        "element", "isa", "version", "optimizer", "fingerprint", "validation_fingerprint", "sample_shape"};
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = write_state("a.h5", 7);
        set_text(path, names[i], text);
        expect_refused(path, names[i]);
    }
}

/* Who compares names of classes reads as many lines as there are classes. */
static void fewer_names_than_classes_are_refused(void **unused) {
    (void)unused;
    const char *path = scratch_path("a.h5");
    state s = new_state(0, 1, 7, true);
    s.snapshot.class_names = "one\ntwo\nthree\n"; /* of seven */
    expect_ok(ls_checkpoint_write(&alone, path, &s.snapshot));
    expect_refused(path, "class_names");
    free_state(&s);
}

/* --- arrays --- */

/* Puts something in place of an array. */
static void replace_array(const char *path, const char *name, hid_t (*make)(hid_t file, const char *name)) {
    ls_hdf5_lock();
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0 && H5Ldelete(file, name, H5P_DEFAULT) >= 0);
    hid_t made = make(file, name);
    assert_true(made >= 0);
    if (made > 0) H5Dclose(made);
    H5Fclose(file);
    ls_hdf5_unlock();
    seal(path);
}

static hid_t make_set(hid_t file, const char *name, hid_t type, hid_t plan) {
    const hsize_t dim[] = {100};
    hid_t space = H5Screate_simple(1, dim, NULL);
    hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plan, H5P_DEFAULT);
    H5Sclose(space);
    return set;
}

static hid_t link_out(hid_t file, const char *name) {
    return H5Lcreate_external(scratch_path("other.h5"), name, file, name, H5P_DEFAULT, H5P_DEFAULT);
}

static hid_t store_outside(hid_t file, const char *name) {
    hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(plan, "/dev/zero", 0, 400);
    hid_t set = make_set(file, name, H5T_NATIVE_FLOAT, plan);
    H5Pclose(plan);
    return set;
}

static hid_t store_chunks(hid_t file, const char *name) {
    const hsize_t chunk[] = {10};
    hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plan, 1, chunk);
    hid_t set = make_set(file, name, H5T_NATIVE_FLOAT, plan);
    H5Pclose(plan);
    return set;
}

static hid_t store_integers(hid_t file, const char *name) {
    return make_set(file, name, H5T_NATIVE_INT64, H5P_DEFAULT);
}

static void arrays_of_another_kind_are_refused(void **unused) {
    (void)unused;
    hid_t (*const makes[])(hid_t, const char *) = {link_out, store_outside, store_chunks, store_integers};
    static const char name[] = "/weights/code/bias";
    for (size_t i = 0; i < sizeof makes / sizeof *makes; i++) {
        const char *path = write_state("a.h5", 7);
        (void)write_state("other.h5", 8);
        state s = new_state(0, 1, 7, false);
        replace_array(path, name, makes[i]);
        assert_int_equal(ls_checkpoint_read(path, &s.snapshot), LS_INVALID);
        assert_non_null(strstr(ls_failure_get()->message, name));
        free_state(&s);
    }
}

/* Adds float32 zeros to a checkpoint: an array, or in place of one an attribute of its root. */
static void add_zeros(const char *path, bool array, const char *name, int dims, const hsize_t *dim) {
    const float zeros[64] = {0};
    ls_hdf5_lock();
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t space = dims > 0 ? H5Screate_simple(dims, dim, NULL) : H5Screate(H5S_SCALAR);
    assert_true(file >= 0 && H5Sget_simple_extent_npoints(space) <= 64);
    if (array) {
        hid_t set = H5Dcreate2(file, name, H5T_NATIVE_FLOAT, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        assert_true(set >= 0);
        H5Dclose(set);
    } else {
        if (H5Aexists(file, name) > 0) H5Adelete(file, name);
        hid_t attribute = H5Acreate2(file, name, H5T_NATIVE_FLOAT, space, H5P_DEFAULT, H5P_DEFAULT);
        assert_true(attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_FLOAT, zeros) >= 0);
        H5Aclose(attribute);
    }
    H5Sclose(space);
    H5Fclose(file);
    ls_hdf5_unlock();
    seal(path);
}

static void strange_shapes_are_refused(void **unused) {
    (void)unused;
    static const struct {
        int dims;
        hsize_t dim[5];
    } cases[] = {{0, {0}}, {1, {0}}, {2, {3, 0}}, {5, {1, 2, 1, 2, 1}}};
    bool equal;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *a = write_state("a.h5", 7), *b = write_state("b.h5", 7);
        add_zeros(a, true, "/weights/strange", cases[i].dims, cases[i].dim);
        add_zeros(b, true, "/weights/strange", cases[i].dims, cases[i].dim);
        assert_int_equal(ls_checkpoint_diff(a, b, stderr, &equal), LS_INVALID);
        assert_non_null(strstr(ls_failure_get()->message, "/weights/strange"));
    }
}

/* There is memory for one number. */
static void lists_in_place_of_a_number_are_refused(void **unused) {
    (void)unused;
    const char *names[] = {"lanes", "loss_sum", "version"};
    ls_checkpoint_info info;
    for (int i = 0; i < 3; i++) {
        const char *path = write_state("a.h5", 7);
        add_zeros(path, false, names[i], 1, (const hsize_t[]){64});
        assert_int_equal(ls_checkpoint_inspect(path, &info), LS_INVALID);
        assert_non_null(strstr(ls_failure_get()->message, names[i]));
    }
}

/* It is whole: neither damaged, nor passed over for an older one. */
static void another_format_is_no_damage(void **unused) {
    (void)unused;
    const char *run = scratch_path("foreign");
    char folder[LS_PATH_MAX], path[LS_PATH_MAX + 32];
    ls_checkpoint_info info;
    snprintf(folder, sizeof folder, "%s/checkpoints", run);
    snprintf(path, sizeof path, "%s/step-0000000002.h5", folder);
    expect_ok(ls_file_make_directory(folder));
    for (uint32_t step = 1; step <= 2; step++) {
        state s = new_state(0, 1, step, true);
        expect_ok(ls_checkpoint_save(&alone, run, &s.snapshot, 3));
        free_state(&s);
    }
    add_zeros(path, false, "lockstep_format", 0, NULL);
    assert_int_equal(ls_checkpoint_inspect(path, &info), LS_INVALID);
    assert_true(info.whole);
    assert_int_equal(ls_checkpoint_newest(&alone, run, &info), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "another version of Lockstep, in format 0"));
}

int main(void) {
    ls_log_init(1); /* the warnings are not this test's to print */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(every_integer_has_a_range),
        cmocka_unit_test(texts_that_cannot_be_are_refused),
        cmocka_unit_test(fewer_names_than_classes_are_refused),
        cmocka_unit_test(arrays_of_another_kind_are_refused),
        cmocka_unit_test(strange_shapes_are_refused),
        cmocka_unit_test(lists_in_place_of_a_number_are_refused),
        cmocka_unit_test(another_format_is_no_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
