/* output_rows.c - names and labels in CSV. */
#include "report/output_rows_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static char *put_bytes(const char *bytes, int count, char *end) {
    memcpy(end, bytes, (size_t)count);
    return end + count;
}

/* A name of a file may be any bytes; readers of text want UTF-8. */
static char *put_characters(const char *text, char *end) {
    uint32_t code;
    for (size_t left = strlen(text); left > 0;) {
        int bytes = ls_utf8_decode(text, left, &code);
        if (*text == '"') *end++ = '"';
        end = bytes > 0 ? put_bytes(text, bytes, end) : put_bytes("\xEF\xBF\xBD", 3, end);
        bytes = bytes > 0 ? bytes : 1;
        text += bytes;
        left -= (size_t)bytes;
    }
    return end;
}

/* In quotes where a reader would else end the field within it, or begin it later. */
static char *put_field(const char *text, char *end) {
    bool quoted = strpbrk(text, ",;\t\"\r\n") != NULL || text[0] == ' ';
    if (quoted) *end++ = '"';
    end = put_characters(text, end);
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
