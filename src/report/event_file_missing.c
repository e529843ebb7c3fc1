/* event_file_missing.c - takes the place of event_file.c in a build without protobuf-c, which event files are made
 * with. Nothing can be opened, so the other functions are never called. */
#include "report/event_file.h"

ls_status ls_event_file_supported(void) {
    return LS_RAISE(LS_INVALID,
                    "training.tensorboard: this build of Lockstep cannot write TensorBoard's event files; set it "
                    "to none, or install protobuf-c and protoc-c (scripts/setup does) and build Lockstep again");
}

ls_status ls_event_file_open(const char *folder, int64_t step, ls_event_file **out) {
    (void)folder, (void)step;
    *out = NULL;
    return ls_event_file_supported();
}

ls_status ls_event_file_add_scalar(ls_event_file *file, int64_t step, const char *tag, double value) {
    (void)file, (void)step, (void)tag, (void)value;
    return ls_event_file_supported();
}

ls_status ls_event_file_add_png(ls_event_file *file, int64_t step, const char *tag, const char *path) {
    (void)file, (void)step, (void)tag, (void)path;
    return ls_event_file_supported();
}

ls_status ls_event_file_add_histogram(ls_event_file *file, int64_t step, const char *tag,
                                      const ls_histogram *histogram) {
    (void)file, (void)step, (void)tag, (void)histogram;
    return ls_event_file_supported();
}

ls_status ls_event_file_flush(ls_event_file *file) {
    (void)file;
    return ls_event_file_supported();
}

void ls_event_file_close(ls_event_file *file) { (void)file; }
