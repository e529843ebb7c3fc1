/* command.h - what a command of the program is. Each command is a file command_<name>.c and a line in commands.c; the
 * command line, --help, the man page, shell completions and docs/reference.md are all made from its tables. */
#ifndef LS_CLI_COMMAND_H
#define LS_CLI_COMMAND_H

#include <stdbool.h>

#include "base/options.h"
#include "par/comm.h"

/* A command has up to three tables of options, its own and those that commands share (shared_options.h). */
enum { LS_COMMAND_TABLES = 3, LS_COMMAND_OPTIONS_MAX = 64 };

typedef struct ls_command ls_command;

/* --set path.to.key=value. */
extern const ls_option ls_set_option;

/* A command line that was parsed. Its strings point into argv. */
typedef struct ls_call {
    const ls_command *command;                             /* NULL: the program itself (--help, --version, --tables) */
    void *options[LS_COMMAND_TABLES];                      /* the record of each table */
    bool given[LS_COMMAND_TABLES][LS_COMMAND_OPTIONS_MAX]; /* which options the command line has */
    int words, repeats;
    const char **word;     /* [words] what is not an option */
    const char **repeated; /* [repeats] the values of the command's repeated option */
    bool help, version, tables;
    const char *topic; /* what `help TOPIC` asks about: "config" or a name in a config; NULL: nothing */
} ls_call;

struct ls_command {
    const char *name;
    const char *usage; /* its words, and the options that it needs */
    const char *help;
    struct {
        const ls_option *options; /* NULL: none */
        size_t bytes;             /* of the record */
    } table[LS_COMMAND_TABLES];
    const ls_option *repeated; /* may be given any number of times, each time with a value; NULL: none */
    int min_words, max_words;
    /* Collective. Errors (agreed). */
    ls_status (*run)(const ls_comm *comm, const ls_call *call);
    /* Of "import" and "synth", whose second word names the command: kind(i), NULL past the last. Else NULL. */
    const ls_command *(*kind)(int index);
};

extern const ls_command *const ls_commands[]; /* ended by NULL */

/* The option number `index` of all of a command's tables; then the repeated one; then NULL. *table: which table it is
 * in, LS_COMMAND_TABLES for the repeated one. */
const ls_option *ls_command_option(const ls_command *command, int index, int *table);

/* Local, the same on all ranks. Errors: LS_INVALID, with the nearest command or option. ls_call_release in every case.
 */
ls_status ls_call_parse(int argc, char **argv, ls_call *out);
void ls_call_release(ls_call *call);

/* Errors: LS_INVALID where the option was given: "--range has no effect without --grid". */
ls_status ls_call_refuse(const ls_call *call, const char *name, const char *where);

/* Prints what --help, --version or --tables asks for. */
void ls_call_print_help(const ls_call *call, FILE *out);

#endif
