/* help.c - what the program prints about itself, from its tables: --help for people, --tables for programs. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "config/config.h"

static void print_program(FILE *out) {
    fputs("Lockstep trains image autoencoders on many processes at once: the same bits on any number of them.\n\n"
          "usage: [mpirun -np RANKS] lockstep COMMAND ...\n\n",
          out);
    for (int i = 0; ls_commands[i] != NULL; i++)
        fprintf(out, "  %-12s  %s\n", ls_commands[i]->name, ls_commands[i]->help);
    fputs("\n"
          "lockstep COMMAND --help    the words and options of a command\n"
          "lockstep help config       the keys of a run's YAML file\n"
          "lockstep help NAME         a key, layer, optimizer, ...: training, conv2d, adam, layers, ...\n"
          "lockstep --version\n"
          "lockstep --tables          all commands, options and keys, a line each, for programs\n\n"
          "Exit status: 0 done; 1 the run failed; 2 the command line, config or data is wrong;\n"
          "75 stopped by a signal after saving, 76 another rank or the launcher was lost (run again with\n"
          "--resume).\n",
          out);
}

static void print_command(const ls_command *command, FILE *out) {
    fprintf(out, "usage: lockstep %s %s\n\n%s\n\n", command->name, command->usage, command->help);
    const ls_option *option;
    for (int i = 0, table; (option = ls_command_option(command, i, &table)) != NULL; i++)
        ls_options_help((ls_option[]){*option, LS_OPTIONS_END}, "--", out);
    if (command->kind == NULL) return;
    for (int i = 0; command->kind(i) != NULL; i++)
        fprintf(out, "  lockstep %s %s\n      %s\n", command->kind(i)->name, command->kind(i)->usage,
                command->kind(i)->help);
    fprintf(out, "\nlockstep %s KIND --help    the options of a kind\n", command->name);
}

static void print_rows(const ls_command *command, FILE *out) {
    fprintf(out, "command\t\t%s\t\t\t\t\t%s\t%s\n", command->name, command->usage, command->help);
    const ls_option *option;
    for (int i = 0, table; (option = ls_command_option(command, i, &table)) != NULL; i++)
        ls_option_row("option", command->name, option, out);
    for (int i = 0; command->kind != NULL && command->kind(i) != NULL; i++) print_rows(command->kind(i), out);
}

void ls_call_print_help(const ls_call *call, FILE *out) {
    if (call->version) {
        fputs("lockstep " LS_VERSION "\n", out);
    } else if (call->tables) {
        for (int i = 0; ls_commands[i] != NULL; i++) print_rows(ls_commands[i], out);
        ls_config_rows(out);
    } else if (call->topic != NULL && strcmp(call->topic, "config") == 0) {
        ls_config_help(out);
    } else if (call->topic != NULL) {
        ls_config_help_topic(call->topic, out);
    } else if (call->command == NULL) {
        print_program(out);
    } else {
        print_command(call->command, out);
    }
}
