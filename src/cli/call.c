/* call.c - parses a command line by the tables of the commands. A wrong word is answered by the right one: the nearest
 * command or option, or the key of a config that an option like --epochs stands for. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/command.h"
#include "config/config.h"

typedef struct reader {
    int argc, at; /* at: the next argument */
    char **argv;
    ls_call *call;
} reader;

static bool is_help(const char *word) { return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0; }

/* ---- options ---- */

const ls_option ls_set_option = {"set", LS_OPTION_STRING,
                                 .help = "path.to.key=value, in place of what the config says; as often as wanted"};

const ls_option *ls_command_option(const ls_command *command, int index, int *table) {
    for (*table = 0; *table < LS_COMMAND_TABLES; ++*table)
        for (const ls_option *option = command->table[*table].options; option != NULL && option->name != NULL; option++)
            if (index-- == 0) return option;
    return index == 0 ? command->repeated : NULL;
}

static bool is_given(const ls_call *call, const ls_option *option, int table) {
    if (table == LS_COMMAND_TABLES) return call->repeats > 0;
    return call->given[table][option - call->command->table[table].options];
}

/* The option of that name; NULL: the command has none. */
static const ls_option *option_named(const ls_command *command, const char *name, int *table) {
    const ls_option *option;
    for (int i = 0; (option = ls_command_option(command, i, table)) != NULL && strcmp(option->name, name) != 0;) i++;
    return option;
}

/* The option that an argument names: "--name", "--name=value" or its letter, "-x"; NULL: the command has none. */
static const ls_option *find_option(const ls_command *command, const char *argument, int *table) {
    char name[LS_NAME_MAX];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument, "="), argument);
    if (strncmp(name, "--", 2) == 0) return option_named(command, name + 2, table);
    const ls_option *option = NULL;
    for (int i = 0; strlen(name) == 2 && (option = ls_command_option(command, i, table)) != NULL; i++)
        if (option->letter == name[1]) break;
    return option;
}

/* Where a value is missing the next option must not become the value: "--run --resume" would train in a directory
 * "--resume". A number below zero is a value. */
static bool looks_like_option(const char *word) {
    return word[0] == '-' && word[1] != '\0' && strchr(".0123456789", word[1]) == NULL;
}

/* What follows "=", else the next argument. */
static ls_status option_value(reader *r, const char *argument, const char **value) {
    const char *equals = strchr(argument, '=');
    if (equals != NULL) {
        *value = equals + 1;
        return LS_OK;
    }
    if (r->at == r->argc) return LS_RAISE(LS_INVALID, "%s needs a value", argument);
    const char *next = r->argv[r->at];
    if (looks_like_option(next))
        return LS_RAISE(LS_INVALID, "%s needs a value, and '%s' is an option; if it is the value, write %s=%s",
                        argument, next, argument, next);
    *value = next;
    r->at++;
    return LS_OK;
}

static ls_status refuse_option(const ls_command *command, const char *argument) {
    char storage[LS_COMMAND_OPTIONS_MAX][LS_NAME_MAX], where[LS_NAME_MAX + 8], word[LS_NAME_MAX];
    const char *names[LS_COMMAND_OPTIONS_MAX], *topics[LS_TOPICS_MAX], *key = NULL;
    int count = 0, table;
    for (const ls_option *option; (option = ls_command_option(command, count, &table)) != NULL; count++) {
        snprintf(storage[count], LS_NAME_MAX, "--%s", option->name);
        names[count] = storage[count];
    }
    names[count++] = "--help";
    snprintf(where, sizeof where, " of %s", command->name);
    snprintf(word, sizeof word, "%.*s", (int)strcspn(argument, "="), argument);
    bool takes_keys = command->repeated == &ls_set_option && strncmp(word, "--", 2) == 0;
    if (takes_keys && ls_nearest(word, names, count) == NULL)
        key = ls_nearest(word + 2, topics, ls_config_topics(topics));
    if (key == NULL) return ls_unknown("option", word, where, names, count);
    return LS_RAISE(LS_INVALID,
                    "unknown option '%s'%s; the config's keys are set by their whole path, like --set "
                    "training.epochs=5: see 'lockstep help %s'",
                    word, where, key);
}

static ls_status set_option(reader *r, int table, const ls_option *option, const char *argument) {
    ls_call *call = r->call;
    const char *value = "true";
    if (option->type != LS_OPTION_BOOL || strchr(argument, '=') != NULL) LS_TRY(option_value(r, argument, &value));
    if (table == LS_COMMAND_TABLES) {
        call->repeated[call->repeats++] = value;
        return LS_OK;
    }
    if (option->type == LS_OPTION_STRING && value[0] == '\0')
        return LS_RAISE(LS_INVALID, "--%s is empty; leave it out, or give it a value", option->name);
    if (option->type == LS_OPTION_BOOL && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return LS_RAISE(LS_INVALID, "--%s takes no value: write it without '=%s'", option->name, value);
    call->given[table][option - call->command->table[table].options] = true;
    if (ls_option_set(option, call->options[table], &value, 1, false) == LS_OK) return LS_OK;
    return ls_failure_prefix("--");
}

ls_status ls_call_refuse(const ls_call *call, const char *name, const char *where) {
    int table;
    const ls_option *option = option_named(call->command, name, &table);
    if (option == NULL || !is_given(call, option, table)) return LS_OK;
    return LS_RAISE(LS_INVALID, "--%s has no effect %s", name, where);
}

/* ---- arguments ---- */

static ls_status read_option(reader *r, const char *argument) {
    int table;
    const ls_option *option = find_option(r->call->command, argument, &table);
    r->call->help |= is_help(argument);
    if (is_help(argument)) return LS_OK;
    return option != NULL ? set_option(r, table, option, argument) : refuse_option(r->call->command, argument);
}

static ls_status read_arguments(reader *r) {
    ls_call *call = r->call;
    bool only_words = false; /* behind "--" */
    while (r->at < r->argc) {
        const char *argument = r->argv[r->at++];
        if (!only_words && strcmp(argument, "--") == 0)
            only_words = true;
        else if (!only_words && argument[0] == '-' && argument[1] != '\0')
            LS_TRY(read_option(r, argument));
        else
            call->word[call->words++] = argument;
    }
    return LS_OK;
}

static ls_status check_required(const ls_call *call) {
    const ls_option *option;
    for (int i = 0, table; (option = ls_command_option(call->command, i, &table)) != NULL; i++)
        if (option->required && !is_given(call, option, table))
            return LS_RAISE(LS_INVALID, "%s needs --%s: %s", call->command->name, option->name, option->help);
    return LS_OK;
}

static ls_status check_words(const ls_call *call) {
    const ls_command *command = call->command;
    int table;
    if (call->words < command->min_words)
        return LS_RAISE(LS_INVALID, "usage: lockstep %s %s", command->name, command->usage);
    if (call->words <= command->max_words) return LS_OK;
    const char *extra = call->word[command->max_words];
    const ls_option *output = option_named(command, "output", &table);
    if (output != NULL && !is_given(call, output, table))
        return LS_RAISE(LS_INVALID, "%s: one word too many: '%s'; if it is the file to write, write -o %s",
                        command->name, extra, extra);
    return LS_RAISE(LS_INVALID, "%s: one word too many: '%s'; usage: lockstep %s %s", command->name, extra,
                    command->name, command->usage);
}

/* ---- commands ---- */

static const ls_command *command_at(const ls_command *parent, int index) {
    return parent != NULL ? parent->kind(index) : ls_commands[index];
}

/* The words that name all commands (parent NULL) or a command's kinds. Returns how many. */
static int command_words(const ls_command *parent, const char **words) {
    int count = 0;
    for (const ls_command *command; (command = command_at(parent, count)) != NULL; count++)
        words[count] = parent != NULL ? command->name + strlen(parent->name) + 1 : command->name;
    return count;
}

static const ls_command *command_named(const ls_command *parent, const char *word) {
    const char *words[LS_COMMAND_OPTIONS_MAX];
    int count = command_words(parent, words);
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0) return command_at(parent, i);
    return NULL;
}

static ls_status find_command(const ls_command *parent, const char *word, const ls_command **out) {
    *out = command_named(parent, word);
    if (*out != NULL) return LS_OK;
    const char *words[LS_COMMAND_OPTIONS_MAX];
    char where[LS_NAME_MAX + 8] = "";
    int count = command_words(parent, words);
    if (parent == NULL) words[count++] = "help";
    if (parent == NULL) words[count++] = "--version";
    if (parent != NULL) snprintf(where, sizeof where, " of %s", parent->name);
    return ls_unknown(parent != NULL ? "kind" : "command", word, where, words, count);
}

/* The second word of "import idx"; "import --help" stays with import. */
static ls_status choose_kind(reader *r) {
    const ls_command *command = r->call->command;
    if (command->kind == NULL) return LS_OK;
    if (r->at == r->argc && r->call->help) return LS_OK;
    if (r->at == r->argc) return LS_RAISE(LS_INVALID, "usage: lockstep %s %s", command->name, command->usage);
    if (is_help(r->argv[r->at])) return LS_OK;
    const char *word = r->argv[r->at++];
    if (ls_file_is_directory(word) && command_named(command, word) == NULL && command_named(command, "images") != NULL)
        return LS_RAISE(LS_INVALID, "%s is a folder; of pictures: lockstep %s images %s -o FILE.h5 --size 80x80", word,
                        command->name, word);
    return find_command(command, word, &r->call->command);
}

/* "config", or the name of a key, layer, option, ... in a config; of a path as --set has it, "training.epochs", the
 * key at its end. */
static ls_status find_topic(const char *word, const char **out) {
    const char *names[LS_TOPICS_MAX + LS_COMMAND_OPTIONS_MAX], *dot = strrchr(word, '.');
    int count = ls_config_topics(names);
    names[count++] = "config";
    if (dot != NULL) word = dot + 1;
    *out = word;
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], word) == 0) return LS_OK;
    count += command_words(NULL, names + count);
    const char *nearest = ls_nearest(word, names, count);
    if (nearest != NULL) return LS_RAISE(LS_INVALID, "there is no help on '%s'; did you mean '%s'?", word, nearest);
    return LS_RAISE(LS_INVALID, "there is no help on '%s'; see 'lockstep --help' and 'lockstep help config'", word);
}

/* "help train", "help import idx", "help idx", "help conv2d". "help" alone and "help help" are the program's help. */
static ls_status choose_topic(reader *r) {
    r->call->help = true;
    if (r->at == r->argc) return LS_OK;
    const char *word = r->argv[r->at++];
    if (is_help(word) || strcmp(word, "help") == 0) return LS_OK;
    const ls_command *found = command_named(NULL, word);
    for (int i = 0; found == NULL && ls_commands[i] != NULL; i++)
        if (ls_commands[i]->kind != NULL) found = command_named(ls_commands[i], word);
    r->call->command = found;
    return found != NULL ? LS_OK : find_topic(word, &r->call->topic);
}

static ls_status choose_command(reader *r) {
    if (r->argc < 2) return LS_RAISE(LS_INVALID, "which command? 'lockstep --help' lists them");
    const char *word = r->argv[r->at++];
    r->call->version = strcmp(word, "--version") == 0;
    r->call->tables = strcmp(word, "--tables") == 0;
    if (r->call->version || r->call->tables) return LS_OK;
    if (is_help(word) || strcmp(word, "help") == 0) return choose_topic(r);
    return find_command(NULL, word, &r->call->command);
}

static ls_status prepare_records(ls_call *call, int argc) {
    LS_TRY(ls_alloc(&call->word, argc, sizeof *call->word, "the command line"));
    LS_TRY(ls_alloc(&call->repeated, argc, sizeof *call->repeated, "the command line"));
    for (int t = 0; t < LS_COMMAND_TABLES; t++) {
        const ls_option *options = call->command->table[t].options;
        if (options == NULL) continue;
        LS_TRY(ls_alloc(&call->options[t], (int64_t)call->command->table[t].bytes, 1, "the command line"));
        ls_options_init(options, call->options[t]);
    }
    return LS_OK;
}

ls_status ls_call_parse(int argc, char **argv, ls_call *out) {
    *out = (ls_call){0};
    reader r = {.argc = argc, .at = 1, .argv = argv, .call = out};
    LS_TRY(choose_command(&r));
    if (out->command != NULL) LS_TRY(choose_kind(&r));
    if (out->help || out->version || out->tables) {
        if (r.at == argc) return LS_OK;
        return LS_RAISE(LS_INVALID, "%s: one word too many: '%s'; see 'lockstep --help'", argv[1], argv[r.at]);
    }
    LS_TRY(prepare_records(out, argc));
    LS_TRY(read_arguments(&r));
    if (out->help) return LS_OK;
    LS_TRY(check_words(out));
    return check_required(out);
}

void ls_call_release(ls_call *call) {
    for (int t = 0; t < LS_COMMAND_TABLES; t++) ls_free(call->options[t]);
    ls_free(call->word);
    ls_free(call->repeated);
    *call = (ls_call){0};
}
