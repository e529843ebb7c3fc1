/* text.c - see text.h. */
#include "lockstep/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* To YAML 1.1, and so to PyYAML, an exponent without a point, "1e-07", is a string. */
static void add_point(char *text) {
    char *exponent = strchr(text, 'e');
    if (exponent == NULL || strchr(text, '.') != NULL) return;
    memmove(exponent + 2, exponent, strlen(exponent) + 1);
    memcpy(exponent, ".0", 2);
}

const char *ls_number_text(double value, char text[LS_NUMBER_TEXT_MAX]) {
    if (!isfinite(value)) return "null";
    if (value == trunc(value) && fabs(value) < 1e15) {
        (void)snprintf(text, LS_NUMBER_TEXT_MAX, "%.0f", value);
        return text;
    }
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(text, LS_NUMBER_TEXT_MAX, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    add_point(text);
    return text;
}

void ls_quoted_print(const char *text, FILE *out) {
    fputc('"', out);
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte < 0x20 || byte == 0x7f)
            fprintf(out, "\\u%04x", byte);
        else
            fprintf(out, "%s%c", byte == '"' || byte == '\\' ? "\\" : "", byte);
    }
    fputc('"', out);
}
