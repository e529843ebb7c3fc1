/* train.c - trains what a config describes, in a run directory: opens both, takes up what is there, and tells the
 * trainer which callbacks there are. */
#include "run/train.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "report/callbacks.h"
#include "run/run_directory.h"
#include "run/session.h"
#include "state/callback_checkpoint.h"

typedef struct run {
    const ls_comm *comm;
    const ls_config *config;
    const ls_train_options *options;
    int lock; /* of the run directory; rank 0 */
    ls_session session;
    ls_pulse pulse;
    ls_trainer trainer;
    ls_report report;
    ls_saving saving;
} run;

/* --- going on --- */

/* then, now: fingerprints; "": no files of that kind. */
static ls_status check_same_data(const ls_checkpoint_info *info, const char *what, const char *then, const char *now) {
    if (strcmp(then, now) == 0) return LS_OK;
    return LS_RAISE(LS_INVALID,
                    "%s was trained on other data: the fingerprint of its %s data is %s, and here it is %s; give the "
                    "run the same data, or start another run",
                    info->path, what, then[0] != '\0' ? then : "none", now[0] != '\0' ? now : "none");
}

/* Where it does not, nothing is written, and so nothing has changed. */
static bool goes_on(const run *r, const ls_checkpoint_info *info) {
    return info->position.epoch < r->config->training.epochs;
}

static ls_status check_same_run(const run *r, const ls_checkpoint_info *info) {
    ls_config *then = NULL;
    const char *training = ls_dataset_get_info(r->session.task.train)->fingerprint;
    LS_TRY(check_same_data(info, "training", info->data.fingerprint, training));
    LS_TRY(check_same_data(info, "validation", info->validation, ls_saving_validation(&r->trainer)));
    LS_TRY(ls_config_parse(info->path, info->config, NULL, 0, &then));
    ls_status status = ls_config_compare(then, r->config, goes_on(r, info));
    ls_config_destroy(then);
    if (status == LS_OK && strcmp(info->isa, ls_isa_name(r->session.task.isa)) != 0)
        ls_log_warn("the run used %s so far and continues with %s: its last digits may differ from those of an "
                    "uninterrupted run",
                    info->isa, ls_isa_name(r->session.task.isa));
    return status;
}

static ls_status take_up(run *r, const ls_checkpoint_info *info) {
    LS_TRY(check_same_run(r, info));
    LS_TRY(ls_saving_restore(&r->saving, &r->trainer, info));
    if (!goes_on(r, info)) return LS_OK;
    ls_log_info("continuing from %s: %" PRId64 " %s and %" PRId64 " %s done", info->path, info->position.epoch,
                ls_plural(info->position.epoch, "epoch", "epochs"), info->position.epoch_step,
                ls_plural(info->position.epoch_step, "step", "steps"));
    return LS_OK;
}

/* It was stopped before its first checkpoint, as a job in a queue may be, again and again: it must be able to start. */
static ls_status start_again(const run *r) {
    const char *directory = r->options->run;
    int64_t epochs = 0;
    LS_TRY(ls_agree(r->comm, r->comm->rank == 0 ? ls_run_directory_count_epochs(directory, &epochs) : LS_OK));
    if (epochs > 0)
        ls_log_warn("%s holds no checkpoint to go on from: the run starts again, in place of the %" PRId64
                    " epochs recorded there; training.checkpoint says how often to save",
                    directory, epochs);
    else
        ls_log_info("%s holds no checkpoint to go on from: the run starts", directory);
    return LS_OK;
}

static ls_status resume(run *r) {
    ls_checkpoint_info info = {0};
    ls_status status = ls_checkpoint_newest(r->comm, r->options->run, &info);
    if (status == LS_OK && info.path[0] != '\0') {
        status = ls_agree(r->comm, take_up(r, &info));
        if (status == LS_OK) status = ls_checkpoint_set_last(r->comm, r->options->run, info.position.step);
    } else if (status == LS_OK) {
        status = start_again(r);
    }
    ls_checkpoint_info_release(&info);
    return status;
}

/* --- starting --- */

static ls_status open_directory(run *r) {
    const ls_train_options *options = r->options;
    ls_status status = LS_OK;
    ls_run_use use = options->resume ? LS_RUN_RESUME : options->overwrite ? LS_RUN_REPLACE : LS_RUN_BEGIN;
    if (r->comm->rank == 0) status = ls_run_directory_open(options->run, use, &r->lock);
    return ls_agree(r->comm, status);
}

/* At once: the stack shows the layer to a debugger that stops here. */
static void end_debugging(void *context) {
    const ls_comm *comm = context;
    ls_log_rank("%s", ls_failure_get()->message);
    ls_comm_abort(comm, LS_ERROR);
}

static void describe_outputs(run *r) {
    const ls_config *config = r->config;
    r->report = (ls_report){.run = r->options->run,
                            .config = config->path,
                            .code = config->code,
                            .images = config->training.images,
                            .tensorboard = config->training.tensorboard};
    r->saving = (ls_saving){.run = r->options->run,
                            .checkpoint = config->training.checkpoint,
                            .config = config->text,
                            .class_names = r->session.class_names};
}

static ls_status start(run *r) {
    LS_TRY(ls_session_start(&r->session, r->comm, r->config, &r->pulse));
    LS_TRY(ls_session_divide(&r->session, r->options->resume));
    LS_TRY(ls_session_open_data(&r->session));
    ls_pulse_beat(&r->pulse);
    if (r->options->debug) ls_model_debug(r->session.task.model, end_debugging, (void *)r->comm);
    LS_TRY(ls_agree(r->comm, ls_session_check_division(&r->session)));
    LS_TRY(open_directory(r));
    LS_TRY(ls_trainer_open(&r->trainer, &r->session.task));
    ls_pulse_beat(&r->pulse);
    describe_outputs(r);
    return r->options->resume ? resume(r) : LS_OK;
}

/* --- writing --- */

static ls_status take_initial_weights(run *r) {
    const ls_paths *runs = &r->config->initial_weights;
    for (int i = 0; i < runs->count; i++)
        if (ls_saving_take_weights(&r->saving, &r->trainer, runs->path[i]) != LS_OK)
            return ls_config_prefix(r->config, &runs->place);
    return LS_OK;
}

/* What an earlier run left there goes only now that this one can begin, and has read its initial weights, which may
 * come from that run. */
static ls_status begin_anew(run *r) {
    bool clears = r->comm->rank == 0;
    LS_TRY(take_initial_weights(r));
    return ls_agree(r->comm, clears ? ls_run_directory_clear(r->options->run, r->options->overwrite) : LS_OK);
}

static ls_status open_log(const run *r) {
    char path[LS_PATH_MAX];
    if (r->comm->rank != 0) return LS_OK;
    LS_TRY(ls_run_directory_write(r->options->run, "config.yaml", r->config->text));
    LS_TRY(ls_path_join(r->options->run, "log.txt", path));
    LS_TRY(ls_log_open(path));
    ls_log_detail("lockstep %s", LS_VERSION); /* by which the run directory is known for one, too */
    return LS_OK;
}

/* From here on the run directory is written to: one that is finished may lie on a disk that cannot be. */
static ls_status prepare(run *r) {
    LS_TRY(ls_agree(r->comm, r->comm->rank == 0 ? ls_run_directory_prepare(r->options->run) : LS_OK));
    if (r->trainer.position.step == 0) LS_TRY(begin_anew(r));
    return ls_agree(r->comm, open_log(r));
}

/* --- training --- */

#define REPORT(name) {.type = &ls_callback_##name, .settings = &r->report},

/* The checkpoint comes last, so that it knows what the others have done. */
static ls_status train(run *r) {
    ls_callback callbacks[] = {
        LS_REPORT_CALLBACKS(REPORT){.type = &ls_callback_checkpoint, .settings = &r->saving},
    };
    ls_status status = ls_trainer_run(&r->trainer, callbacks, sizeof callbacks / sizeof *callbacks);
    if (status != LS_STOPPED) return status;
    return LS_RAISE(LS_STOPPED,
                    "stopped by a signal after saving epoch %" PRId64 ", step %" PRId64
                    " in %s; continue it with --resume",
                    r->trainer.position.epoch + 1, r->trainer.position.epoch_step, r->options->run);
}

static ls_status train_rest(run *r) {
    int64_t done = r->trainer.position.epoch;
    if (done > r->config->training.epochs) {
        ls_log_info("%s has done %" PRId64 " %s already, more than training.epochs=%" PRId64 ": nothing to do",
                    r->options->run, done, ls_plural(done, "epoch", "epochs"), r->config->training.epochs);
        return LS_OK;
    }
    if (ls_trainer_is_over(&r->trainer)) {
        ls_log_info("%s is finished: %" PRId64 " %s", r->options->run, done, ls_plural(done, "epoch", "epochs"));
        ls_console_tell_end(&r->report, &r->trainer);
        return LS_OK;
    }
    LS_TRY(prepare(r));
    return train(r);
}

ls_status ls_train_run(const ls_comm *comm, const ls_config *config, const ls_train_options *options) {
    run r = {.comm = comm, .config = config, .options = options, .lock = -1};
    ls_status status = start(&r);
    if (status == LS_OK) status = train_rest(&r);
    ls_trainer_close(&r.trainer);
    ls_run_directory_unlock(r.lock);
    ls_session_release(&r.session);
    return status;
}
