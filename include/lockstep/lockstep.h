/* lockstep.h - trains a network on arrays in memory, from C: on one process, or on as many as mpirun starts, with the
 * same bits of result.
 *
 *   lockstep_init(&argc, &argv);
 *   lockstep_model *model = NULL;
 *   lockstep_create(1, (int64_t[]){2}, &model);                     samples are vectors of two numbers
 *   lockstep_add(model, "dense", "units=8 activation=tanh");
 *   lockstep_add(model, "dense", "units=1 activation=sigmoid");
 *   lockstep_compile(model, "adam", "learning_rate=0.01", "binary_crossentropy");
 *   lockstep_fit(model, &(lockstep_arrays){.count = n, .x = x, .y = y},
 *                &(lockstep_fit_options){.epochs = 100, .batch_size = 32});
 *   lockstep_predict(model, n, x, out);
 *   lockstep_destroy(model);
 *   lockstep_finalize();
 *
 * Functions that can fail return a status (lockstep_status below); lockstep_message() then says why. Wrong arguments
 * are refused, pointers that are NULL among them. Collective functions are called by all processes of the job, with the
 * same arguments and the same samples. That is checked, and they fail on all processes alike. Where a process is lost
 * the whole job ends, with exit status 76.
 *
 * All calls come from the thread that called lockstep_init. Warnings go to stderr, of the first process alone. A
 * callback of lockstep_fit may call lockstep_rank, lockstep_size, lockstep_output_size and lockstep_message; all other
 * functions refuse a call from there.
 *
 * Build with `pkg-config --cflags --libs lockstep`. */
#ifndef LOCKSTEP_H
#define LOCKSTEP_H

#include <stdint.h>

#define LOCKSTEP_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum lockstep_status {
    LOCKSTEP_OK = 0,
    LOCKSTEP_ERROR = 1,   /* memory, or numbers that are not finite any more */
    LOCKSTEP_INVALID = 2, /* the call is wrong: its arguments, its place, or arguments that differ between processes */
} lockstep_status;

/* Collective. Starts MPI where a launcher has started several processes, and the threads (OMP_NUM_THREADS; else the
 * host's cores divided by its processes). Before any other call but lockstep_message; once in a process. argc and argv
 * may be NULL. Jobs of several processes use MPI_COMM_WORLD, and replace its error handler by one that ends the job.
 * The program must not have called MPI_Init; after lockstep_init it may call MPI itself, from the same thread, but not
 * MPI_Finalize. */
int lockstep_init(int *argc, char ***argv);
/* Collective. Ends both; models are destroyed before it. */
int lockstep_finalize(void);
int lockstep_rank(void); /* of this process, from 0 */
int lockstep_size(void); /* processes of the job */
/* Why the latest call failed; "" if it did not. Valid until the next call. */
const char *lockstep_message(void);

/* --- a model --- */

typedef struct lockstep_model lockstep_model;

/* Collective. A model without layers, for samples of this shape: [units], or [height, width, channels]. *out: NULL
 * where it fails. */
int lockstep_create(int dims, const int64_t *shape, lockstep_model **out);
int lockstep_destroy(lockstep_model *model); /* NULL is allowed */

/* Collective. Adds a layer. type, options: as in a config (`lockstep help layers`), options as words "key=value" with
 * commas in lists: "filters=16 kernel_size=3,3 activation=relu"; "" or NULL for the defaults. Two words more:
 * "name=NAME", and "inputs=A,B", layers that it takes in place of the one before ("input" is the model's own). */
int lockstep_add(lockstep_model *model, const char *type, const char *options);

/* Collective. After the last layer: how the model is trained. Optimizers, their options and losses are those of a
 * config (`lockstep help optimizers`, `lockstep help losses`), but for global_clipnorm and schedules of the learning
 * rate. options: as above. */
int lockstep_compile(lockstep_model *model, const char *optimizer, const char *options, const char *loss);

/* --- training --- */

/* Samples, which stay the caller's and must not change during a call. Every process has all of them. */
typedef struct lockstep_arrays {
    int64_t count;
    const float *x; /* [count][input shape] */
    const float *y; /* [count][output shape]; NULL: x, which is an autoencoder */
} lockstep_arrays;

/* An epoch that is over. */
typedef struct lockstep_logs {
    int64_t epoch, step;   /* epochs and steps done */
    double loss, val_loss; /* val_loss: NaN without a validation_split */
    double learning_rate;
    double seconds; /* of training */
} lockstep_logs;

/* Told at the end of each epoch, on all processes. 0: training goes on; anything else, on any process, ends it, and
 * lockstep_fit returns LOCKSTEP_OK as after the last epoch. */
typedef struct lockstep_callback {
    int (*on_epoch_end)(void *context, const lockstep_logs *logs);
    void *context;
} lockstep_callback;

typedef struct lockstep_fit_options {
    int64_t epochs, batch_size; /* batch_size: over all processes; more than there are samples: a warning */
    double validation_split;    /* the last samples, of which nothing is learned; 0: none */
    int lanes;                  /* a power of two, not below the number of processes; the result depends on it; 0: 8 */
    uint64_t seed;              /* of the first weights and of the order of samples; the result depends on it */
    int64_t patience; /* epochs without a lower loss (val_loss, where there is one) before training ends; 0: it does
                       * not. The model has the weights of the last epoch then, not of the best. */
    const lockstep_callback *callbacks; /* [callback_count] */
    int callback_count;
} lockstep_fit_options;

/* Collective. Trains a compiled model: with the weights that it has, if it has been trained before, and with an
 * optimizer that begins anew. After an error the model has the weights of before the call. */
int lockstep_fit(lockstep_model *model, const lockstep_arrays *data, const lockstep_fit_options *options);

/* --- a trained model --- */

/* Of this process alone. out[count][output shape]: what the model makes of x[count][input shape]. */
int lockstep_predict(lockstep_model *model, int64_t count, const float *x, float *out);
/* Numbers of an output; 0: model is NULL. */
int64_t lockstep_output_size(const lockstep_model *model);
/* The numbers of an array of weights, such as layer "dense" and array "kernel", in Keras' shape; *count: how many.
 * NULL: there is no such array, or the model has not been trained. Valid until the next lockstep_fit. */
const float *lockstep_weights(const lockstep_model *model, const char *layer, const char *array, int64_t *count);

#ifdef __cplusplus
}
#endif

#endif
