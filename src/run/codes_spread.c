/* codes_spread.c - gives drawn codes the mean and deviation that the codes of a data set have. */
#include "run/codes_spread.h"

#include <math.h>

#include "base/memory.h"
#include "train/predict.h"

/* Of each number of a code: sums on rank 0, then mean and deviation on all. */
typedef struct spread {
    int64_t width, count;
    double *mean, *square; /* [width] each */
} spread;

static ls_status add_codes(void *context, const ls_span *spans, int64_t count, const float *codes) {
    spread *s = context;
    int64_t rows = ls_spans_samples(spans, count);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t i = 0; i < s->width; i++) {
            double x = (double)codes[row * s->width + i];
            s->mean[i] += x;
            s->square[i] += x * x;
        }
    s->count += rows;
    return LS_OK;
}

static void settle(spread *s) {
    for (int64_t i = 0; i < s->width; i++) {
        s->mean[i] /= (double)s->count;
        s->square[i] = sqrt(fmax(0, s->square[i] / (double)s->count - s->mean[i] * s->mean[i]));
    }
}

static ls_status measure(const ls_trained *t, int layer, spread *s) {
    const ls_comm *comm = t->session.task.comm;
    LS_TRY(ls_predict_samples(&t->session.task, t->session.task.train, LS_USE_APPLICATION, t->spans, t->span_count,
                              t->weights, layer, add_codes, s));
    if (comm->rank == 0) settle(s);
    ls_comm_broadcast(comm, s->mean, s->width * (int64_t)sizeof(double), 0);
    ls_comm_broadcast(comm, s->square, s->width * (int64_t)sizeof(double), 0);
    return LS_OK;
}

static ls_status make_spread(spread *s) {
    LS_TRY(ls_alloc(&s->mean, s->width, sizeof(double), "the mean of codes"));
    return ls_alloc(&s->square, s->width, sizeof(double), "the deviation of codes");
}

ls_status ls_codes_spread(const ls_trained *t, int layer, ls_codes *codes) {
    spread s = {.width = ls_shape_count(&codes->shape)};
    ls_status status = ls_agree(t->session.task.comm, make_spread(&s));
    if (status == LS_OK) status = measure(t, layer, &s);
    for (int64_t i = 0; status == LS_OK && i < codes->count * s.width; i++)
        codes->data[i] = (float)(s.mean[i % s.width] + s.square[i % s.width] * (double)codes->data[i]);
    ls_free(s.mean);
    ls_free(s.square);
    return status;
}
