/* output_hdf5.c - an output as a data set that `train` reads. One rank writes it, so that its bytes do not depend on
 * how many there are. */
#include "data/dataset.h"
#include "report/output_format_internal.h"
#include "store/writer.h"

static const ls_comm alone = {.size = 1, .host_size = 1};

static ls_status open_file(const char *path, const ls_sink_spec *spec, void **state) {
    ls_writer_spec data_set = {.shape = spec->shape,
                               .element = LS_ELEMENT_FLOAT32,
                               .max_count = spec->total,
                               .labelled = spec->labelled,
                               .named = spec->named,
                               .classes = spec->classes,
                               .class_names = spec->class_names,
                               .settings = spec->settings};
    return ls_writer_open(&alone, path, &data_set, (ls_writer **)state);
}

static ls_status append(void *state, int64_t count, const float *data, const int32_t *labels,
                        const char *const *names) {
    return ls_writer_append(state, count, data, labels, names);
}

static ls_status close_file(void *state, bool keep) { return ls_writer_close(state, keep); }

const ls_output_format ls_output_hdf5 = {
    .ending = ".h5", .name = "HDF5", .open = open_file, .append = append, .close = close_file};
