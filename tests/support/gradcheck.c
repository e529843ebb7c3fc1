/* gradcheck.c - gradients against central differences over several distances; see gradcheck.h. */
#include "support/gradcheck.h"

#include <math.h>

#include "base/memory.h"
#include "base/rng.h"
#include "tensor/random.h"

typedef struct check {
    ls_model *model;
    ls_pass pass;
    float *weights, *input, *target;
    float *gradient[LS_SUBTREES_MAX];
    int64_t *samples;
    double *row_loss;
} check;

static int64_t input_count(const check *c) {
    ls_shape shape = ls_model_input_shape(c->model);
    return ls_shape_count(&shape);
}

static int64_t output_count(const check *c) {
    ls_shape shape = ls_model_output_shape(c->model);
    return ls_shape_count(&shape);
}

static ls_status allocate(check *c) {
    int64_t rows = c->pass.rows->count, flat = ls_model_flat_count(c->model);
    static const char what[] = "the gradient check";
    LS_TRY(ls_alloc(&c->weights, flat, sizeof(float), what));
    for (int n = 0; n < c->pass.rows->subtrees; n++) LS_TRY(ls_alloc(&c->gradient[n], flat, sizeof(float), what));
    LS_TRY(ls_alloc(&c->input, rows * input_count(c), sizeof(float), what));
    LS_TRY(ls_alloc(&c->target, rows * output_count(c), sizeof(float), what));
    LS_TRY(ls_alloc(&c->samples, rows, sizeof *c->samples, what));
    LS_TRY(ls_alloc(&c->row_loss, rows, sizeof(double), what));
    c->pass.samples = c->samples;
    return LS_OK;
}

static void release(check *c) {
    ls_free(c->weights);
    for (int n = 0; n < c->pass.rows->subtrees; n++) ls_free(c->gradient[n]);
    ls_free(c->input);
    ls_free(c->target);
    ls_free(c->samples);
    ls_free(c->row_loss);
}

static void choose(check *c) {
    int64_t rows = c->pass.rows->count;
    ls_rng rng = ls_rng_stream(c->pass.seed, LS_RNG_TEST, 0, 0);
    ls_random_normal(&rng, 0, rows * input_count(c), c->input);
    ls_random_uniform(&rng, 1, rows * output_count(c), c->target);
    ls_model_init_weights(c->model, c->pass.seed, c->weights);
    for (int64_t row = 0; row < rows; row++) c->samples[row] = row;
}

/* The loss at the present weights, and where backward goes on from. */
static double loss(check *c) {
    ls_model_forward(c->model, &c->pass, c->weights, c->input, -1);
    ls_model_evaluate(c->model, &c->pass, c->weights, c->target, c->row_loss, NULL);
    double sum = 0;
    for (int64_t row = 0; row < c->pass.rows->count; row++) sum += c->row_loss[row];
    return sum / (double)c->pass.rows->global_count;
}

static double analytic(const check *c, int64_t at) {
    double sum = 0;
    for (int n = 0; n < c->pass.rows->subtrees; n++) sum += (double)c->gradient[n][at];
    return sum;
}

static double numeric(check *c, int64_t at, float distance) {
    float here = c->weights[at], up = here + distance, down = here - distance;
    c->weights[at] = up;
    double above = loss(c);
    c->weights[at] = down;
    double below = loss(c);
    c->weights[at] = here;
    return (above - below) / ((double)up - (double)down);
}

static double relative_error(check *c, int64_t at, double floor) {
    static const float distances[] = {0.03f, 0.01f, 0.003f, 0.001f, 0.0003f, 0.0001f};
    double best = HUGE_VAL, a = analytic(c, at);
    for (int i = 0; i < (int)(sizeof distances / sizeof *distances); i++) {
        double n = numeric(c, at, distances[i]);
        best = fmin(best, fabs(a - n) / (fabs(a) + fabs(n) + floor));
    }
    return best;
}

static double largest_gradient(const check *c) {
    double largest = 0;
    for (int64_t i = 0; i < ls_model_trained_count(c->model); i++) largest = fmax(largest, fabs(analytic(c, i)));
    return largest;
}

static double worst_of_param(check *c, const ls_param *param, double floor) {
    enum { CHECKS = 40 };
    double worst = 0;
    int64_t count = ls_shape_count(&param->shape);
    ls_rng rng = ls_rng_stream(c->pass.seed, LS_RNG_TEST, 1, 0);
    for (int64_t i = 0; i < count && i < CHECKS; i++) {
        int64_t at = count <= CHECKS ? i : (int64_t)ls_rng_below(&rng, (uint64_t)(param->offset + i), (uint64_t)count);
        worst = fmax(worst, relative_error(c, param->offset + at, floor));
    }
    return worst;
}

static double compare(check *c) {
    choose(c);
    loss(c);
    ls_model_backward(c->model, &c->pass, c->weights, c->input, c->gradient);
    ls_model_add_weight_penalty(c->model, c->pass.pool, 0, ls_model_flat_count(c->model), c->weights, c->gradient[0]);
    double worst = 0, floor = 0.01 * largest_gradient(c);
    for (int i = 0; i < ls_model_layers(c->model); i++) {
        const ls_layer *layer = ls_model_layer(c->model, i);
        for (int p = 0; p < layer->params; p++)
            if (!layer->param[p].moving) worst = fmax(worst, worst_of_param(c, &layer->param[p], floor));
    }
    return floor > 0 ? worst : HUGE_VAL; /* all gradients zero: there is nothing to compare */
}

ls_status ls_gradient_check(ls_model *model, ls_pool *pool, const ls_rows *rows, uint64_t seed, double *worst) {
    check c = {.model = model, .pass = {.pool = pool, .rows = rows, .training = true, .seed = seed}};
    ls_status status = allocate(&c);
    if (!LS_FAILED(status)) *worst = compare(&c);
    release(&c);
    return status;
}
