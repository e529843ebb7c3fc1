/* text.h - values as JSON and YAML (also 1.1) have them, and texts of others made safe for a terminal. Local. */
#ifndef LS_BASE_TEXT_H
#define LS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { LS_NUMBER_TEXT_MAX = 32, LS_SECONDS_TEXT_MAX = 32 };

/* The fewest digits that give a number back exactly, whole numbers without an exponent; null where it is not finite.
 * Returns text, or a constant. */
const char *ls_number_text(double value, char text[LS_NUMBER_TEXT_MAX]);

/* A string in double quotes, in JSON and YAML alike: what either does not take as it is becomes \uXXXX, and a byte that
 * is no UTF-8 the replacement character. */
void ls_quoted_print(const char *text, FILE *out);

/* The bytes of the character of UTF-8 that text[bytes] begins with, 1 to 4, and its number in *code; 0 where it is
 * none: bytes of something else, cut short, longer than need be, or a surrogate. */
int ls_utf8_decode(const char *text, size_t bytes, uint32_t *code);

/* A text from outside, such as a name, can send commands to a terminal by control characters. `shown` is the text with
 * these, and with bytes that are no UTF-8, written as "\x1b". A tab stays, and a new line where `lines` is true. What
 * does not fit is left out. Returns shown. */
char *ls_text_show(const char *text, bool lines, char *shown, size_t capacity);

/* A stream that writes to the file descriptor what ls_text_show makes of it, lines kept. NULL: no memory. */
FILE *ls_text_stream(int descriptor);

/* A copy as UTF-8, which names of files need not be: each byte that is no part of a character becomes U+FFFD. The
 * caller frees it (free). NULL: no memory. */
char *ls_utf8_copy(const char *text);
/* The same, printed as a field of a table: a control character, which could end the field, becomes a space. */
void ls_utf8_print(const char *text, FILE *out);

/* For people: "0.012 s", "3.4 s", "75 s", "12 min", "3.4 h". Returns text. */
const char *ls_seconds_text(double seconds, char text[LS_SECONDS_TEXT_MAX]);

/* A word of a command line, in quotes where a shell needs them. */
void ls_word_print(const char *word, FILE *out);

/* The program's name as it was typed, for command lines that messages tell to type next; before it is set, "lockstep".
 */
void ls_program_set(const char *typed);
void ls_program_print(FILE *out);

/* The word for so many: "sample" or "samples". */
static inline const char *ls_plural(int64_t count, const char *one, const char *many) {
    return count == 1 ? one : many;
}

#endif
