/* output_rows_internal.h - which row of a file of text is which sample: its name and its label, as the first fields of
 * a line, separated and quoted as RFC 4180 says, in UTF-8 (bytes that are none are replaced). Local. */
#ifndef LS_REPORT_OUTPUT_ROWS_INTERNAL_H
#define LS_REPORT_OUTPUT_ROWS_INTERNAL_H

#include "data/dataset.h"
#include "report/outputs.h"

enum { LS_ROW_TEXT_MAX = 3 * LS_SAMPLE_NAME_MAX + 32 /* more than a quoted name, a label and their commas take */ };

/* "name,label," or what of it the samples have; ends with a zero, which it returns the place of. text:
 * LS_ROW_TEXT_MAX. */
char *ls_row_header(const ls_sink_spec *spec, char *text);
/* The same of a sample: its name (NULL: none) and its label. */
char *ls_row_text(const ls_sink_spec *spec, const char *name, int32_t label, char *text);

#endif
