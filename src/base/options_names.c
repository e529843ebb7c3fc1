/* options_names.c - names that are misspelt, or that other programs use. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/options.h"

static int least(int a, int b) { return a < b ? a : b; }

static bool same_letter(char a, char b) { return tolower((unsigned char)a) == tolower((unsigned char)b); }

/* Letters to insert, drop, replace, or swap with their neighbour (optimal string alignment), whatever their case;
 * LS_NAME_MAX where a word is too long to be a name. */
static int edit_distance(const char *a, const char *b) {
    int a_length = (int)strnlen(a, LS_NAME_MAX), b_length = (int)strnlen(b, LS_NAME_MAX);
    if (a_length == LS_NAME_MAX || b_length == LS_NAME_MAX) return LS_NAME_MAX;
    int distance[LS_NAME_MAX][LS_NAME_MAX];
    for (int i = 0; i <= a_length; i++) distance[i][0] = i;
    for (int j = 0; j <= b_length; j++) distance[0][j] = j;
    for (int i = 1; i <= a_length; i++) {
        for (int j = 1; j <= b_length; j++) {
            int best = distance[i - 1][j - 1] + !same_letter(a[i - 1], b[j - 1]);
            best = least(best, least(distance[i - 1][j], distance[i][j - 1]) + 1);
            bool swapped = i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]);
            distance[i][j] = swapped ? least(best, distance[i - 2][j - 2] + 1) : best;
        }
    }
    return distance[a_length][b_length];
}

/* A third of the word may be wrong, but not all of it. */
static bool near_enough(const char *word, int distance) {
    int length = (int)strlen(word);
    return distance <= (length + 2) / 3 && distance < length;
}

/* What other programs call it. Those that are only short are taken for the name itself. */
static const struct {
    const char *word, *name;
    bool taken;
} synonyms[] = {{"mse", "mean_squared_error", true},
                {"mae", "mean_absolute_error", true},
                {"bce", "binary_crossentropy", true},
                {"acc", "accuracy", true},
                {"lr", "learning_rate", false},
                {"bs", "batch_size", false},
                {"batch", "batch_size", false},
                {"kernel", "kernel_size", false},
                {"out_channels", "filters", false},
                {"channels", "filters", false},
                {"p", "rate", false},
                {"mseloss", "mean_squared_error", false},
                {"bceloss", "binary_crossentropy", false},
                {"bcewithlogitsloss", "binary_crossentropy", false},
                {"crossentropyloss", "categorical_crossentropy", false},
                {"--out", "--output", false},
                {"--dir", "--run", false},
                {"-o", "--run", false},
                {"--name", "--run", false},
                {"--force", "--overwrite", false},
                {"linear", "dense", false},
                {"fc", "dense", false},
                {"conv", "conv2d", false},
                {"convtranspose2d", "conv2d_transpose", false},
                {"deconv", "conv2d_transpose", false},
                {"batchnorm", "batch_normalization", false},
                {"batchnorm2d", "batch_normalization", false},
                {"maxpool2d", "max_pooling2d", false},
                {"maxpooling", "max_pooling2d", false},
                {"upsample", "up_sampling2d", false},
                {"upsampling", "up_sampling2d", false},
                {"noise", "gaussian_noise", false},
                {"flip", "random_flip", false},
                {"rescaling", "rescale", false},
                {"normalize", "rescale", false},
                {"crossentropy", "binary_crossentropy", false},
                {"test", "evaluate", false},
                {"eval", "evaluate", false},
                {"predict", "reconstruct", false},
                {"generate", "sample", false},
                {"new", "init", false},
                {"version", "--version", false},
                {"-v", "--version", false},
                {"benchmark", "bench", false}};
enum { SYNONYMS = sizeof synonyms / sizeof *synonyms };

const char *ls_full_name(const char *word) {
    for (int i = 0; i < SYNONYMS; i++)
        if (synonyms[i].taken && strcmp(synonyms[i].word, word) == 0) return synonyms[i].name;
    return word;
}

static const char *find_synonym(const char *word, const char *const *names, int count) {
    for (int i = 0; i < SYNONYMS; i++)
        for (int n = 0; n < count && strcasecmp(synonyms[i].word, word) == 0; n++)
            if (strcmp(names[n], synonyms[i].name) == 0) return names[n];
    return NULL;
}

const char *ls_nearest(const char *word, const char *const *names, int count) {
    const char *nearest = find_synonym(word, names, count);
    int shortest = LS_NAME_MAX;
    if (nearest != NULL) return nearest;
    for (int i = 0; i < count; i++) {
        int distance = edit_distance(word, names[i]);
        if (distance >= shortest || !near_enough(word, distance)) continue;
        nearest = names[i];
        shortest = distance;
    }
    return nearest;
}

ls_status ls_unknown(const char *kind, const char *word, const char *where, const char *const *names, int count) {
    const char *nearest = ls_nearest(word, names, count);
    if (nearest != NULL)
        return LS_RAISE(LS_INVALID, "unknown %s '%s'%s; did you mean '%s'?", kind, word, where, nearest);
    char all[LS_MESSAGE_MAX / 2] = "";
    for (int i = 0, used = 0; i < count && used < (int)sizeof all; i++)
        used += snprintf(all + used, sizeof all - (size_t)used, "%s%s", i > 0 ? ", " : "", names[i]);
    return LS_RAISE(LS_INVALID, "unknown %s '%s'%s; there is: %s", kind, word, where, all);
}
