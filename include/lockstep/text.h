/* text.h - values as JSON and YAML (1.1 too) have them. Local. */
#ifndef LOCKSTEP_TEXT_H
#define LOCKSTEP_TEXT_H

#include <stdio.h>

enum { LS_NUMBER_TEXT_MAX = 32 };

/* The fewest digits that give a number back exactly, whole numbers without an exponent; null where it is not finite.
 * Returns text, or a constant. */
const char *ls_number_text(double value, char text[LS_NUMBER_TEXT_MAX]);

/* A string in double quotes. */
void ls_quoted_print(const char *text, FILE *out);

#endif
