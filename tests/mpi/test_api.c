/* The library's header on several processes: arguments that differ between them are refused on all, and named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lockstep/lockstep.h"

enum { SAMPLES = 16 };

/* The process that does otherwise: the last one; none where there is one alone. */
static bool odd(void) { return lockstep_rank() == lockstep_size() - 1 && lockstep_size() > 1; }

/* A failed assertion would leave the others waiting, so every process counts its own. */
static int wrong;

static void expect(bool ok, const char *what) {
    if (ok) return;
    wrong++;
    print_error("rank %d: %s: '%s'\n", lockstep_rank(), what, lockstep_message());
}

/* Refused on all processes by this argument's name, where there are several. */
static void expect_named(int status, const char *name) {
    char words[64];
    snprintf(words, sizeof words, ": %s is not the same here as on rank 0", name);
    if (lockstep_size() == 1)
        expect(status == LOCKSTEP_OK, name);
    else
        expect(status == LOCKSTEP_INVALID && strstr(lockstep_message(), words) != NULL, name);
}

static lockstep_model *make(void) {
    lockstep_model *model;
    expect(lockstep_create(1, (int64_t[]){2}, &model) == 0, "create");
    expect(lockstep_add(model, "dense", "units=2") == 0, "add");
    expect(lockstep_compile(model, "sgd", "learning_rate=0.1", "mse") == 0, "compile");
    return model;
}

static void models_are_the_same_on_all(void **unused) {
    (void)unused;
    lockstep_model *model, *other;
    wrong = 0;
    expect_named(lockstep_create(1, (int64_t[]){odd() ? 3 : 2}, &model), "shape");
    lockstep_destroy(model);
    expect(lockstep_create(1, (int64_t[]){2}, &model) == 0, "create");
    expect(lockstep_create(1, (int64_t[]){2}, &other) == 0, "create");
    expect_named(lockstep_add(odd() ? other : model, "dense", "units=2"), "model");
    expect_named(lockstep_add(model, odd() ? "repeat_vector" : "dense", odd() ? "n=2" : "units=2"), "type");
    expect_named(lockstep_add(model, "dense", odd() ? "units=3" : "units=2"), "options");
    /* NULL on one is a failure of all, and so is another function. */
    int status = lockstep_add(model, odd() ? NULL : "dense", "units=2");
    if (lockstep_size() > 1) expect(status == 2 && strstr(lockstep_message(), "type is NULL") != NULL, "NULL");
    status = odd() ? lockstep_compile(model, "sgd", "", "mse") : lockstep_add(model, "dense", "units=2");
    if (lockstep_size() > 1)
        expect(status == 2 && strstr(lockstep_message(), "lockstep_compile is called here, but lockstep_add") != NULL,
               "function");
    if (lockstep_size() > 1) expect(lockstep_add(model, "dense", "units=2") == 0, "nothing was added before");
    expect_named(lockstep_compile(model, odd() ? "adam" : "sgd", "", "mse"), "optimizer");
    lockstep_destroy(other);
    lockstep_destroy(model);
    assert_int_equal(wrong, 0);
}

static void fits_are_the_same_on_all(void **unused) {
    (void)unused;
    float x[SAMPLES][2] = {{0}}, y[SAMPLES][2] = {{1}};
    lockstep_arrays data = {.count = SAMPLES, .x = x[0], .y = y[0]}, other_data = data;
    lockstep_fit_options options = {.epochs = 1, .batch_size = 8}, other;
    lockstep_model *model = make();
    wrong = 0;
#define EXPECT_NAMED(name, change)                                                                                     \
    do {                                                                                                               \
        other = options;                                                                                               \
        other_data = data;                                                                                             \
        if (odd()) change;                                                                                             \
        expect_named(lockstep_fit(model, &other_data, &other), name);                                                  \
    } while (0)
    EXPECT_NAMED("epochs", other.epochs = 2);
    EXPECT_NAMED("batch_size", other.batch_size = 4);
    EXPECT_NAMED("validation_split", other.validation_split = 0.5);
    EXPECT_NAMED("lanes", other.lanes = 16);
    EXPECT_NAMED("seed", other.seed = 1);
    EXPECT_NAMED("patience", other.patience = 1);
    EXPECT_NAMED("count", other_data.count = SAMPLES / 2);
    EXPECT_NAMED("y", other_data.y = NULL);
    x[SAMPLES - 1][1] = odd() ? 2 : 1;
    EXPECT_NAMED("x", (void)0);
    x[SAMPLES - 1][1] = 1;
    expect(lockstep_fit(model, &data, &options) == 0, "the same on all");
    lockstep_destroy(model);
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(models_are_the_same_on_all),
                                       cmocka_unit_test(fits_are_the_same_on_all)};
    if (lockstep_init(&argc, &argv) != 0) return 1;
    int failed = cmocka_run_group_tests_name("api", tests, NULL, NULL);
    int size = lockstep_size();
    lockstep_finalize();
    /* MPI starts once in a process, whoever starts it. */
    if (size > 1 && (lockstep_init(&argc, &argv) != LOCKSTEP_INVALID || strstr(lockstep_message(), "MPI") == NULL))
        failed++;
    return failed;
}
