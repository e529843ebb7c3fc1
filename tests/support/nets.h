/* nets.h - models in a line or two, for tests. Failures of the library fail the test with its message. */
#ifndef SUPPORT_NETS_H
#define SUPPORT_NETS_H

#include "nn/model.h"

void expect_ok(ls_status status);
void expect_near(double actual, double expected, double tolerance);

/* A pool, and the instruction set that a run would use. */
ls_pool *start_pool(int threads);

/* Sets a record's defaults, then "units=3 strides=2,1 activation=tanh". */
void set_options(const ls_option *table, void *record, const char *text);

/* Adds a layer that takes the previous one's output; name may be NULL. */
void add_layer(ls_model *model, const char *type, const char *options, const char *name);
ls_status try_layer(ls_model *model, const ls_layer_type *type, const char *options, const char *name,
                    const char *const *inputs, int count);

ls_model *new_model(ls_shape input);

/* lanes in all; subtree i has the lanes [begin[i], begin[i+1]), begin ends with the number of lanes; lane_rows[lanes].
 */
ls_rows make_rows(int lanes, const int64_t *lane_rows, int subtrees, const int *begin);

/* Number `index` of stream `stream`, uniform in [0, 1) with 24 bits: SplitMix64's output function (Steele, Lea and
 * Flood 2014), which scripts/make-references computes too. */
float formula_number(uint32_t stream, uint64_t index);
void fill_formula(uint32_t stream, float low, float high, int64_t count, float *out);

#endif
