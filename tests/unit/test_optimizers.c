/* Optimizers against the formulas in double, at the ends of the range of numbers, and cut anywhere. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "optim/optimizer.h"
#include "support/nets.h"
#include "support/types.h"

enum { COUNT = 1237, STEPS = 9 };

typedef struct vectors {
    float gradient[COUNT], weight[COUNT], slot[LS_SLOTS_MAX][COUNT];
} vectors;

static void begin(vectors *v) {
    memset(v, 0, sizeof *v);
    fill_formula(1, -1, 1, COUNT, v->weight);
}

/* Some gradients are always zero, as those of a picture's black edge are. */
static void next_gradient(vectors *v, int step) {
    fill_formula((uint32_t)(100 + step), -1, 1, COUNT, v->gradient);
    for (int i = 0; i < COUNT; i += 7) v->gradient[i] = 0;
}

static void update_range(const ls_optimizer_type *type, const void *options, int step, vectors *v, int from, int to) {
    ls_update update = {.count = to - from, .gradient = v->gradient + from, .weight = v->weight + from};
    for (int s = 0; s < type->slots; s++) update.slot[s] = v->slot[s] + from;
    type->update(options, step, ls_optimizer_learning_rate(type, options), &update);
}

static void run(const ls_optimizer_type *type, const void *options, const int *cuts, vectors *v) {
    begin(v);
    for (int step = 1; step <= STEPS; step++) {
        next_gradient(v, step);
        for (int from = 0, i = 0; from < COUNT; i++) {
            int to = cuts[i] ? cuts[i] : COUNT;
            update_range(type, options, step, v, from, to);
            from = to;
        }
    }
}

/* One number's life in double, by Keras' formulas. */
typedef struct life {
    double w, a, b;
} life;

static void sgd(life *x, double g, int step) {
    (void)step;
    x->a = 0.9 * x->a - 0.05 * g;
    x->w += 0.9 * x->a - 0.05 * g;
}

static void adam(life *x, double g, int step) {
    x->a = 0.8 * x->a + 0.2 * g;
    x->b = 0.99 * x->b + 0.01 * g * g;
    x->w -= 0.01 * sqrt(1 - pow(0.99, step)) / (1 - pow(0.8, step)) * x->a / (sqrt(x->b) + 1e-7);
}

static void adadelta(life *x, double g, int step) {
    (void)step;
    x->a = 0.95 * x->a + 0.05 * g * g;
    double d = g * sqrt(x->b + 1e-7) / sqrt(x->a + 1e-7);
    x->b = 0.95 * x->b + 0.05 * d * d;
    x->w -= d;
}

static void rmsprop(life *x, double g, int step) {
    (void)step;
    x->a = 0.9 * x->a + 0.1 * g * g;
    x->b = 0.5 * x->b + 0.001 * g / sqrt(x->a + 1e-7);
    x->w -= x->b;
}

static const struct {
    const char *name, *options;
    void (*live)(life *, double, int);
} cases[] = {
    {"sgd", "learning_rate=0.05 momentum=0.9 nesterov=true", sgd},
    {"adam", "learning_rate=0.01 beta_1=0.8 beta_2=0.99", adam},
    {"adadelta", "learning_rate=1", adadelta},
    {"rmsprop", "momentum=0.5", rmsprop},
};

static void test_formulas(void **state) {
    (void)state;
    static vectors v;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        _Alignas(16) char options[128];
        const ls_optimizer_type *type = type_named(ls_optimizer_types, cases[c].name);
        set_options(type->options, options, cases[c].options);
        run(type, options, (const int[]){0}, &v);
        for (int i = 0; i < COUNT; i++) {
            life x = {.w = (double)(2 * formula_number(1, (uint64_t)i) - 1)};
            for (int step = 1; step <= STEPS; step++) {
                double g = (double)(2 * formula_number((uint32_t)(100 + step), (uint64_t)i) - 1);
                cases[c].live(&x, i % 7 ? g : 0, step);
            }
            if (!(fabs((double)v.weight[i] - x.w) < 1e-6)) {
                fail_msg("%s: weight %d is %.9g, not %.9g", cases[c].name, i, (double)v.weight[i], x.w);
            }
        }
    }
}

/* Every optimizer of the table, cut at odd places: not a bit may differ. */
static void test_cut_anywhere(void **state) {
    (void)state;
    static vectors whole, cut;
    for (const ls_optimizer_type *const *type = ls_optimizer_types; *type; type++) {
        _Alignas(16) char options[128];
        assert_true((*type)->options_bytes <= sizeof options);
        set_options((*type)->options, options, ls_options_find((*type)->options, "momentum") ? "momentum=0.9" : "");
        run(*type, options, (const int[]){0}, &whole);
        run(*type, options, (const int[]){1, 2, 5, 20, 21, 84, 116, 117, 700, 1001, 1236, 0}, &cut);
        assert_memory_equal(&whole, &cut, sizeof whole);
    }
}

static void test_threads_change_nothing(void **state) {
    (void)state;
    enum { MANY = 40000 };
    float *weight[3], *gradient = malloc(MANY * sizeof(float));
    fill_formula(5, -1, 1, MANY, gradient);
    _Alignas(16) char options[128];
    const ls_optimizer_type *type = type_named(ls_optimizer_types, "adam");
    set_options(type->options, options, "");
    for (int threads = 1; threads <= 3; threads++) {
        ls_pool *pool;
        expect_ok(ls_pool_create(threads, &pool));
        weight[threads - 1] = calloc(MANY, sizeof(float));
        float *slots = calloc(2 * MANY, sizeof(float));
        ls_update update = {MANY, gradient, weight[threads - 1], {slots, slots + MANY}};
        assert_true(ls_optimizer_apply(type, pool, options, 1, 0.001, &update));
        ls_pool_destroy(pool);
        free(slots);
    }
    for (int t = 0; t < 3; t++) assert_memory_equal(weight[t], weight[0], MANY * sizeof(float));
    for (int t = 0; t < 3; t++) free(weight[t]);
    free(gradient);
}

/* A weight that is not finite is noticed wherever it stands. */
static void test_not_finite(void **state) {
    (void)state;
    enum { MANY = 40000 };
    float *gradient = calloc(MANY, sizeof(float)), *weight = calloc(MANY, sizeof(float));
    float *slot = calloc(MANY, sizeof(float));
    _Alignas(16) char options[128];
    const ls_optimizer_type *type = type_named(ls_optimizer_types, "sgd");
    set_options(type->options, options, "");
    ls_pool *pool;
    expect_ok(ls_pool_create(2, &pool));
    ls_update update = {MANY, gradient, weight, {slot}};
    for (int at = 0; at < MANY; at += 13333) {
        assert_true(ls_optimizer_apply(type, pool, options, 1, 0.001, &update));
        weight[at] = INFINITY;
        assert_false(ls_optimizer_apply(type, pool, options, 1, 0.001, &update));
        weight[at] = 0;
    }
    ls_pool_destroy(pool);
    free(gradient);
    free(weight);
    free(slot);
}

/* Where nothing was ever learnt nothing moves: the gaps between weight arrays stay zero. */
static void test_zero_stays_zero(void **state) {
    (void)state;
    static const float zero[16];
    for (const ls_optimizer_type *const *type = ls_optimizer_types; *type; type++) {
        _Alignas(16) char options[128];
        float weight[16] = {0}, slots[LS_SLOTS_MAX][16] = {{0}};
        set_options((*type)->options, options, "");
        ls_update update = {16, zero, weight, {slots[0], slots[1], slots[2]}};
        for (int step = 1; step < 4; step++) (*type)->update(options, step, 1, &update);
        assert_memory_equal(weight, zero, sizeof weight);
        assert_memory_equal(slots[0], zero, sizeof zero);
    }
}

/* After the last gradient a slot decays; it must end at zero and not among the denormal numbers. */
static void test_slots_decay_to_zero(void **state) {
    (void)state;
    for (const ls_optimizer_type *const *type = ls_optimizer_types; *type; type++) {
        _Alignas(16) char options[128];
        float gradient = 0.5F, weight = 1, slots[LS_SLOTS_MAX] = {0};
        set_options((*type)->options, options, ls_options_find((*type)->options, "momentum") ? "momentum=0.9" : "");
        ls_update update = {1, &gradient, &weight, {&slots[0], &slots[1], &slots[2]}};
        for (int step = 1; step < 100000; step++) {
            (*type)->update(options, step, 0.01, &update);
            gradient = 0;
            for (int s = 0; s < LS_SLOTS_MAX; s++) assert_int_not_equal(fpclassify(slots[s]), FP_SUBNORMAL);
        }
        assert_true(slots[0] == 0 && slots[1] == 0);
        assert_true(isfinite(weight));
    }
}

static void test_defaults_are_keras(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double learning_rate;
    } defaults[] = {{"sgd", 0.01}, {"adam", 0.001}, {"adadelta", 0.001}, {"rmsprop", 0.001}};
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        _Alignas(16) char options[128];
        const ls_optimizer_type *type = type_named(ls_optimizer_types, defaults[i].name);
        set_options(type->options, options, "");
        assert_true(ls_optimizer_learning_rate(type, options) == defaults[i].learning_rate);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formulas),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_zero_stays_zero),
        cmocka_unit_test(test_slots_decay_to_zero),
        cmocka_unit_test(test_defaults_are_keras),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
