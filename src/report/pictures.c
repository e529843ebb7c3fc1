/* pictures.c - runs the samples of a picture through the model, and lays them out in rows. */
#include "report/pictures.h"

#include <math.h>
#include <string.h>

#include "base/integers.h"
#include "base/memory.h"
#include "report/outputs.h"
#include "tensor/vector.h"

enum { ACROSS = 10 };

typedef struct pictures {
    const ls_task *task;
    ls_use use;
    int layer;     /* whose output is shown */
    bool last;     /* it is the model's last one */
    bool targeted; /* then the target is shown, too, where there is one */
    int64_t count;
    int64_t *samples;
    float *input, *output, *target;
    int64_t in_floats, out_floats; /* of a sample; a target has as many as an output */
} pictures;

static ls_status make_pictures(pictures *p, const ls_span *spans, int64_t count, int64_t wanted) {
    ls_shape in = ls_model_input_shape(p->task->model), out = ls_model_layer(p->task->model, p->layer)->out;
    p->in_floats = ls_shape_count(&in);
    p->out_floats = ls_shape_count(&out);
    wanted = ls_min(wanted, ls_spans_samples(spans, count));
    LS_TRY(ls_alloc(&p->samples, wanted, sizeof(int64_t), "the samples of a picture"));
    LS_TRY(ls_alloc(&p->input, wanted * p->in_floats, sizeof(float), "the inputs of a picture"));
    LS_TRY(ls_alloc(&p->output, wanted * p->out_floats, sizeof(float), "the outputs of a picture"));
    if (p->targeted) LS_TRY(ls_alloc(&p->target, wanted * p->out_floats, sizeof(float), "the targets of a picture"));
    for (int64_t i = 0; i < count; i++)
        for (int64_t s = 0; s < spans[i].count && p->count < wanted; s++) p->samples[p->count++] = spans[i].first + s;
    return LS_OK;
}

typedef struct picture_source {
    const pictures *pictures;
    int64_t at, max_rows;
} picture_source;

static ls_status next_pictures(void *context, ls_batch *batch, bool *more) {
    picture_source *source = context;
    int64_t rows = ls_min(source->pictures->count - source->at, source->max_rows);
    *more = rows > 0;
    if (!*more) return LS_OK;
    batch->rows = ls_rows_single(rows);
    batch->epoch = 0;
    memcpy(batch->samples, source->pictures->samples + source->at, (size_t)rows * sizeof(int64_t));
    source->at += rows;
    return LS_OK;
}

static void fill_batch(const pictures *p, const float *weights, const ls_batch *batch, int64_t at) {
    ls_model *model = p->task->model;
    size_t in_bytes = (size_t)(batch->rows.count * p->in_floats) * sizeof(float);
    size_t out_bytes = (size_t)(batch->rows.count * p->out_floats) * sizeof(float);
    ls_pass pass = {
        .pool = p->task->pool, .rows = &batch->rows, .samples = batch->samples, .seed = (uint64_t)p->task->seed};
    ls_model_forward(model, &pass, weights, batch->input, p->layer);
    memcpy(p->input + at * p->in_floats, batch->input, in_bytes);
    memcpy(p->output + at * p->out_floats, ls_model_predict(model, &pass, p->layer), out_bytes);
    if (p->targeted) memcpy(p->target + at * p->out_floats, batch->target, out_bytes);
}

static ls_status fill_pictures(const pictures *p, ls_dataset *dataset, const float *weights) {
    const ls_task *task = p->task;
    picture_source source = {.pictures = p, .max_rows = ls_task_limits(task).max_rows};
    ls_loader_spec spec = ls_task_loader(task, dataset, p->use);
    if (!p->targeted) spec.target = NULL;
    spec.max_rows = source.max_rows;
    spec.depth = 1;
    spec.next = next_pictures;
    spec.context = &source;
    ls_loader *loader;
    const ls_batch *batch;
    LS_TRY(ls_loader_open(&spec, &loader));
    ls_status status = ls_loader_next(loader, &batch);
    for (int64_t at = 0; status == LS_OK && batch; status = ls_loader_next(loader, &batch)) {
        ls_pulse_beat(task->pulse);
        fill_batch(p, weights, batch, at);
        at += batch->rows.count;
    }
    ls_loader_close(loader);
    return status;
}

/* A vector of a code as a strip, the way the tutorials show 128 numbers as 4 x 32: at most a quarter as high as wide.
 */
static ls_shape code_shape(const ls_shape *shape) {
    int64_t count = ls_shape_count(shape), h = 1;
    if (shape->dims > 1) return *shape;
    for (int64_t divisor = 2; 4 * divisor * divisor <= count; divisor++)
        if (count % divisor == 0) h = divisor;
    return (ls_shape){.dims = 2, .dim = {h, count / h}};
}

/* What is shown as black and white: what they have become, or, where that was assumed and is not so, the smallest and
 * the largest of these numbers. */
static void set_range(ls_grid_row *row, const ls_pipeline *pipeline, int64_t count, const float *numbers) {
    bool known = ls_pipeline_range(pipeline, &row->low, &row->high);
    float low = fminf(row->low, row->high), high = fmaxf(row->low, row->high);
    if (known || count == 0 || ls_vector_within(count, numbers, low, high)) return;
    row->low = row->high = numbers[0];
    for (int64_t i = 1; i < count; i++) {
        row->low = fminf(row->low, numbers[i]);
        row->high = fmaxf(row->high, numbers[i]);
    }
}

static ls_status write_pictures(const pictures *p, const char *path) {
    const ls_task *task = p->task;
    const ls_layer *layer = ls_model_layer(task->model, p->layer);
    ls_shape in = ls_model_input_shape(task->model);
    ls_shape out = p->last ? ls_pipeline_shape(task->target) : code_shape(&layer->out);
    ls_grid_row input = {.label = "input", .data = p->input, .shape = in};
    ls_grid_row output = {.label = p->last ? "output" : layer->name, .data = p->output, .shape = out};
    set_range(&input, task->input, p->count * p->in_floats, p->input);
    if (p->last) set_range(&output, task->target, p->count * p->out_floats, p->targeted ? p->target : p->output);
    ls_grid_row target = output;
    target.label = "target";
    target.data = p->target;
    return ls_grid_write(path, (ls_grid_row[]){input, output, target}, p->targeted ? 3 : 2, p->count, ACROSS);
}

ls_status ls_pictures_write(const ls_task *task, ls_dataset *dataset, ls_use use, const ls_span *spans, int64_t count,
                            const float *weights, int layer, int64_t wanted, const char *path) {
    pictures p = {.task = task, .use = use, .layer = layer, .last = layer == ls_model_layers(task->model) - 1};
    p.targeted = p.last && !task->untargeted;
    ls_status status = make_pictures(&p, spans, count, wanted);
    if (status == LS_OK) status = fill_pictures(&p, dataset, weights);
    if (status == LS_OK) status = write_pictures(&p, path);
    ls_free(p.samples);
    ls_free(p.input);
    ls_free(p.output);
    ls_free(p.target);
    return status;
}
