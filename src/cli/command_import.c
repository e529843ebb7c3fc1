/* command_import.c - lockstep import and lockstep synth: a kind of command for each importer in the table. */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "data/importer.h"

enum { KINDS_MAX = 32, WORDS_MAX = 1 << 30 };

/* An importer as a command. The command comes first, so that a pointer to it points to its entry too. */
typedef struct entry {
    ls_command command;
    const ls_importer_type *type;
    char name[LS_NAME_MAX], usage[128];
} entry;

static void report(const ls_import_settings *settings, const ls_import_result *result) {
    char shape[LS_SHAPE_TEXT_MAX], classes[32] = "", skipped[64] = "", seconds[LS_SECONDS_TEXT_MAX];
    if (result->info.labelled)
        snprintf(classes, sizeof classes, ", %d %s", result->info.classes,
                 ls_plural(result->info.classes, "class", "classes"));
    if (result->skipped > 0) snprintf(skipped, sizeof skipped, "; %" PRId64 " skipped", result->skipped);
    ls_log_info("%s: %" PRId64 " %s of %s%s, in %s%s", settings->output, result->written,
                ls_plural(result->written, "sample", "samples"), ls_shape_text(&result->info.shape, shape), classes,
                ls_seconds_text(result->seconds, seconds), skipped);
}

static ls_status run(const ls_comm *comm, const ls_call *call) {
    const entry *self = (const entry *)call->command;
    const ls_import_settings *settings = call->options[1];
    ls_import_result result;
    ls_pool *pool;
    ls_cpus ours = ls_comm_host_cpus(comm);
    int threads = ls_threads_default(ls_cpus_cores(&ours), comm->host_size);
    LS_TRY(ls_agree(comm, ls_pool_create(threads, &pool)));
    ls_status status =
        ls_import_run(comm, pool, self->type, call->options[0], call->word, call->words, settings, &result);
    ls_pool_destroy(pool);
    if (status == LS_OK) report(settings, &result);
    return status;
}

static void make_kind(const ls_importer_type *type, const char *command, entry *out) {
    snprintf(out->name, sizeof out->name, "%s %s", command, type->name);
    snprintf(out->usage, sizeof out->usage, "%s -o FILE.h5 [options]", type->generates ? "[-n COUNT]" : type->usage);
    out->type = type;
    out->command = (ls_command){
        .name = out->name,
        .usage = out->usage,
        .help = type->help,
        .table = {{type->options, type->options_bytes}, {ls_import_options, sizeof(ls_import_settings)}},
        .max_words = type->generates ? 0 : WORDS_MAX,
        .min_words = type->generates ? 0 : 1,
        .run = run,
    };
}

/* The index-th importer that generates samples, or that does not. */
static const ls_command *find_kind(bool generates, const char *command, int index) {
    static entry kinds[KINDS_MAX];
    for (int i = 0; i < KINDS_MAX && ls_importer_types[i] != NULL; i++) {
        if (ls_importer_types[i]->generates != generates || index-- > 0) continue;
        make_kind(ls_importer_types[i], command, &kinds[i]);
        return &kinds[i].command;
    }
    return NULL;
}

static const ls_command *import_kind(int index) { return find_kind(false, "import", index); }

static const ls_command *synth_kind(int index) { return find_kind(true, "synth", index); }

const ls_command ls_command_import = {
    .name = "import",
    .usage = "KIND FILE... -o FILE.h5 [options]",
    .help = "makes a data set from files",
    .kind = import_kind,
};

const ls_command ls_command_synth = {
    .name = "synth",
    .usage = "KIND -o FILE.h5 [-n COUNT] [options]",
    .help = "makes a data set of generated samples",
    .kind = synth_kind,
};
