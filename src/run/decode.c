/* decode.c - what the decoder of a trained model makes of codes. */
#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "run/codes.h"
#include "run/codes_spread.h"
#include "run/output_file.h"
#include "train/predict.h"

/* --- running it --- */

typedef struct decoder {
    ls_microbatches *microbatches;
    ls_codes *codes;
    ls_batch batch; /* its input is the codes */
    const float *weights;
    int layer;
} decoder;

static ls_status run_decoder(void *context, const ls_microbatches *p, int64_t *rows, const float **output) {
    decoder *d = context;
    ls_model *model = p->task->model;
    bool more;
    LS_TRY(ls_microbatches_next(d->microbatches, &d->batch, &more));
    if (!more) return LS_OK;
    LS_TRY(ls_codes_read(d->codes, d->batch.samples[0], d->batch.rows.count, d->batch.input));
    ls_pass pass = ls_microbatches_pass(p, &d->batch);
    ls_model_forward_after(model, &pass, d->weights, d->layer, d->batch.input);
    *output = ls_model_predict(model, &pass, ls_model_layers(model) - 1);
    *rows = d->batch.rows.count;
    return LS_OK;
}

static ls_status make_decoder(decoder *d) {
    int64_t rows = ls_microbatches_rows(d->microbatches);
    LS_TRY(ls_alloc(&d->batch.samples, rows, sizeof(int64_t), "a batch of codes"));
    return ls_alloc(&d->batch.input, rows * ls_shape_count(&d->codes->shape), sizeof(float), "a batch of codes");
}

/* Collective. Calls append on rank 0 with what the layers after `layer` make of the codes. */
static ls_status run_decoders(const ls_task *task, ls_codes *codes, const float *weights, int layer,
                              ls_append_fn append, void *context) {
    ls_microbatches p;
    ls_span all = {0, codes->count};
    ls_shape out = ls_model_output_shape(task->model);
    decoder d = {.microbatches = &p, .codes = codes, .weights = weights, .layer = layer};
    ls_prediction prediction = {run_decoder, &d, ls_shape_count(&out), append, context};
    ls_status status = ls_microbatches_make(task, &all, 1, &p);
    if (status == LS_OK) status = make_decoder(&d);
    status = ls_agree(task->comm, status);
    if (status == LS_OK) status = ls_predict_chunks(&p, &prediction);
    ls_free(d.batch.samples);
    ls_free(d.batch.input);
    ls_microbatches_release(&p);
    return status;
}

/* --- files --- */

static ls_status write_decoded(const ls_trained *t, int layer, ls_codes *codes, int64_t across, const char *output) {
    const ls_session *session = &t->session;
    ls_output_file file = {.origin = codes->dataset};
    ls_status status = LS_OK;
    ls_output_describe(t, ls_model_layers(session->task.model) - 1, codes->count, &file.spec);
    if (across > 0) file.spec.across = across;
    (void)snprintf(file.settings, sizeof file.settings, "decoded from layer %s",
                   ls_model_layer(session->task.model, layer)->name);
    if (session->task.comm->rank == 0) status = ls_output_open(output, &file);
    status = ls_agree(session->task.comm, status);
    if (status == LS_OK) status = run_decoders(&session->task, codes, t->weights, layer, ls_output_append, &file);
    ls_status closed = ls_output_close(&file, status == LS_OK);
    return ls_agree(session->task.comm, status == LS_OK ? closed : status);
}

static ls_status find_cut(const ls_trained *t, const char *name, int *layer) {
    LS_TRY(ls_output_find_layer(t, name, layer));
    if (ls_model_check_cut(t->session.task.model, *layer) == LS_OK) return LS_OK;
    return ls_failure_prefix("%s: ", t->info.path);
}

/* Drawn from N(0, 1), or at its quantiles. */
static bool is_made(const ls_code_source *source) { return !source->file && source->texts == 0 && source->range == 0; }

/* Nothing draws the codes of a plain autoencoder to N(0, 1): theirs may be anywhere. */
static ls_status suit(const ls_trained *t, int layer, const ls_code_source *source, ls_codes *codes) {
    const ls_layer *of = ls_model_layer(t->session.task.model, layer);
    if (source->like != NULL) return ls_codes_spread(t, layer, codes);
    if (!of->type->normal)
        ls_log_warn(
            "training does not bind the codes of layer '%s' to N(0, 1), which these are drawn from; --data FILE.h5 "
            "draws with the mean and deviation that the codes of its samples have",
            of->name);
    return LS_OK;
}

static ls_status decode(const ls_trained *t, const char *name, const ls_code_source *source, const ls_output *output) {
    const ls_comm *comm = t->session.task.comm;
    int layer = 0;
    ls_codes codes;
    LS_TRY(ls_agree(comm, find_cut(t, name, &layer)));
    LS_TRY(ls_output_agree(t, source->file, output));
    ls_status status = ls_codes_open(comm, source, &ls_model_layer(t->session.task.model, layer)->out, &codes);
    if (status == LS_OK && is_made(source)) status = suit(t, layer, source, &codes);
    if (status == LS_OK) status = write_decoded(t, layer, &codes, source->columns, output->path);
    if (status == LS_OK)
        ls_output_report(t, output->path, "outputs of", codes.count, NULL,
                         &ls_model_layer(t->session.task.model, ls_model_layers(t->session.task.model) - 1)->out);
    ls_codes_close(&codes);
    return status;
}

ls_status ls_decode_run(const ls_comm *comm, const char *run, const char *layer, const ls_code_source *codes,
                        const ls_output *output) {
    ls_trained t = {0};
    ls_status status =
        codes->like ? ls_trained_open(&t, comm, run, codes->like, false) : ls_trained_open_model(&t, comm, run);
    if (status == LS_OK) status = decode(&t, layer, codes, output);
    ls_trained_close(&t);
    return status;
}
