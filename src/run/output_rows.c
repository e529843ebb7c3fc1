#include "output_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* In quotes where a reader would else end the field within it, or begin it later. */
static char *put_field(const char *text, char *end) {
    bool quoted = strpbrk(text, ",;\t\"\r\n") != NULL || text[0] == ' ';
    if (quoted) *end++ = '"';
    for (; *text; text++) {
        if (*text == '"') *end++ = '"';
        *end++ = *text;
    }
    if (quoted) *end++ = '"';
    *end++ = ',';
    *end = '\0';
    return end;
}

char *ls_row_header(const ls_sink_spec *spec, char *text) {
    *text = '\0';
    if (spec->named) text = put_field("name", text);
    if (spec->labelled) text = put_field("label", text);
    return text;
}

char *ls_row_text(const ls_sink_spec *spec, const char *name, int32_t label, char *text) {
    char number[16];
    (void)snprintf(number, sizeof number, "%" PRId32, label);
    *text = '\0';
    if (spec->named) text = put_field(name ? name : "", text);
    if (spec->labelled) text = put_field(number, text);
    return text;
}
