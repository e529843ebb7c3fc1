/* commands.c - the table of commands. */
#include "cli/command.h"

/* In the order of a first use: data, training, the trained model. */
#define COMMANDS(X)                                                                                                    \
    X(import)                                                                                                          \
    X(synth)                                                                                                           \
    X(init)                                                                                                            \
    X(train)                                                                                                           \
    X(evaluate)                                                                                                        \
    X(encode)                                                                                                          \
    X(decode)                                                                                                          \
    X(reconstruct)                                                                                                     \
    X(sample)                                                                                                          \
    X(inspect)                                                                                                         \
    X(bench)

#define DECLARE(name) extern const ls_command ls_command_##name;
#define ENTRY(name)   &ls_command_##name,
COMMANDS(DECLARE)

const ls_command *const ls_commands[] = {COMMANDS(ENTRY) NULL};
