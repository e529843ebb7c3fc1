/* nodlclose.c - linked into sanitizer builds only: keeps the components that MPI unloads at exit mapped, so that
 * LeakSanitizer can name their frames, and suppress them, instead of printing "<unknown module>". */
#include <dlfcn.h>

int dlclose(void *handle) {
    (void)handle;
    return 0;
}
