/* Imports by any number of ranks: equal contents, and failures of one rank that end all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rng.h"
#include "data/importer.h"
#include "support/ranks.h"
#include "support/scratch.h"
#include "support/types.h"

/* A source of which every third sample fails, or all, or all but a few, or one in another way. */
enum { SAMPLES = 3000, VALUES = 7, CLASSES = 5 };
typedef struct plan {
    int64_t every, broken; /* samples that fail: multiples of `every`; with LS_ERROR: this one */
    int64_t good;          /* where it is not 0, only its multiples do not fail */
} plan;

static bool fails(plan p, int64_t index) {
    return (p.every && index % p.every == 0) || (p.good && index % p.good != 0);
}

static ls_status open_plan(const ls_source_request *request, void **source, ls_source_info *info) {
    *source = NULL;
    if (request->count == 1 && ranks.rank == ranks.size - 1) return LS_RAISE(LS_INVALID, "no such thing");
    *info =
        (ls_source_info){.count = SAMPLES, .shape = {1, {VALUES}}, .labelled = true, .named = true, .classes = CLASSES};
    return LS_OK;
}

static plan the_plan;

static uint8_t value_of(int64_t index, int64_t at) { return (uint8_t)(index * 31 + at); }

static ls_status sample_plan(void *source, int64_t index, void *data, int32_t *label, const char **name) {
    (void)source;
    if (index == the_plan.broken) return LS_RAISE(LS_ERROR, "sample %d is broken", (int)index);
    if (fails(the_plan, index)) return LS_RAISE(LS_INVALID, "sample %d fails", (int)index);
    for (int64_t i = 0; i < VALUES; i++) ((uint8_t *)data)[i] = value_of(index, i);
    *label = (int32_t)(index % CLASSES);
    *name = "a name";
    return LS_OK;
}

static void close_plan(void *source) { (void)source; }

static const ls_option no_options[] = {LS_OPTIONS_END};
static const ls_importer_type planned = {"planned", false,     "",          "",         no_options,
                                         0,         open_plan, sample_plan, close_plan, NULL};

/* Runs it; what it prints goes to a file, of which rank 0 counts the lines that name a skipped sample. */
typedef struct outcome {
    ls_status status;
    ls_import_result result;
    int64_t lines, deep; /* that name a skipped sample; that warn of 16 bits */
} outcome;

static ls_import_settings settings;

static int64_t count_lines(const char *path, const char *text) {
    char line[4096];
    int64_t lines = 0;
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) lines += strstr(line, text) != NULL;
    if (file) fclose(file);
    return lines;
}

static outcome import_quietly(const ls_importer_type *type, const void *options, const char *const *files, int count) {
    char name[32];
    snprintf(name, sizeof name, "stderr-%d", ranks.rank);
    const char *path = scratch_path(name);
    outcome out = {0};
    ls_log_init(ranks.rank); /* only rank 0 prints */
    ls_pool *pool;
    assert_on_all_ranks(ls_pool_create(1 + ranks.rank % 3, &pool) == LS_OK);
    fflush(stderr);
    const int kept = dup(STDERR_FILENO), file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0666);
    dup2(file, STDERR_FILENO);
    out.status = ls_import_run(&ranks, pool, type, options, files, count, &settings, &out.result);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(file);
    close(kept);
    ls_pool_destroy(pool);
    out.lines = ls_comm_sum(&ranks, count_lines(path, ": skipped"));
    out.deep = ls_comm_sum(&ranks, count_lines(path, "have 16 bits for each value, of which 8 are kept"));
    return out;
}

static outcome import_planned(plan p) {
    the_plan = p;
    return import_quietly(&planned, NULL, NULL, 0);
}

static void reset(const char *name) {
    ls_options_init(ls_import_options, &settings);
    settings.overwrite = true;
    snprintf(settings.output, sizeof settings.output, "%s", scratch_path(name));
    if (ranks.rank == 0) remove(settings.output);
    ls_comm_barrier(&ranks);
}

/* The samples that are good, in the order of the one shuffle, `limit` at most: worked out here, on one rank. *seen: how
 * many were looked at. */
static int64_t expected_order(plan p, int64_t limit, int64_t *order, int64_t *seen) {
    int64_t all[SAMPLES], kept = 0;
    for (int64_t i = 0; i < SAMPLES; i++) all[i] = i;
    const ls_rng rng = ls_rng_stream((uint64_t)settings.seed, LS_RNG_IMPORT, 0, 0);
    ls_rng_shuffle(&rng, 0, SAMPLES, all);
    for (*seen = 0; *seen < SAMPLES && kept < limit; ++*seen)
        if (!fails(p, all[*seen])) order[kept++] = all[*seen];
    return kept;
}

static bool holds(const int64_t *order, int64_t count) {
    static uint8_t data[SAMPLES][VALUES];
    static int32_t labels[SAMPLES];
    ls_dataset *dataset;
    if (ls_dataset_open(&(const char *){settings.output}, 1, &dataset) != LS_OK) return false;
    bool ok = ls_dataset_get_info(dataset)->count == count && ls_dataset_read(dataset, 0, count, data, labels) == LS_OK;
    for (int64_t i = 0; ok && i < count; i++) {
        ok = labels[i] == order[i] % CLASSES;
        for (int64_t k = 0; k < VALUES; k++) ok = ok && data[i][k] == value_of(order[i], k);
    }
    ls_dataset_close(dataset);
    return ok;
}

static void test_contents_do_not_depend_on_ranks(void **state) {
    (void)state;
    const struct {
        plan plan;
        int64_t limit;
    } cases[] = {{{0, -1, 0}, 57},   {{2, -1, 0}, 0},    {{3, -1, 0}, 999},
                 {{3, -1, 0}, 2500}, {{0, -1, 1000}, 1}, {{0, -1, 100}, 30}};
    static int64_t order[SAMPLES];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        reset("planned.h5");
        settings.limit = cases[i].limit;
        int64_t seen;
        const int64_t limit = settings.limit ? settings.limit : SAMPLES;
        const int64_t count = expected_order(cases[i].plan, limit, order, &seen);
        const outcome out = import_planned(cases[i].plan);
        assert_on_all_ranks(out.status == LS_OK);
        assert_on_all_ranks(out.result.written == count && out.result.skipped == seen - count);
        assert_on_all_ranks(out.lines == out.result.skipped);
        assert_on_all_ranks(holds(order, count));
    }
}

enum { MANY = 21841 /* as ImageNet has */, NAME_BYTES = 100 };

static ls_status open_many(const ls_source_request *request, void **source, ls_source_info *info) {
    static char text[MANY][NAME_BYTES + 1];
    static const char *names[MANY];
    (void)request;
    *source = NULL;
    for (int i = 0; i < MANY; i++) {
        snprintf(text[i], sizeof text[i], "%0*d", NAME_BYTES, i);
        names[i] = text[i];
    }
    memcpy(text[MANY - 1], "caf\xE9", 5);
    *info = (ls_source_info){.count = SAMPLES,
                             .shape = {1, {VALUES}},
                             .labelled = true,
                             .named = true,
                             .classes = MANY,
                             .class_names = names};
    return LS_OK;
}

/* Their names are megabytes of an attribute, written by all ranks; what is not UTF-8 is replaced. */
static void test_many_classes(void **state) {
    (void)state;
    const ls_importer_type many = {"many", false, "", "", no_options, 0, open_many, sample_plan, close_plan, NULL};
    reset("many.h5");
    the_plan = (plan){0, -1, 0};
    assert_on_all_ranks(import_quietly(&many, NULL, NULL, 0).status == LS_OK);
    ls_dataset *dataset;
    assert_on_all_ranks(ls_dataset_open(&(const char *){settings.output}, 1, &dataset) == LS_OK);
    char expected[NAME_BYTES + 1];
    bool same = ls_dataset_get_info(dataset)->classes == MANY;
    for (int i = 0; i < MANY - 1 && same; i++) {
        snprintf(expected, sizeof expected, "%0*d", NAME_BYTES, i);
        same = strcmp(ls_dataset_class_name(dataset, i), expected) == 0;
    }
    assert_on_all_ranks(same && strcmp(ls_dataset_class_name(dataset, MANY - 1), "caf\xEF\xBF\xBD") == 0);
    ls_dataset_close(dataset);
}

static void test_an_output_that_is_there(void **state) {
    (void)state;
    reset("there.h5");
    const plan p = {0, -1, 0};
    assert_on_all_ranks(import_planned(p).status == LS_OK);
    settings.overwrite = false;
    assert_on_all_ranks(import_planned(p).status == LS_INVALID && strstr(ls_failure_get()->message, "exists already"));
    settings.overwrite = true;
    assert_on_all_ranks(import_planned(p).status == LS_OK);
    snprintf(settings.output, sizeof settings.output, "%s", scratch_path("nowhere/there.h5"));
    assert_on_all_ranks(import_planned(p).status == LS_INVALID && strstr(ls_failure_get()->message, "does not exist"));
}

static int64_t gathers;

/* In place of MPI's own, to count rounds: there are some in each. */
int MPI_Allgather(const void *mine, int count, MPI_Datatype type, void *all, int all_count, MPI_Datatype all_type,
                  MPI_Comm comm) {
    gathers++;
    return PMPI_Allgather(mine, count, type, all, all_count, all_type, comm);
}

/* Where one more sample is wanted, those that fail are not tried one by one. */
static void test_few_rounds_where_many_fail(void **state) {
    (void)state;
    const plan p = {0, -1, 1000};
    static int64_t order[SAMPLES];
    int64_t seen;
    reset("few.h5");
    settings.limit = SAMPLES / p.good;
    (void)expected_order(p, settings.limit, order, &seen);
    gathers = 0;
    assert_on_all_ranks(import_planned(p).status == LS_OK);
    assert_on_all_ranks(seen > 100 && gathers < seen / 4);
}

static void test_strict_names_the_first_failure(void **state) {
    (void)state;
    const plan p = {100, -1, 0};
    reset("strict.h5");
    settings.strict = true;
    const outcome out = import_planned(p);
    int64_t all[SAMPLES], first = 0;
    for (int64_t i = 0; i < SAMPLES; i++) all[i] = i;
    const ls_rng rng = ls_rng_stream((uint64_t)settings.seed, LS_RNG_IMPORT, 0, 0);
    ls_rng_shuffle(&rng, 0, SAMPLES, all);
    while (all[first] % p.every) first++;
    char message[64];
    snprintf(message, sizeof message, "sample %d fails", (int)all[first]);
    assert_on_all_ranks(out.status == LS_INVALID && strstr(ls_failure_get()->message, message));
    assert_on_all_ranks(out.lines == 0 && access(settings.output, F_OK) != 0);
}

static void test_a_failure_of_one_rank_ends_all(void **state) {
    (void)state;
    reset("broken.h5");
    outcome out = import_planned((plan){3, 1234, 0});
    assert_on_all_ranks(out.status == LS_ERROR && strstr(ls_failure_get()->message, "sample 1234 is broken"));
    assert_on_all_ranks(access(settings.output, F_OK) != 0);
    out = import_quietly(&planned, NULL, (const char *const[]){"file"}, 1);
    assert_on_all_ranks(out.status == LS_INVALID && strstr(ls_failure_get()->message, "no such thing"));
}

static void test_nothing_to_write(void **state) {
    (void)state;
    reset("nothing.h5");
    const outcome out = import_planned((plan){1, -1, 0});
    assert_on_all_ranks(out.status == LS_INVALID && strstr(ls_failure_get()->message, "none of the 3000"));
    assert_on_all_ranks(access(settings.output, F_OK) != 0);
}

static void set_option(const ls_importer_type *type, void *record, const char *name, const char *value) {
    assert_on_all_ranks(ls_option_set(ls_options_find(type->options, name), record, &value, 1, false) == LS_OK);
}

/* Every sample in its place, drawn again here with the same seed. */
static bool holds_digits(const ls_importer_type *digits, const void *options) {
    static int64_t order[SAMPLES];
    static uint8_t data[SAMPLES][28 * 28], again[28 * 28];
    static int32_t labels[SAMPLES], label;
    for (int64_t i = 0; i < SAMPLES; i++) order[i] = i;
    const ls_rng rng = ls_rng_stream((uint64_t)settings.seed, LS_RNG_IMPORT, 0, 0);
    ls_rng_shuffle(&rng, 0, SAMPLES, order);
    void *source;
    ls_source_info info;
    const char *name;
    ls_dataset *dataset;
    if (ls_dataset_open(&(const char *){settings.output}, 1, &dataset) != LS_OK) return false;
    bool ok = ls_dataset_read(dataset, 0, SAMPLES, data, labels) == LS_OK;
    ls_dataset_close(dataset);
    const ls_source_request request = {.comm = &ranks, .options = options, .seed = (uint64_t)settings.seed};
    if (digits->open(&request, &source, &info) != LS_OK) return false;
    for (int64_t i = 0; ok && i < SAMPLES; i++) {
        ok = digits->sample(source, order[i], again, &label, &name) == LS_OK && label == labels[i];
        ok = ok && memcmp(again, data[i], sizeof again) == 0;
    }
    digits->close(source);
    return ok;
}

static void test_generated_samples(void **state) {
    (void)state;
    char options[16384];
    const ls_importer_type *digits = type_named(ls_importer_types, "digits");
    ls_options_init(digits->options, options);
    set_option(digits, options, "count", "3000");
    reset("digits.h5");
    settings.seed = 5;
    const outcome out = import_quietly(digits, options, NULL, 0);
    assert_on_all_ranks(out.status == LS_OK && out.result.info.count == SAMPLES && out.result.info.classes == 10);
    assert_on_all_ranks(holds_digits(digits, options));
}

/* On several nodes the same path may lead to other files, of which there may be as many. */
static void test_ranks_that_see_different_files(void **state) {
    (void)state;
    const ls_importer_type *idx = type_named(ls_importer_types, "idx");
    uint8_t file[] = {0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 1, 10, 20, 30};
    char name[32];
    snprintf(name, sizeof name, "rank-%d.idx", ranks.rank);
    reset("different.h5");
    const char *path = scratch_write(name, file, sizeof file);
    outcome out = import_quietly(idx, NULL, &path, 1);
    assert_on_all_ranks(out.status == LS_OK && out.result.info.count == 3 && out.result.info.classes == 0);
    if (ranks.size == 1) return;
    if (ranks.rank == ranks.size - 1) file[14] = 31;
    path = scratch_write(name, file, sizeof file);
    out = import_quietly(idx, NULL, &path, 1);
    assert_on_all_ranks(out.status == LS_INVALID && strstr(ls_failure_get()->message, "not the same ones"));
}

/* Rank 0 lists the files, and the others find out that they do not see them. */
static void test_ranks_that_see_different_pictures(void **state) {
    (void)state;
    const ls_importer_type *images = type_named(ls_importer_types, "images");
    const uint8_t magic[] = {0xFF, 0xD8, 0xFF, 0xE0};
    char options[16384], folder[32], name[64], before[4096];
    snprintf(folder, sizeof folder, "rank-%d", ranks.rank);
    (void)mkdir(scratch_path(folder), 0777);
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "%s/%s-%d.jpg", folder, ranks.rank == ranks.size - 1 ? "b" : "a", i);
        (void)scratch_write(name, magic, sizeof magic);
    }
    ls_options_init(images->options, options);
    set_option(images, options, "size", "8x8");
    reset("pictures.h5");
    assert_on_all_ranks(getcwd(before, sizeof before) && chdir(scratch_path(folder)) == 0);
    const outcome out = import_quietly(images, options, &(const char *){"."}, 1);
    assert_on_all_ranks(chdir(before) == 0);
    const char *reason = ranks.size == 1 ? "none of the 8" : "all ranks must see the same files";
    assert_on_all_ranks(out.status == LS_INVALID && strstr(ls_failure_get()->message, reason));
}

/* Real pictures, a fifth of which cannot be read, of many sizes. */
static void test_odd_images(void **state) {
    (void)state;
    const char *folder = "../shared/data/odd-images";
    if (ls_comm_max(&ranks, access(folder, R_OK) != 0)) skip();
    char options[16384];
    const ls_importer_type *images = type_named(ls_importer_types, "images");
    ls_options_init(images->options, options);
    set_option(images, options, "size", "80x80");
    reset("odd.h5");
    const outcome out = import_quietly(images, options, &folder, 1);
    assert_on_all_ranks(out.status == LS_OK && out.result.written == 224 && out.result.skipped == 42 &&
                        out.lines == 42 && out.deep == 1);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contents_do_not_depend_on_ranks),
        cmocka_unit_test(test_many_classes),
        cmocka_unit_test(test_an_output_that_is_there),
        cmocka_unit_test(test_few_rounds_where_many_fail),
        cmocka_unit_test(test_strict_names_the_first_failure),
        cmocka_unit_test(test_a_failure_of_one_rank_ends_all),
        cmocka_unit_test(test_nothing_to_write),
        cmocka_unit_test(test_generated_samples),
        cmocka_unit_test(test_ranks_that_see_different_files),
        cmocka_unit_test(test_ranks_that_see_different_pictures),
        cmocka_unit_test(test_odd_images),
    };
    return run_on_ranks(argc, argv, "import", tests, sizeof tests / sizeof *tests);
}
