/* nets.c - small models, their options and their lanes, in few words; see nets.h. */
#include "support/nets.h"
#include "support/types.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tensor/cpu.h"

void expect_ok(ls_status status) {
    if (status != LS_OK) fail_msg("%s", ls_failure_get()->message);
}

void expect_near(double actual, double expected, double tolerance) {
    if (!(fabs(actual - expected) <= tolerance)) fail_msg("%.9g is not within %g of %.9g", actual, tolerance, expected);
}

ls_pool *start_pool(int threads) {
    ls_isa isa;
    ls_pool *pool;
    expect_ok(ls_cpu_detect(&isa));
    ls_cpu_use(isa);
    expect_ok(ls_pool_create(threads, &pool));
    return pool;
}

static void set_option(const ls_option *table, void *record, char *word) {
    char *value = strchr(word, '='), *rest = NULL;
    assert_non_null(value);
    *value++ = 0;
    const char *texts[LS_LIST_MAX];
    int count = 0;
    bool list = strchr(value, ',') != NULL;
    for (char *text = strtok_r(value, ",", &rest); text; text = strtok_r(NULL, ",", &rest)) texts[count++] = text;
    const ls_option *option = ls_options_find(table, word);
    assert_non_null(option);
    expect_ok(ls_option_set(option, record, texts, count, list));
}

void set_options(const ls_option *table, void *record, const char *text) {
    char words[256], *rest = NULL;
    snprintf(words, sizeof words, "%s", text);
    ls_options_init(table, record);
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        set_option(table, record, word);
    }
}

ls_status try_layer(ls_model *model, const ls_layer_type *type, const char *options, const char *name,
                    const char *const *inputs, int count) {
    _Alignas(16) char record[512];
    assert_true(type->options_bytes <= sizeof record);
    set_options(type->options, record, options);
    return ls_model_add(model, type, record, name, inputs, count);
}

void add_layer(ls_model *model, const char *type, const char *options, const char *name) {
    const ls_layer_type *found = type_named(ls_layer_types, type);
    assert_non_null(found);
    expect_ok(try_layer(model, found, options, name, NULL, 0));
}

ls_model *new_model(ls_shape input) {
    ls_model *model;
    expect_ok(ls_model_create(&input, &model));
    return model;
}

ls_rows make_rows(int lanes, const int64_t *lane_rows, int subtrees, const int *begin) {
    ls_rows rows = {.lanes = lanes, .subtrees = subtrees};
    for (int lane = 0; lane < lanes; lane++) rows.lane_begin[lane + 1] = rows.lane_begin[lane] + lane_rows[lane];
    for (int subtree = 0; subtree <= subtrees; subtree++) rows.subtree_begin[subtree] = begin[subtree];
    rows.count = rows.global_count = rows.lane_begin[lanes];
    return rows;
}

float formula_number(uint32_t stream, uint64_t index) {
    uint64_t z = ((uint64_t)stream << 40) + index + 1;
    z *= 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    z ^= z >> 31;
    return (float)(z >> 40) * 0x1p-24F;
}

void fill_formula(uint32_t stream, float low, float high, int64_t count, float *out) {
    for (int64_t i = 0; i < count; i++) out[i] = low + (high - low) * formula_number(stream, (uint64_t)i);
}
