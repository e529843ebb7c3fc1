/* profile.c - times of layers, kept a step and a place, and printed as medians. */
#include "train/profile.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

static const char *const work_names[LS_WORKS] = {"forward", "input gradient", "weight gradient"};
static const char *const other_names[LS_PROFILE_OTHERS] = {"loss", "exchange and update"};

static int other_place(const ls_profile *profile, int other) { return profile->layers * LS_WORKS + other; }

ls_status ls_profile_init(ls_profile *profile, const ls_model *model, int64_t steps) {
    *profile = (ls_profile){.layers = ls_model_layers(model), .steps = steps};
    return ls_alloc(&profile->spent_s, other_place(profile, LS_PROFILE_OTHERS) * steps, sizeof(double),
                    "the times of layers");
}

void ls_profile_release(ls_profile *profile) { ls_free(profile->spent_s); }

static void turn(ls_profile *profile, int place) {
    double now_s = ls_clock_s();
    profile->spent_s[profile->place * profile->steps + profile->step] += now_s - profile->entered_s;
    profile->entered_s = now_s;
    profile->place = place;
}

void ls_profile_begin(ls_profile *profile) {
    if (profile != NULL) profile->entered_s = ls_clock_s();
}

void ls_profile_end(ls_profile *profile) {
    if (profile == NULL) return;
    turn(profile, 0);
    profile->step++;
}

void ls_profile_turn(void *profile, int layer, ls_work work) { turn(profile, layer * LS_WORKS + (int)work); }

void ls_profile_turn_other(ls_profile *profile, int other) {
    if (profile != NULL) turn(profile, other_place(profile, other));
}

/* ---- what is printed ---- */

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void ls_sort_seconds(double *seconds, int64_t count) {
    qsort(seconds, (size_t)count, sizeof *seconds, compare_doubles);
}

static double median_s(const ls_profile *profile, int place) {
    double *seconds = profile->spent_s + place * profile->steps;
    ls_sort_seconds(seconds, profile->steps);
    return seconds[profile->steps / 2];
}

/* Input, output and weights, or the gradients of two of them, each moved once: the least there is to move. */
static double work_bytes(const ls_layer *layer, int64_t rows) {
    double floats = (double)rows * ls_shape_size(&layer->out);
    for (int k = 0; k < layer->inputs; k++) floats += (double)rows * ls_shape_size(&layer->in[k]);
    for (int p = 0; p < layer->params; p++) floats += ls_shape_size(&layer->param[p].shape);
    return floats * (double)sizeof(float);
}

typedef struct line {
    const char *layer, *work;
    double seconds, flops, bytes;
} line;

static void print_line(const line *n, double peak_gflops) {
    printf("  %-22s %-20s %9.3f", n->layer, n->work, n->seconds * 1e3);
    if (n->bytes > 0) printf(" %9.2f", n->bytes * 1e-6);
    if (n->flops > 0) printf(" %9.1f %8.3f", n->flops / n->seconds * 1e-9, n->flops / n->seconds * 1e-9 / peak_gflops);
    putchar('\n');
}

static void print_object(const line *n, double peak_gflops, bool first) {
    fputs(first ? "{\"layer\": " : ", {\"layer\": ", stdout);
    ls_quoted_print(n->layer, stdout);
    printf(", \"work\": \"%s\", \"ms\": %.4f, \"mbytes\": %.3f, \"gflops\": %.2f, \"share_of_peak\": %.4f}", n->work,
           n->seconds * 1e3, n->bytes * 1e-6, n->flops / n->seconds * 1e-9, n->flops / n->seconds * 1e-9 / peak_gflops);
}

static line line_of(const ls_profile *profile, const ls_model *model, int64_t rows, int place) {
    int i = place / LS_WORKS;
    line n = {.layer = "", .seconds = median_s(profile, place)};
    if (i == profile->layers) {
        n.work = other_names[place % LS_WORKS];
    } else {
        const ls_layer *layer = ls_model_layer(model, i);
        n.layer = layer->name;
        n.work = work_names[place % LS_WORKS];
        n.flops = layer->flops * (double)rows;
        n.bytes = work_bytes(layer, rows);
    }
    return n;
}

void ls_profile_print(const ls_profile *profile, const ls_model *model, int64_t rows, double peak_gflops, bool json) {
    bool first = true;
    if (!json) printf("  %-22s %-20s %9s %9s %9s %8s\n", "layer", "work", "ms", "MB", "GFLOP/s", "of peak");
    for (int place = 0; place < other_place(profile, LS_PROFILE_OTHERS); place++) {
        line n = line_of(profile, model, rows, place);
        if (n.seconds <= 0) continue; /* a view, or a gradient that nobody asked for */
        if (json)
            print_object(&n, peak_gflops, first);
        else
            print_line(&n, peak_gflops);
        first = false;
    }
}
