/* help.c - what the program says about itself, from its tables. */
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
          "lockstep COMMAND --help    what a command takes\n"
          "lockstep help config       what a run's YAML file may say\n"
          "lockstep help NAME         what of it has that name: training, conv2d, adam, layers, ...\n"
          "lockstep --version\n\n"
          "Exit status: 0 done; 1 the run failed; 2 the command line, config or data is wrong;\n"
          "75 stopped by a signal after saving, 76 another rank or the launcher was lost (run again with\n"
          "--resume).\n",
          out);
}

static void print_kinds(const ls_command *command, FILE *out) {
    for (int i = 0; command->kind(i) != NULL; i++)
        fprintf(out, "  lockstep %s %s\n      %s\n", command->kind(i)->name, command->kind(i)->usage,
                command->kind(i)->help);
    fprintf(out, "\nlockstep %s KIND --help    what a kind takes\n", command->name);
}

static void print_command(const ls_command *command, FILE *out) {
    fprintf(out, "usage: lockstep %s %s\n\n%s\n\n", command->name, command->usage, command->help);
    if (command->kind != NULL) {
        print_kinds(command, out);
        return;
    }
    for (int t = 0; t < LS_COMMAND_TABLES; t++)
        if (command->table[t].options != NULL) ls_options_help(command->table[t].options, "--", out);
    if (command->repeated != NULL)
        fprintf(out, "  --%-18s  %s; as often as wanted\n", command->repeated->name, command->repeated->help);
}

void ls_call_print_help(const ls_call *call, FILE *out) {
    if (call->version)
        fputs("lockstep " LS_VERSION "\n", out);
    else if (call->topic != NULL && strcmp(call->topic, "config") == 0)
        ls_config_help(out);
    else if (call->topic != NULL)
        ls_config_help_topic(call->topic, out);
    else if (call->command == NULL)
        print_program(out);
    else
        print_command(call->command, out);
}
