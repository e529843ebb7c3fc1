/* command.h - what a command of the program is: one file command_<name>.c each, one line in commands.c. Private to cli.
 */
#ifndef LS_CLI_COMMAND_H
#define LS_CLI_COMMAND_H

#include <stdbool.h>

#include "base/options.h"
#include "par/comm.h"

enum { LS_COMMAND_TABLES = 2, LS_CALL_OPTIONS_MAX = 64 };

typedef struct ls_command ls_command;

/* An option that may be given as often as wanted, each time with a value. */
typedef struct ls_repeated {
    const char *name, *help;
} ls_repeated;

extern const ls_repeated ls_repeated_set; /* --set path.to.key=value */

/* A command line, taken apart by a command's tables. Strings point into it. */
typedef struct ls_call {
    const ls_command *command;                          /* NULL: the program itself (its --help and --version) */
    void *options[LS_COMMAND_TABLES];                   /* the records of the command's tables */
    bool given[LS_COMMAND_TABLES][LS_CALL_OPTIONS_MAX]; /* which of their options the command line has */
    int words, repeats;
    const char **word;     /* what is not an option */
    const char **repeated; /* the values of the command's repeated option */
    bool help, version;
    const char *topic; /* what of a config help is asked about: "config" itself, or a name in it; else NULL */
} ls_call;

struct ls_command {
    const char *name;
    const char *usage; /* the words it takes, and options that it cannot do without */
    const char *help;
    struct {
        const ls_option *options; /* NULL: none */
        size_t bytes;
    } table[LS_COMMAND_TABLES];
    const ls_repeated *repeated; /* NULL: it has none */
    int min_words, max_words;
    /* Collective. Errors (agreed). */
    ls_status (*run)(const ls_comm *comm, const ls_call *call);
    /* "import idx": the command that a second word names; past the last one NULL. NULL: it has none. */
    const ls_command *(*kind)(int index);
};

extern const ls_command *const ls_commands[]; /* ended by NULL */

/* Local, the same on all ranks. Errors: LS_INVALID with the nearest command or option. ls_call_release in every case.
 */
ls_status ls_call_parse(int argc, char **argv, ls_call *out);
void ls_call_release(ls_call *call);

/* Errors: LS_INVALID where the option is given: "--range has no effect without --grid". */
ls_status ls_call_refuse(const ls_call *call, const char *name, const char *where);

/* Prints what --help and --version ask for. */
void ls_call_print_help(const ls_call *call, FILE *out);

#endif
