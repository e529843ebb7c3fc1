/* call.c - from a command line to a call. */
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

/* ---- options ---- */

const ls_repeated ls_repeated_set = {"set", "path.to.key=value, in place of what the config says"};

/* The option that an argument names: "--name", "--name=value", or its letter, "-x". NULL: not of this table. */
static const ls_option *find_option(const ls_option *table, const char *argument) {
    char name[LS_NAME_MAX];
    if (argument[1] == '-') {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
        return ls_options_find(table, name);
    }
    if (argument[2] != '\0' && argument[2] != '=') return NULL;
    for (const ls_option *option = table; option->name != NULL; option++)
        if (option->letter == argument[1]) return option;
    return NULL;
}

/* An option of the command, in whatever table, or NULL. *table says in which. */
static const ls_option *find_in_tables(const ls_command *command, const char *argument, int *table) {
    for (*table = 0; *table < LS_COMMAND_TABLES; (*table)++) {
        const ls_option *options = command->table[*table].options, *option = NULL;
        if (options != NULL) option = find_option(options, argument);
        if (option != NULL) return option;
    }
    return NULL;
}

static bool is_help(const char *word) { return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0; }

/* A value that is missing must not make the next option, or one of another program, the value: "--run --resume" would
 * train in a folder "--resume". A number below zero is no option. */
static bool looks_like_option(const char *word) {
    return word[0] == '-' && word[1] != '\0' && strchr(".0123456789", word[1]) == NULL;
}

/* What stands behind "=", else the next argument. */
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

/* The key that "--epochs" or "--lr" means, where --set training.epochs=5 is right; NULL: none. */
static const char *meant_key(const ls_command *command, const char *word) {
    const char *names[LS_TOPICS_MAX];
    if (command->repeated != &ls_repeated_set || strncmp(word, "--", 2) != 0) return NULL;
    return ls_nearest(word + 2, names, ls_config_topics(names));
}

static ls_status refuse_option(const ls_command *command, const char *argument) {
    char storage[LS_CALL_OPTIONS_MAX][LS_NAME_MAX];
    const char *names[LS_CALL_OPTIONS_MAX];
    int count = 0;
    for (int t = 0; t < LS_COMMAND_TABLES; t++)
        for (const ls_option *option = command->table[t].options; option != NULL && option->name != NULL; option++) {
            snprintf(storage[count], LS_NAME_MAX, "--%s", option->name);
            names[count] = storage[count];
            count++;
        }
    if (command->repeated != NULL) {
        snprintf(storage[count], LS_NAME_MAX, "--%s", command->repeated->name);
        names[count] = storage[count];
        count++;
    }
    names[count++] = "--help";
    char where[LS_NAME_MAX + 8], word[LS_NAME_MAX];
    snprintf(where, sizeof where, " of %s", command->name);
    snprintf(word, sizeof word, "%.*s", (int)strcspn(argument, "="), argument);
    const char *key = ls_nearest(word, names, count) == NULL ? meant_key(command, word) : NULL;
    if (key == NULL) return ls_unknown("option", word, where, names, count);
    return LS_RAISE(LS_INVALID,
                    "unknown option '%s'%s; the config's keys are set by their whole path, like --set "
                    "training.epochs=5: see 'lockstep help %s'",
                    word, where, key);
}

static ls_status set_option(reader *r, int table, const ls_option *option, const char *argument) {
    const ls_option *options = r->call->command->table[table].options;
    const char *value = "true";
    if (option->type != LS_OPTION_BOOL || strchr(argument, '=') != NULL) LS_TRY(option_value(r, argument, &value));
    if (option->type == LS_OPTION_STRING && value[0] == '\0')
        return LS_RAISE(LS_INVALID, "--%s is empty; leave it out, or say what it should be", option->name);
    r->call->given[table][option - options] = true;
    if (option->type == LS_OPTION_BOOL && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return LS_RAISE(LS_INVALID, "--%s takes no value: write it without '=%s'", option->name, value);
    if (ls_option_set(option, r->call->options[table], &value, 1, false) == LS_OK) return LS_OK;
    return ls_failure_prefix("--");
}

ls_status ls_call_refuse(const ls_call *call, const char *name, const char *where) {
    for (int t = 0; t < LS_COMMAND_TABLES; t++) {
        const ls_option *options = call->command->table[t].options,
                        *option = options != NULL ? ls_options_find(options, name) : NULL;
        if (option != NULL && call->given[t][option - options])
            return LS_RAISE(LS_INVALID, "--%s has no effect %s", name, where);
    }
    const ls_repeated *repeated = call->command->repeated;
    if (repeated != NULL && call->repeats > 0 && strcmp(repeated->name, name) == 0)
        return LS_RAISE(LS_INVALID, "--%s has no effect %s", name, where);
    return LS_OK;
}

static bool names_repeated(const ls_command *command, const char *argument) {
    if (command->repeated == NULL || strncmp(argument, "--", 2) != 0) return false;
    const char *bare = argument + 2;
    size_t length = strcspn(bare, "=");
    return strlen(command->repeated->name) == length && strncmp(bare, command->repeated->name, length) == 0;
}

static ls_status read_option(reader *r, const char *argument) {
    ls_call *call = r->call;
    const ls_command *command = call->command;
    if (is_help(argument)) {
        call->help = true;
        return LS_OK;
    }
    if (names_repeated(command, argument)) return option_value(r, argument, &call->repeated[call->repeats++]);
    int table;
    const ls_option *option = find_in_tables(command, argument, &table);
    if (option != NULL) return set_option(r, table, option, argument);
    return refuse_option(command, argument);
}

/* ---- words ---- */

static ls_status read_arguments(reader *r) {
    ls_call *call = r->call;
    bool only_words = false;
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

static ls_status check_required(const reader *r) {
    const ls_command *command = r->call->command;
    for (int t = 0; t < LS_COMMAND_TABLES; t++) {
        const ls_option *options = command->table[t].options;
        for (const ls_option *option = options; option != NULL && option->name != NULL; option++)
            if (option->required && !r->call->given[t][option - options])
                return LS_RAISE(LS_INVALID, "%s needs --%s: %s", command->name, option->name, option->help);
    }
    return LS_OK;
}

static bool lacks_output(const ls_call *call) {
    for (int t = 0; t < LS_COMMAND_TABLES; t++) {
        const ls_option *options = call->command->table[t].options;
        const ls_option *output = options != NULL ? ls_options_find(options, "output") : NULL;
        if (output != NULL) return !call->given[t][output - options];
    }
    return false;
}

static ls_status check_words(const ls_call *call) {
    const ls_command *command = call->command;
    if (call->words >= command->min_words && call->words <= command->max_words) return LS_OK;
    if (call->words > command->max_words && lacks_output(call))
        return LS_RAISE(LS_INVALID, "%s: one word too many: '%s'; if it is what is to be written, write -o %s",
                        command->name, call->word[command->max_words], call->word[command->max_words]);
    if (call->words > command->max_words)
        return LS_RAISE(LS_INVALID, "%s: one word too many: '%s'; usage: lockstep %s %s", command->name,
                        call->word[command->max_words], command->name, command->usage);
    return LS_RAISE(LS_INVALID, "usage: lockstep %s %s", command->name, command->usage);
}

/* ---- commands ---- */

static const ls_command *command_at(const ls_command *parent, int index) {
    return parent != NULL ? parent->kind(index) : ls_commands[index];
}

/* The words that name all commands (parent NULL) or a command's kinds. Returns how many. */
static int command_words(const ls_command *parent, const char **words) {
    int count = 0;
    for (const ls_command *command = command_at(parent, 0); command != NULL; command = command_at(parent, ++count))
        words[count] = parent != NULL ? command->name + strlen(parent->name) + 1 : command->name;
    return count;
}

static const ls_command *command_named(const ls_command *parent, const char *word) {
    const char *words[LS_CALL_OPTIONS_MAX];
    int count = command_words(parent, words);
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0) return command_at(parent, i);
    return NULL;
}

static ls_status find_command(const ls_command *parent, const char *word, const ls_command **out) {
    *out = command_named(parent, word);
    if (*out != NULL) return LS_OK;
    const char *words[LS_CALL_OPTIONS_MAX];
    int count = command_words(parent, words);
    if (parent == NULL) words[count++] = "help";
    if (parent == NULL) words[count++] = "--version";
    char where[LS_NAME_MAX + 8] = "";
    if (parent != NULL) snprintf(where, sizeof where, " of %s", parent->name);
    return ls_unknown(parent != NULL ? "kind" : "command", word, where, words, count);
}

/* "import idx"; "import --help" stays with import. */
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

/* Where a command could stand. */
static bool asks_for_help(const char *word) { return is_help(word) || strcmp(word, "help") == 0; }

/* What of a config a word names: "config" itself, a key, a layer, ... */
static ls_status find_topic(const char *word, const char **out) {
    const char *names[LS_TOPICS_MAX + LS_CALL_OPTIONS_MAX];
    int count = ls_config_topics(names);
    names[count++] = "config";
    *out = word;
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], word) == 0) return LS_OK;
    count += command_words(NULL, names + count);
    const char *nearest = ls_nearest(word, names, count);
    if (nearest != NULL) return LS_RAISE(LS_INVALID, "there is no help on '%s'; did you mean '%s'?", word, nearest);
    return LS_RAISE(LS_INVALID, "there is no help on '%s'; see 'lockstep --help' and 'lockstep help config'", word);
}

/* "help train", "help import idx" or "help idx", "help conv2d"; "help" alone and "help help" are the program's. */
static ls_status choose_topic(reader *r) {
    r->call->help = true;
    if (r->at == r->argc) return LS_OK;
    const char *word = r->argv[r->at++];
    if (asks_for_help(word)) return LS_OK;
    const ls_command *found = command_named(NULL, word);
    for (int i = 0; found == NULL && ls_commands[i] != NULL; i++)
        if (ls_commands[i]->kind != NULL) found = command_named(ls_commands[i], word);
    r->call->command = found;
    return found != NULL ? LS_OK : find_topic(word, &r->call->topic);
}

/* `help`, `--help` and `--version`, where they stand in the command's place. */
static ls_status choose_command(reader *r) {
    if (r->argc < 2) return LS_RAISE(LS_INVALID, "which command? 'lockstep --help' lists them");
    const char *word = r->argv[r->at++];
    if (strcmp(word, "--version") == 0) {
        r->call->version = true;
        return LS_OK;
    }
    if (asks_for_help(word)) return choose_topic(r);
    return find_command(NULL, word, &r->call->command);
}

static ls_status refuse_rest(const reader *r) {
    if (r->at == r->argc) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: one word too many: '%s'; see 'lockstep --help'", r->argv[1], r->argv[r->at]);
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
    if (out->help || out->version) return refuse_rest(&r);
    LS_TRY(prepare_records(out, argc));
    LS_TRY(read_arguments(&r));
    if (out->help) return LS_OK;
    LS_TRY(check_words(out));
    return check_required(&r);
}

void ls_call_release(ls_call *call) {
    for (int t = 0; t < LS_COMMAND_TABLES; t++) ls_free(call->options[t]);
    ls_free(call->word);
    ls_free(call->repeated);
    *call = (ls_call){0};
}
