/* init.c - writes a config for a data set: it looks at samples, and halves pictures until they are small. */
#include "run/init.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/integers.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/config_grammar.h"
#include "data/dataset.h"
#include "report/outputs.h"

enum { HALVINGS_MAX = 6, SMALL_SIDE = 8 };

/* What the config is written for. */
typedef struct subject {
    const char *path;
    bool seen; /* false: an example */
    ls_dataset_info info;
    float low, high; /* of the numbers that were looked at */
} subject;

/* ---- the data ---- */

static void widen(subject *s, const void *data, int64_t count) {
    const float *x = data;
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(x[i])) continue;
        if (x[i] < s->low) s->low = x[i];
        if (x[i] > s->high) s->high = x[i];
    }
}

/* The range of float data, from samples all over it. */
static ls_status look_at(subject *s, ls_dataset *dataset) {
    enum { LOOKS = 64 };
    void *sample;
    if (s->info.element != LS_ELEMENT_FLOAT32) return LS_OK;
    LS_TRY(ls_alloc(&sample, s->info.sample_bytes, 1, "a sample"));
    ls_status status = LS_OK;
    s->low = INFINITY;
    s->high = -INFINITY;
    int64_t looks = ls_min(s->info.count, LOOKS);
    for (int64_t i = 0; i < looks && status == LS_OK; i++) {
        int64_t at = i * s->info.count / looks;
        status = ls_dataset_fetch(dataset, 1, &at, sample, NULL); /* which keeps blocks that it has decoded */
        if (status == LS_OK) widen(s, sample, ls_shape_count(&s->info.shape));
    }
    ls_free(sample);
    return status;
}

static ls_status find_subject(const char *data, subject *s) {
    ls_dataset *dataset;
    *s = (subject){.path = "data/train.h5", .high = 1, .info = {.count = 10000, .shape = {3, {28, 28, 1}}}};
    if (data == NULL) return LS_OK;
    s->path = data;
    s->seen = true;
    LS_TRY(ls_dataset_open(&data, 1, &dataset));
    s->info = *ls_dataset_get_info(dataset);
    ls_status status = look_at(s, dataset);
    ls_dataset_close(dataset);
    return status;
}

/* Stored bytes are 0 to 255, which is brought to 0 to 1. Other data is left alone where a network can deal with it. */
static bool is_scaled(const subject *s) {
    float span = s->high - s->low;
    return s->info.element == LS_ELEMENT_UINT8 || (span > 0 && (span < 0.1f || s->low < -4 || s->high > 4));
}

static bool is_probability(const subject *s) { return is_scaled(s) || (s->low >= 0 && s->high <= 1); }

static void print_data(const subject *s, FILE *out) {
    fputs("data:\n  train: ", out);
    ls_text_print(s->path, out);
    if (!s->seen) fputs(" # yours: `lockstep import images FOLDER/ -o data/train.h5 --size 28x28 --channels 1`", out);
    if (s->info.count >= 20)
        fputs("\n  validation: {split: 0.1} # the last tenth is held out; or another file\n", out);
    else
        fputs("\n  validation: none # too few samples to hold some out; or another file\n", out);
    if (s->info.element == LS_ELEMENT_UINT8)
        fputs("  input: [{rescale: [0, 1]}] # stored are 0 to 255\n", out);
    else if (is_scaled(s))
        fprintf(out, "  input: [{rescale: {range: [0, 1], from: [%.6g, %.6g]}}] # stored are about these numbers\n",
                (double)s->low, (double)s->high);
    else
        fprintf(out, "  input: [] # as stored: about %g to %g\n", (double)s->low, (double)s->high);
    fputs("  # target: the input where nothing is said, which is an autoencoder. To remove noise, add\n"
          "  # {gaussian_noise: {stddev: 0.3}} to input, and here what input was.\n",
          out);
    if (s->info.labelled)
        fprintf(out,
                "  # To learn the labels of this file instead: target: labels, a model that ends with - flatten and\n"
                "  # - dense: {units: %d, activation: softmax}, and loss: categorical_crossentropy.\n",
                s->info.classes);
}

/* ---- the model ---- */

static int64_t at_least(int64_t least, int64_t x, int64_t most) { return ls_min(ls_max(x, least), most); }

static const char *last_activation(const subject *s) { return is_probability(s) ? "sigmoid" : "linear"; }

/* For samples that are no pictures, or too small to be made smaller. */
static void print_dense(const subject *s, FILE *out) {
    int64_t numbers = ls_shape_count(&s->info.shape), hidden = at_least(8, numbers / 2, 256),
            code = at_least(2, numbers / 8, 32);
    fprintf(out,
            "  - flatten\n"
            "  - dense: {units: %" PRId64 ", activation: relu}\n"
            "  - dense: {units: %" PRId64 ", name: code} # a sample of %" PRId64 " numbers becomes these %" PRId64 "\n"
            "  - dense: {units: %" PRId64 ", activation: relu}\n"
            "  - dense: {units: %" PRId64 ", activation: %s}\n",
            hidden, code, numbers, code, hidden, numbers, last_activation(s));
}

/* The sides of a picture that is halved, rounded up, until it is small. */
typedef struct pyramid {
    int halvings;
    int64_t h[HALVINGS_MAX + 1], w[HALVINGS_MAX + 1];
} pyramid;

static pyramid plan_pyramid(const ls_shape *shape) {
    pyramid p = {.h = {shape->dim[0]}, .w = {shape->dim[1]}};
    while (p.halvings < HALVINGS_MAX && ls_min(p.h[p.halvings], p.w[p.halvings]) > SMALL_SIDE) {
        int i = p.halvings++;
        p.h[i + 1] = (p.h[i] + 1) / 2;
        p.w[i + 1] = (p.w[i] + 1) / 2;
    }
    return p;
}

static int64_t filters(int level) { return ls_min(INT64_C(16) << level, 64); }

static void print_conv(int64_t count, const char *activation, const char *more, FILE *out) {
    fprintf(out, "  - conv2d: {filters: %" PRId64 ", kernel_size: 3, padding: same, activation: %s%s}\n", count,
            activation, more);
}

/* Back to the sides of a level: a side that is odd cannot be had by doubling. */
static void print_larger(const pyramid *p, int level, FILE *out) {
    if (p->h[level] == 2 * p->h[level + 1] && p->w[level] == 2 * p->w[level + 1])
        fputs("  - up_sampling2d: {size: 2}\n", out);
    else
        fprintf(out, "  - resizing: {height: %" PRId64 ", width: %" PRId64 "}\n", p->h[level], p->w[level]);
}

static void print_convolutions(const subject *s, const pyramid *p, FILE *out) {
    const ls_shape *shape = &s->info.shape;
    int n = p->halvings;
    int64_t area = p->h[n] * p->w[n], code = at_least(8, ls_shape_count(shape) / 16 / area / 8 * 8, 64);
    for (int level = 0; level < n; level++) {
        print_conv(filters(level), "relu", "", out);
        fputs("  - max_pooling2d: {pool_size: 2, padding: same}\n", out);
    }
    print_conv(code, "relu", ", name: code", out);
    fprintf(out,
            "  # The code is %" PRId64 " x %" PRId64 " x %" PRId64 ": %" PRId64 " numbers for the %" PRId64
            " of a sample. Fewer filters there: a smaller code.\n",
            p->h[n], p->w[n], code, area * code, ls_shape_count(shape));
    for (int level = n - 1; level >= 0; level--) {
        print_larger(p, level, out);
        print_conv(filters(level), "relu", "", out);
    }
    print_conv(shape->dim[2], last_activation(s), "", out);
}

static void print_model(const subject *s, FILE *out) {
    pyramid p = {0};
    if (s->info.shape.dims == 3) p = plan_pyramid(&s->info.shape);
    fputs("model: # from the sample to its code, and back to a sample; `lockstep help layers` lists what there is\n",
          out);
    if (p.halvings > 0)
        print_convolutions(s, &p, out);
    else
        print_dense(s, out);
    fputs("code: code # what `lockstep encode` writes\n", out);
}

/* ---- the rest ---- */

static void print_training(const subject *s, FILE *out) {
    bool bytes = s->info.element == LS_ELEMENT_UINT8;
    int64_t batch = 64;
    while (batch > 1 && 8 * batch > s->info.count) batch /= 2;
    fprintf(out, "loss: %s\n", bytes ? "binary_crossentropy" : "mean_squared_error");
    fputs("optimizer: {adam: {learning_rate: 0.001}}\n"
          "training:\n"
          "  epochs: 20\n",
          out);
    fprintf(out, "  batch_size: %" PRId64 "\n", batch);
    if (s->info.count >= 20) fputs("  # early_stopping: {patience: 5} # ends when val_loss falls no more\n", out);
}

static void print_command(const char *words, FILE *out) {
    fputs("#   ", out);
    ls_program_print(out);
    fprintf(out, " %s\n", words);
}

static void print_config(const subject *s, FILE *out) {
    char shape[LS_SHAPE_TEXT_MAX];
    ls_shape_text(&s->info.shape, shape);
    if (s->seen)
        fprintf(out, "# An autoencoder for %" PRId64 " sample%s of %s.\n", s->info.count,
                ls_plural(s->info.count, "", "s"), shape);
    else
        fprintf(out, "# An autoencoder for pictures of %s. `lockstep init FILE.h5` writes one that fits your data.\n",
                shape);
    print_command("inspect THIS.yaml    # shapes, parameters, memory", out);
    print_command("train THIS.yaml      # keeps its results in runs/THIS", out);
    print_command("help config          # explains every key", out);
    fputs("seed: 1\n", out);
    print_data(s, out);
    print_model(s, out);
    print_training(s, out);
}

static ls_status print_text(const subject *s, char **text) {
    size_t bytes = 0;
    FILE *out = open_memstream(text, &bytes);
    if (out == NULL) return LS_RAISE(LS_ERROR, "cannot allocate memory for the config");
    print_config(s, out);
    return fclose(out) == 0 ? LS_OK : LS_RAISE(LS_ERROR, "cannot allocate memory for the config");
}

/* Another ending is most often that of the data set, in the place of the config. */
static ls_status check_ending(const char *output) {
    if (output == NULL || ls_path_ends(output, ".yaml") || ls_path_ends(output, ".yml")) return LS_OK;
    return LS_RAISE(LS_INVALID,
                    "%s: a config's name ends in .yaml; to make one for a data set: lockstep init %s -o new.yaml",
                    output, ls_path_ends(output, ".h5") ? output : "FILE.h5");
}

static ls_status check_vacant(const char *output) {
    if (output == NULL || (access(output, F_OK) != 0 && errno == ENOENT)) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s is there already; remove it, or give another name", output);
}

static void tell_next(const char *output) {
    char *next = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&next, &bytes);
    if (out == NULL) return;
    ls_program_print(out);
    fputs(" train ", out);
    ls_word_print(output, out);
    if (fclose(out) == 0) ls_log_info("%s is written; next: %s", output, next);
    free(next);
}

static ls_status write_config(const char *data, const char *output) {
    subject s;
    char *text = NULL;
    LS_TRY(check_ending(output));
    LS_TRY(check_vacant(output));
    LS_TRY(find_subject(data, &s));
    ls_status status = print_text(&s, &text);
    if (status == LS_OK && output == NULL) fputs(text, stdout);
    if (status == LS_OK && output != NULL) status = ls_file_write_text(output, text);
    if (status == LS_OK && output != NULL) tell_next(output);
    free(text);
    return status;
}

ls_status ls_init_run(const ls_comm *comm, const char *data, const char *output) {
    return ls_agree(comm, comm->rank == 0 ? write_config(data, output) : LS_OK);
}
