/* model_debug.c - calls of layers with their contract checked.
 *
 * What a layer only writes is filled with a NaN of our own first: where it is found again nothing has been written.
 * What it only reads must have the same checksum afterwards. All numbers must be finite, and those that go in are
 * looked at first, so that the layer that is named is where it began. */
#include "nn/model_debug_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const uint32_t unwritten_bits = 0x7fc0dead;

typedef struct call {
    const ls_model *model;
    const ls_layer *layer;
    const ls_pass *pass;
    const ls_layer_io *io;
    const char *direction;
} call;

static int64_t numbers(const call *c, const ls_shape *shape) { return c->pass->rows->count * ls_shape_count(shape); }

static void complain(const call *c, const char *what, const char *wrong, int64_t at, int64_t width) {
    LS_RAISE(LS_ERROR, "layer %s (%s), %s: %s %s, at number %" PRId64 " of row %" PRId64, c->layer->name,
             c->layer->type->name, c->direction, what, wrong, at % width, at / width);
    c->model->broken(c->model->broken_context);
}

/* --- filling and looking --- */

static void fill(int64_t count, float *data) {
    for (int64_t i = 0; i < count; i++) memcpy(data + i, &unwritten_bits, sizeof *data);
}

static bool is_unwritten(float number) { return memcmp(&number, &unwritten_bits, sizeof number) == 0; }

/* The first number that is not finite. width: of a row. */
static void look(const call *c, const char *what, int64_t count, int64_t width, const float *data) {
    for (int64_t i = 0; i < count; i++) {
        if (isfinite(data[i])) continue;
        complain(c, what, is_unwritten(data[i]) ? "was not written" : "is not finite", i, width);
        return;
    }
}

static void look_at_rows(const call *c, const char *what, const ls_shape *shape, const float *data) {
    look(c, what, numbers(c, shape), ls_shape_count(shape), data);
}

/* FNV-1a over words: every single change shows. */
static uint64_t checksum(uint64_t sum, int64_t count, const float *data) {
    for (int64_t i = 0; i < count; i++) {
        uint32_t word;
        memcpy(&word, data + i, sizeof word);
        sum = (sum ^ word) * UINT64_C(0x100000001b3);
    }
    return sum;
}

/* --- what goes in --- */

static uint64_t input_checksum(const call *c, bool with_output) {
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (int k = 0; k < c->layer->inputs; k++) sum = checksum(sum, numbers(c, &c->layer->in[k]), c->io->x[k]);
    for (int p = 0; p < c->layer->params; p++)
        sum = checksum(sum, ls_shape_count(&c->layer->param[p].shape), c->io->param[p]);
    return with_output ? checksum(sum, numbers(c, &c->layer->out), c->io->y) : sum;
}

static void look_at_inputs(const call *c) {
    for (int k = 0; k < c->layer->inputs; k++) look_at_rows(c, "its input", &c->layer->in[k], c->io->x[k]);
    for (int p = 0; p < c->layer->params; p++) {
        int64_t count = ls_shape_count(&c->layer->param[p].shape);
        look(c, c->layer->param[p].name, count, count, c->io->param[p]);
    }
}

static void expect_unchanged(const call *c, uint64_t before, bool with_output) {
    if (input_checksum(c, with_output) != before) complain(c, "what it may only read", "was written to", 0, 1);
}

/* --- the calls --- */

void ls_model_debug(ls_model *model, void (*broken)(void *context), void *context) {
    model->broken = broken;
    model->broken_context = context;
}

void ls_debug_forward(const ls_model *model, const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    call c = {.model = model, .layer = layer, .pass = pass, .io = io, .direction = "forward"};
    look_at_inputs(&c);
    uint64_t before = input_checksum(&c, false);
    fill(numbers(&c, &layer->out), io->y);
    fill(layer->kept_floats, io->kept);
    fill(layer->scratch_floats, pass->scratch);
    layer->type->forward(layer, pass, io);
    expect_unchanged(&c, before, false);
    look_at_rows(&c, "its output", &layer->out, io->y);
}

static void fill_gradients(const call *c) {
    for (int k = 0; k < c->layer->inputs; k++)
        if (c->io->dx[k] != NULL) fill(numbers(c, &c->layer->in[k]), c->io->dx[k]);
    for (int p = 0; p < c->layer->params; p++)
        for (int n = 0; n < c->pass->rows->subtrees; n++)
            fill(ls_shape_count(&c->layer->param[p].shape), c->io->dparam[p][n]);
}

static void look_at_gradients(const call *c) {
    for (int k = 0; k < c->layer->inputs; k++)
        if (c->io->dx[k] != NULL) look_at_rows(c, "the gradient of its input", &c->layer->in[k], c->io->dx[k]);
    for (int p = 0; p < c->layer->params; p++) {
        int64_t count = ls_shape_count(&c->layer->param[p].shape);
        char what[LS_NAME_MAX];
        (void)snprintf(what, sizeof what, "the gradient of %s", c->layer->param[p].name);
        for (int n = 0; n < c->pass->rows->subtrees; n++) look(c, what, count, count, c->io->dparam[p][n]);
    }
}

void ls_debug_backward(const ls_model *model, const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    call c = {.model = model, .layer = layer, .pass = pass, .io = io, .direction = "backward"};
    look_at_rows(&c, "the gradient of its output", &layer->out, io->dy);
    uint64_t before = input_checksum(&c, true);
    fill_gradients(&c);
    fill(layer->scratch_floats, pass->scratch);
    layer->type->backward(layer, pass, io);
    expect_unchanged(&c, before, true);
    look_at_gradients(&c);
}
