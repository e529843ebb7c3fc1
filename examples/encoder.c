/* encoder.c - the 8-3-8 encoder: eight patterns squeezed through three units and restored, trained on arrays in memory.
 * (D. E. Rumelhart, G. E. Hinton, R. J. Williams, Learning internal representations by error propagation, 1986.)
 *
 *   cc encoder.c $(pkg-config --cflags --libs lockstep) -o encoder
 *   ./encoder
 *   mpirun -np 2 ./encoder          the same numbers, to the last bit
 */
#include <lockstep/lockstep.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATTERNS = 8, SAMPLES = 512 };

static int fail(void) {
    fprintf(stderr, "encoder: %s\n", lockstep_message());
    return EXIT_FAILURE;
}

/* A callback of our own: it reports now and then, and ends the training when the loss is low enough. */
static int report(void *context, const lockstep_logs *logs) {
    const double *enough = context;
    int done = logs->loss < *enough;
    if (lockstep_rank() == 0 && (done || logs->epoch % 25 == 0))
        printf("epoch %lld: loss %.9g\n", (long long)logs->epoch, logs->loss);
    return done;
}

static int build(lockstep_model **model) {
    if (lockstep_create(1, (int64_t[]){PATTERNS}, model) != 0) return fail();
    if (lockstep_add(*model, "dense", "name=code units=3 activation=sigmoid") != 0) return fail();
    if (lockstep_add(*model, "dense", "units=8 activation=sigmoid") != 0) return fail();
    if (lockstep_compile(*model, "adam", "learning_rate=0.05", "binary_crossentropy") != 0) return fail();
    return 0;
}

static int train(lockstep_model *model) {
    static float x[SAMPLES][PATTERNS];
    double enough = 0.01;
    lockstep_callback callback = {.on_epoch_end = report, .context = &enough};
    for (int i = 0; i < SAMPLES; i++) x[i][i % PATTERNS] = 1;
    lockstep_arrays data = {.count = SAMPLES, .x = x[0]}; /* no y: the output is to be like the input */
    lockstep_fit_options options = {
        .epochs = 500, .batch_size = 64, .seed = 1, .callbacks = &callback, .callback_count = 1};
    return lockstep_fit(model, &data, &options) == 0 ? 0 : fail();
}

static int predict(lockstep_model *model) {
    float x[PATTERNS][PATTERNS] = {{0}}, y[PATTERNS][PATTERNS];
    for (int i = 0; i < PATTERNS; i++) x[i][i] = 1;
    if (lockstep_predict(model, PATTERNS, x[0], y[0]) != 0) return fail();
    for (int i = 0; lockstep_rank() == 0 && i < PATTERNS; i++)
        for (int j = 0; j < PATTERNS; j++) printf("%.9g%c", (double)y[i][j], j == PATTERNS - 1 ? '\n' : ' ');
    return 0;
}

int main(int argc, char **argv) {
    lockstep_model *model = NULL;
    if (lockstep_init(&argc, &argv) != 0) return fail();
    int status = build(&model);
    if (status == 0) status = train(model);
    if (status == 0) status = predict(model);
    lockstep_destroy(model);
    lockstep_finalize();
    return status;
}
