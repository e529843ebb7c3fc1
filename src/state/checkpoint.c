/* checkpoint.c - writes and reads one checkpoint: rank 0 writes, and gathers the optimizer's shards piece by piece. */
#include "state/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/integers.h"
#include "base/log.h"
#include "base/memory.h"
#include "state/checkpoint_format_internal.h"
#include "store/seal.h"

enum { PIECE_FLOATS = 4 << 20 }; /* what of the slots is gathered at a time */

static int slots_of(const ls_snapshot *snapshot) { return snapshot->optimizer ? snapshot->optimizer->slots : 0; }

/* --- writing --- */

typedef struct writing {
    const ls_comm *comm;
    const ls_snapshot *snapshot;
    ls_model_array *arrays;
    int count;
    ls_file file; /* this and the following: rank 0 */
    ls_array_writer *writer;
    float *piece;
} writing;

static ls_status describe_position(ls_array_writer *writer, const ls_position *position) {
    for (int f = 0; f < LS_POSITION_FIELDS; f++) {
        const ls_position_field *field = &ls_position_fields[f];
        LS_TRY(ls_array_writer_put_number(writer, field->name, field->type, (const char *)position + field->offset));
    }
    return LS_OK;
}

static ls_status describe_data(ls_array_writer *writer, const ls_snapshot *s) {
    char shape[LS_SHAPE_TEXT_MAX];
    int64_t classes = s->data->classes;
    LS_TRY(ls_array_writer_put_text(writer, "fingerprint", s->data->fingerprint));
    LS_TRY(ls_array_writer_put_text(writer, "validation_fingerprint", s->validation));
    LS_TRY(ls_array_writer_put_text(writer, "sample_shape", ls_shape_text(&s->data->shape, shape)));
    LS_TRY(ls_array_writer_put_text(writer, "element", ls_element_name(s->data->element)));
    if (s->class_names && s->class_names[0]) LS_TRY(ls_array_writer_put_text(writer, "class_names", s->class_names));
    return ls_array_writer_put_number(writer, "classes", LS_NUMBER_INT64, &classes);
}

static ls_status describe_run(ls_array_writer *writer, const ls_snapshot *s) {
    int64_t format = LS_CHECKPOINT_FORMAT, lanes = s->lanes;
    LS_TRY(ls_array_writer_put_number(writer, "lockstep_format", LS_NUMBER_INT64, &format));
    LS_TRY(ls_array_writer_put_number(writer, "lanes", LS_NUMBER_INT64, &lanes));
    LS_TRY(ls_array_writer_put_text(writer, "version", LS_VERSION));
    LS_TRY(ls_array_writer_put_text(writer, "isa", s->isa));
    LS_TRY(ls_array_writer_put_text(writer, "optimizer", s->optimizer ? s->optimizer->name : ""));
    LS_TRY(describe_data(writer, s));
    LS_TRY(ls_array_writer_put_text(writer, "config", s->config));
    LS_TRY(ls_array_writer_put_text(writer, "history", s->history));
    return describe_position(writer, &s->position);
}

static ls_status describe_arrays(const writing *w) {
    char name[LS_ARRAY_NAME_MAX];
    for (int a = 0; a < w->count; a++)
        LS_TRY(ls_array_writer_add(w->writer, ls_weights_name(&w->arrays[a], name), 0, &w->arrays[a].param->shape));
    for (int s = 0; s < slots_of(w->snapshot); s++)
        for (int a = 0; a < w->count; a++) {
            ls_shape flat = {.dims = 1, .dim = {w->arrays[a].count}};
            LS_TRY(ls_array_writer_add(
                w->writer, ls_slot_name(&w->arrays[a], w->snapshot->optimizer->slot_names[s], name), 0, &flat));
        }
    return LS_OK;
}

static ls_status begin_file(writing *w, const char *path) {
    int64_t largest = 0;
    for (int i = 0; i < w->count; i++) largest = ls_max(largest, w->arrays[i].count);
    LS_TRY(ls_alloc(&w->piece, ls_min(largest, PIECE_FLOATS), sizeof(float), "a piece of a checkpoint"));
    LS_TRY(ls_file_create(path, &w->file));
    LS_TRY(ls_array_writer_create(&w->file, LS_SEAL_BYTES, &w->writer));
    LS_TRY(describe_run(w->writer, w->snapshot));
    LS_TRY(describe_arrays(w));
    return ls_array_writer_begin(w->writer);
}

/* Collective. What failed is removed before the others hear of it. */
static ls_status settle(writing *w, ls_status status) {
    if (status != LS_OK) ls_file_discard(&w->file);
    return ls_agree(w->comm, status);
}

static ls_status begin(writing *w, const char *path) {
    ls_status status = ls_model_arrays(w->snapshot->model, &w->arrays, &w->count);
    if (status == LS_OK && w->comm->rank == 0) status = begin_file(w, path);
    return settle(w, status);
}

static ls_status write_weights(const writing *w) {
    char name[LS_ARRAY_NAME_MAX];
    for (int a = 0; a < w->count; a++) {
        const ls_param *param = w->arrays[a].param;
        LS_TRY(ls_array_writer_write(w->writer, ls_weights_name(&w->arrays[a], name), 0, param->shape.dim[0],
                                     w->snapshot->weights + param->offset));
    }
    return LS_OK;
}

/* Collective. Brings numbers of a slot, all in one bucket, to rank 0's piece: each rank gives what it has of them. */
static void collect_piece(const writing *w, int slot, int64_t bucket, ls_range piece) {
    const ls_snapshot *s = w->snapshot;
    ls_range slice = ls_shards_slice(&s->shards, bucket, s->shards.rank), mine = ls_range_common(piece, slice);
    int64_t place = ls_shards_place(&s->shards, bucket) + (mine.begin - slice.begin);
    bool has = mine.begin < mine.end;
    ls_comm_collect(w->comm, has ? s->slot[slot] + place : NULL, (mine.end - mine.begin) * (int64_t)sizeof(float),
                    w->piece);
}

/* Collective, also where rank 0 cannot write any more: the others do not know that yet. */
static ls_status write_slot_array(const writing *w, int slot, const ls_model_array *array, ls_status status) {
    char name[LS_ARRAY_NAME_MAX];
    const ls_shards *shards = &w->snapshot->shards;
    ls_slot_name(array, w->snapshot->optimizer->slot_names[slot], name);
    int64_t first = array->param->offset, end = first + array->count;
    ls_range piece;
    for (int64_t at = first; at < end; at = piece.end) {
        int64_t bucket = at / shards->bucket;
        piece = ls_range_common(ls_shards_bucket(shards, bucket), (ls_range){at, ls_min(at + PIECE_FLOATS, end)});
        collect_piece(w, slot, bucket, piece);
        if (status == LS_OK && w->comm->rank == 0)
            status = ls_array_writer_write(w->writer, name, at - first, piece.end - at, w->piece);
    }
    return status;
}

static ls_status write_arrays(const writing *w) {
    ls_status status = w->comm->rank == 0 ? write_weights(w) : LS_OK;
    for (int s = 0; s < slots_of(w->snapshot); s++)
        for (int a = 0; a < w->count; a++) status = write_slot_array(w, s, &w->arrays[a], status);
    return status;
}

static ls_status publish(writing *w) {
    LS_TRY(ls_seal_write(&w->file));
    return ls_file_commit(&w->file);
}

ls_status ls_checkpoint_write(const ls_comm *comm, const char *path, const ls_snapshot *snapshot) {
    writing w = {.comm = comm, .snapshot = snapshot, .file.fd = -1};
    ls_status status = begin(&w, path);
    if (status == LS_OK) {
        status = write_arrays(&w);
        if (status == LS_OK && comm->rank == 0) status = publish(&w);
        status = settle(&w, status);
    }
    ls_array_writer_destroy(w.writer);
    ls_file_discard(&w.file);
    ls_free(w.piece);
    ls_free(w.arrays);
    return status;
}

/* --- reading --- */

static ls_status check_shape(ls_array_reader *reader, const char *path, const char *name, const ls_shape *wanted) {
    ls_shape shape;
    char a[LS_SHAPE_TEXT_MAX], b[LS_SHAPE_TEXT_MAX];
    LS_TRY(ls_array_reader_shape(reader, name, &shape));
    if (ls_shape_equal(&shape, wanted)) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: %s is %s, but the model has %s", path, name, ls_shape_text(&shape, a),
                    ls_shape_text(wanted, b));
}

static ls_status read_weights(ls_array_reader *reader, const char *path, const ls_snapshot *s,
                              const ls_model_array *array) {
    char name[LS_ARRAY_NAME_MAX];
    const ls_shape *shape = &array->param->shape;
    LS_TRY(check_shape(reader, path, ls_weights_name(array, name), shape));
    return s->weights ? ls_array_reader_read(reader, name, 0, shape->dim[0], s->weights + array->param->offset) : LS_OK;
}

/* What of the array lies in this rank's shard. */
static ls_status read_slot(ls_array_reader *reader, const char *path, const ls_snapshot *s, int slot,
                           const ls_model_array *array) {
    char name[LS_ARRAY_NAME_MAX];
    ls_shape flat = {.dims = 1, .dim = {array->count}};
    LS_TRY(check_shape(reader, path, ls_slot_name(array, s->optimizer->slot_names[slot], name), &flat));
    int64_t first = array->param->offset, end = first + array->count;
    for (int64_t bucket = first / s->shards.bucket; bucket * s->shards.bucket < end; bucket++) {
        ls_range slice = ls_shards_slice(&s->shards, bucket, s->shards.rank);
        ls_range mine = ls_range_common((ls_range){first, end}, slice);
        if (mine.begin == mine.end) continue;
        float *place = s->slot[slot] + ls_shards_place(&s->shards, bucket) + (mine.begin - slice.begin);
        LS_TRY(ls_array_reader_read(reader, name, mine.begin - first, mine.end - mine.begin, place));
    }
    return LS_OK;
}

static ls_status check_optimizer(ls_array_reader *reader, const char *path, const ls_snapshot *s) {
    char *name;
    if (s->optimizer == NULL) return LS_OK;
    LS_TRY(ls_array_reader_get_text(reader, "optimizer", &name));
    ls_status status = LS_OK;
    if (strcmp(name, s->optimizer->name) != 0)
        status = LS_RAISE(LS_INVALID, "%s: holds %s%s, but the state of %s is needed", path,
                          name[0] ? "the state of " : "weights only", name, s->optimizer->name);
    ls_free(name);
    return status;
}

static ls_status read_arrays(ls_array_reader *reader, const char *path, const ls_snapshot *s,
                             const ls_model_array *arrays, int count) {
    LS_TRY(check_optimizer(reader, path, s));
    for (int a = 0; a < count; a++) LS_TRY(read_weights(reader, path, s, &arrays[a]));
    for (int slot = 0; slot < slots_of(s); slot++)
        for (int a = 0; a < count; a++) LS_TRY(read_slot(reader, path, s, slot, &arrays[a]));
    return LS_OK;
}

static bool is_listed(const char *name, const ls_array_entry *entries, int count) {
    for (int i = 0; i < count; i++)
        if (strcmp(entries[i].name, name) == 0) return true;
    return false;
}

/* The names of the model's layers whose arrays are listed, or are not. */
static void print_layers(const ls_model_array *arrays, int count, const ls_array_entry *entries, int listed,
                         bool wanted, FILE *out) {
    char name[LS_ARRAY_NAME_MAX];
    const ls_layer *last = NULL;
    for (int a = 0; a < count; a++) {
        if (is_listed(ls_weights_name(&arrays[a], name), entries, listed) != wanted || arrays[a].layer == last)
            continue;
        fprintf(out, "%s%s", last != NULL ? ", " : "", arrays[a].layer->name);
        last = arrays[a].layer;
    }
}

/* What starts with the weights of another model, and what does not for want of its name there. */
static void tell_common(const char *path, const ls_model_array *arrays, int count, int common,
                        const ls_array_entry *entries, int listed) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL) return;
    fprintf(out, "%d of the model's %d arrays of weights begin as in %s, those of ", common, count, path);
    print_layers(arrays, count, entries, listed, true, out);
    if (common < count) fputs("; no layer there is named ", out);
    if (common < count) print_layers(arrays, count, entries, listed, false, out);
    if (fclose(out) == 0) ls_log_info("%s", text);
    free(text);
}

static ls_status read_common_arrays(ls_array_reader *reader, const char *path, const ls_snapshot *s,
                                    const ls_model_array *arrays, int count) {
    char name[LS_ARRAY_NAME_MAX];
    ls_array_entry *entries;
    int listed, common = 0;
    LS_TRY(ls_array_reader_list(reader, &entries, &listed));
    ls_status status = LS_OK;
    for (int a = 0; a < count && status == LS_OK; a++) {
        if (!is_listed(ls_weights_name(&arrays[a], name), entries, listed)) continue;
        status = read_weights(reader, path, s, &arrays[a]);
        common++;
    }
    if (status == LS_OK && common > 0) tell_common(path, arrays, count, common, entries, listed);
    ls_free(entries);
    if (status == LS_OK && common == 0)
        status = LS_RAISE(LS_INVALID, "%s: no layer with weights has the name of one in this model", path);
    return status;
}

typedef ls_status (*read_fn)(ls_array_reader *reader, const char *path, const ls_snapshot *s,
                             const ls_model_array *arrays, int count);

static ls_status read_file(const char *path, const ls_snapshot *snapshot, read_fn read) {
    ls_model_array *arrays;
    ls_array_reader *reader;
    int count;
    LS_TRY(ls_array_reader_open(path, &reader));
    ls_status status = ls_model_arrays(snapshot->model, &arrays, &count);
    if (status == LS_OK) status = read(reader, path, snapshot, arrays, count);
    ls_free(arrays);
    ls_array_reader_close(reader);
    return status;
}

ls_status ls_checkpoint_read(const char *path, ls_snapshot *snapshot) { return read_file(path, snapshot, read_arrays); }

ls_status ls_checkpoint_read_common(const char *path, const ls_snapshot *snapshot) {
    return read_file(path, snapshot, read_common_arrays);
}
