/* text.c - numbers and strings for JSON, YAML, terminals and shells, and the decoding of UTF-8 behind them; see
 * text.h. */
#define _GNU_SOURCE /* fopencookie, mempcpy */
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/descriptor.h"

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

/* ---- UTF-8 ---- */

int ls_utf8_decode(const char *text, size_t bytes, uint32_t *code) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* that needs so many bytes */
    const unsigned char *byte = (const unsigned char *)text;
    if (bytes == 0) return 0;
    int length = byte[0] < 0x80 ? 1 : byte[0] < 0xC0 ? 0 : byte[0] < 0xE0 ? 2 : byte[0] < 0xF0 ? 3 : 4;
    if (length == 0 || byte[0] > 0xF4 || (size_t)length > bytes) return 0;
    *code = length == 1 ? byte[0] : byte[0] & (0x7Fu >> length);
    for (int i = 1; i < length; i++) {
        if ((byte[i] & 0xC0) != 0x80) return 0;
        *code = *code << 6 | (byte[i] & 0x3F);
    }
    bool surrogate = *code >= 0xD800 && *code < 0xE000;
    return *code >= least[length] && *code <= 0x10FFFF && !surrogate ? length : 0;
}

static bool is_control(uint32_t code) { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

/* Control characters; what YAML takes for the end of a line; and what it has no place for. */
static bool needs_escape(uint32_t code) {
    return is_control(code) || code == 0x2028 || code == 0x2029 || code == 0xFEFF || code == 0xFFFE || code == 0xFFFF;
}

void ls_quoted_print(const char *text, FILE *out) {
    fputc('"', out);
    for (size_t left = strlen(text); left > 0;) {
        uint32_t code = 0;
        int length = ls_utf8_decode(text, left, &code), bytes = length > 0 ? length : 1;
        if (length == 0 || needs_escape(code))
            fprintf(out, "\\u%04x", length > 0 ? code : 0xFFFD);
        else
            fprintf(out, "%s%.*s", code == '"' || code == '\\' ? "\\" : "", bytes, text);
        text += bytes;
        left -= (size_t)bytes;
    }
    fputc('"', out);
}

char *ls_utf8_copy(const char *text) {
    static const char replacement[] = "\xEF\xBF\xBD";
    size_t left = strlen(text);
    char *copy = malloc(3 * left + 1), *end = copy;
    while (copy != NULL && left > 0) {
        uint32_t code = 0;
        int length = ls_utf8_decode(text, left, &code), used = length > 0 ? length : 1;
        end = mempcpy(end, length > 0 ? text : replacement, length > 0 ? (size_t)length : strlen(replacement));
        text += used;
        left -= (size_t)used;
    }
    if (copy != NULL) *end = '\0';
    return copy;
}

void ls_utf8_print(const char *text, FILE *out) {
    char *copy = ls_utf8_copy(text);
    for (const char *c = copy; c != NULL && *c != '\0'; c++) (void)fputc(iscntrl((unsigned char)*c) ? ' ' : *c, out);
    free(copy);
}

/* ---- for terminals ---- */

enum { SHOWN_MAX = 16 /* of one character, with the final zero */ };

/* The first character of text[bytes], or its first byte where that begins none. Returns how many bytes that was. */
static int show_one(const char *text, size_t bytes, bool lines, char shown[SHOWN_MAX]) {
    uint32_t code = 0;
    int length = ls_utf8_decode(text, bytes, &code), used = length > 0 ? length : 1;
    bool plain = length > 0 && (!is_control(code) || code == '\t' || (lines && code == '\n'));
    char *end = shown;
    for (int i = 0; i < used; i++)
        end += sprintf(end, plain ? "%c" : "\\x%02x", plain ? text[i] : (unsigned char)text[i]);
    return used;
}

char *ls_text_show(const char *text, bool lines, char *shown, size_t capacity) {
    size_t at = 0;
    char one[SHOWN_MAX];
    for (size_t left = strlen(text); left > 0;) {
        int used = show_one(text, left, lines, one);
        size_t length = strlen(one);
        if (at + length >= capacity) break;
        memcpy(shown + at, one, length);
        at += length;
        text += used;
        left -= (size_t)used;
    }
    shown[at] = '\0';
    return shown;
}

/* What is written may end within a character: that waits for its other bytes. */
typedef struct text_stream {
    int descriptor;
    size_t waiting;
    char head[4];
} text_stream;

/* How many bytes at the end begin a character that needs more. */
static size_t cut_bytes(const char *text, size_t bytes) {
    for (size_t back = 1; back <= 3 && back <= bytes; back++) {
        unsigned char byte = (unsigned char)text[bytes - back];
        if ((byte & 0xC0) == 0x80) continue;
        size_t needed = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
        return needed > back ? back : 0;
    }
    return 0;
}

static bool write_shown(int descriptor, const char *text, size_t bytes) {
    char shown[BUFSIZ], one[SHOWN_MAX];
    size_t at = 0;
    while (bytes > 0) {
        int used = show_one(text, bytes, true, one);
        size_t length = strlen(one);
        memcpy(shown + at, one, length);
        at += length;
        text += used;
        bytes -= (size_t)used;
        if (at + SHOWN_MAX <= sizeof shown && bytes > 0) continue;
        if (!ls_fd_write(descriptor, shown, (int64_t)at)) return false;
        at = 0;
    }
    return true;
}

static ssize_t write_stream(void *cookie, const char *text, size_t bytes) {
    text_stream *stream = cookie;
    char *whole = malloc(sizeof stream->head + bytes);
    if (whole == NULL) return 0;
    memcpy(whole, stream->head, stream->waiting);
    memcpy(whole + stream->waiting, text, bytes);
    size_t count = stream->waiting + bytes;
    stream->waiting = cut_bytes(whole, count);
    count -= stream->waiting;
    memcpy(stream->head, whole + count, stream->waiting);
    bool written = write_shown(stream->descriptor, whole, count);
    free(whole);
    return written ? (ssize_t)bytes : 0;
}

static int close_stream(void *cookie) {
    text_stream *stream = cookie;
    bool written = write_shown(stream->descriptor, stream->head, stream->waiting);
    free(stream);
    return written ? 0 : EOF;
}

FILE *ls_text_stream(int descriptor) {
    text_stream *stream = malloc(sizeof *stream);
    if (stream == NULL) return NULL;
    *stream = (text_stream){.descriptor = descriptor};
    FILE *out = fopencookie(stream, "w", (cookie_io_functions_t){.write = write_stream, .close = close_stream});
    if (out == NULL) free(stream);
    return out;
}

/* ---- for people and shells ---- */

const char *ls_seconds_text(double seconds, char text[LS_SECONDS_TEXT_MAX]) {
    if (seconds < 0.0995)
        (void)snprintf(text, LS_SECONDS_TEXT_MAX, "%.3f s", seconds);
    else if (seconds < 9.95)
        (void)snprintf(text, LS_SECONDS_TEXT_MAX, "%.1f s", seconds);
    else if (seconds < 599.5)
        (void)snprintf(text, LS_SECONDS_TEXT_MAX, "%.0f s", seconds);
    else if (seconds < 2 * 3600)
        (void)snprintf(text, LS_SECONDS_TEXT_MAX, "%.0f min", seconds / 60);
    else
        (void)snprintf(text, LS_SECONDS_TEXT_MAX, "%.1f h", seconds / 3600);
    return text;
}

void ls_word_print(const char *word, FILE *out) {
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-./,:=@%";
    if (word[0] != '\0' && word[strspn(word, safe)] == '\0') {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (const char *c = word; *c != '\0'; c++) fputs(*c == '\'' ? "'\\''" : (char[]){*c, '\0'}, out);
    fputc('\'', out);
}

static const char *program = "lockstep";

void ls_program_set(const char *typed) { program = typed; }

void ls_program_print(FILE *out) { ls_word_print(program, out); }
