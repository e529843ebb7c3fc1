/* snapshots.c - states of runs for tests of checkpoints; see snapshots.h. */
#include "support/snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/nets.h"
#include "support/types.h"

/* A convolution, dense layers and arrays that shards cut in the middle; 47,000 parameters. */
static ls_model *make_model(void) {
    ls_model *model = new_model((ls_shape){.dims = 3, .dim = {10, 9, 2}});
    add_layer(model, "conv2d", "filters=5 kernel_size=3,3", NULL);
    add_layer(model, "flatten", "", NULL);
    add_layer(model, "dense", "units=100", "code");
    add_layer(model, "dense", "units=181", NULL);
    return model;
}

/* Only arrays, not the gaps between them. */
static void fill(const ls_model *model, uint32_t stream, int64_t begin, int64_t end, float *out) {
    for (int l = 0; l < ls_model_layers(model); l++) {
        const ls_layer *layer = ls_model_layer(model, l);
        for (int p = 0; p < layer->params; p++) {
            int64_t first = layer->param[p].offset, last = first + ls_shape_count(&layer->param[p].shape);
            for (int64_t i = first > begin ? first : begin; i < last && i < end; i++)
                out[i - begin] = formula_number(stream, (uint64_t)i) - 0.5f;
        }
    }
}

static void fill_shard(const ls_model *model, uint32_t stream, const ls_shards *shards, float *out) {
    for (int64_t bucket = 0; bucket < shards->buckets; bucket++) {
        ls_range slice = ls_shards_slice(shards, bucket, shards->rank);
        fill(model, stream, slice.begin, slice.end, out + ls_shards_place(shards, bucket));
    }
}

static const ls_dataset_info data = {.shape = {.dims = 3, .dim = {10, 9, 2}},
                                     .element = LS_ELEMENT_FLOAT32,
                                     .classes = 7,
                                     .fingerprint = "0123456789abcdef"};

state new_state(int rank, int size, uint32_t version, bool filled) {
    state s = {.model = make_model()};
    int64_t count = ls_model_flat_count(s.model), bucket = size > 1 ? 12 * LS_GRAIN_FLOATS : count;
    ls_shards shards = ls_shards_make(count, bucket, rank, size);
    s.snapshot = (ls_snapshot){.model = s.model,
                               .optimizer = type_named(ls_optimizer_types, "adam"),
                               .shards = shards,
                               .position = ls_position_start(),
                               .config = "seed: 1\nmodel: []\n",
                               .data = &data,
                               .validation = "fedcba9876543210",
                               .history = "{\"epoch\": 1}\n",
                               .lanes = 8,
                               .isa = "avx2"};
    s.snapshot.position.step = version;
    s.snapshot.position.epoch = 3;
    s.snapshot.position.loss_sum = 1.0 / 3.0;
    expect_ok(ls_alloc(&s.snapshot.weights, count, sizeof(float), "weights"));
    if (filled) fill(s.model, version * 4, 0, count, s.snapshot.weights);
    for (int slot = 0; slot < s.snapshot.optimizer->slots; slot++) {
        expect_ok(ls_alloc(&s.snapshot.slot[slot], ls_shards_place(&shards, shards.buckets), sizeof(float), "a slot"));
        if (filled) fill_shard(s.model, version * 4 + 1 + (uint32_t)slot, &shards, s.snapshot.slot[slot]);
    }
    return s;
}

void free_state(state *s) {
    ls_free(s->snapshot.weights);
    for (int slot = 0; slot < LS_SLOTS_MAX; slot++) ls_free(s->snapshot.slot[slot]);
    ls_model_destroy(s->model);
    *s = (state){0};
}

void expect_same_arrays(const state *a, const state *b) {
    size_t bytes = (size_t)ls_model_flat_count(a->model) * sizeof(float);
    assert_memory_equal(a->snapshot.weights, b->snapshot.weights, bytes);
    bytes = (size_t)ls_shards_place(&a->snapshot.shards, a->snapshot.shards.buckets) * sizeof(float);
    for (int slot = 0; slot < a->snapshot.optimizer->slots; slot++)
        assert_memory_equal(a->snapshot.slot[slot], b->snapshot.slot[slot], bytes);
}

void expect_same_position(const ls_position *a, const ls_position *b) { assert_memory_equal(a, b, sizeof *a); }

char *read_whole(const char *path, int64_t *bytes) {
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s is not there", path);
    fseek(file, 0, SEEK_END);
    *bytes = ftell(file);
    rewind(file);
    char *content = malloc((size_t)*bytes + 1);
    assert_int_equal(fread(content, 1, (size_t)*bytes, file), *bytes);
    fclose(file);
    return content;
}

void expect_same_files(const char *a, const char *b) {
    int64_t bytes_a, bytes_b;
    char *content_a = read_whole(a, &bytes_a), *content_b = read_whole(b, &bytes_b);
    assert_int_equal(bytes_a, bytes_b);
    assert_memory_equal(content_a, content_b, (size_t)bytes_a);
    free(content_a);
    free(content_b);
}
