/* transforms.c - the table of transforms. */
#include "transforms.h"

#include <string.h>

const ls_transform_type *const ls_transform_types[] = {&ls_transform_rescale,        &ls_transform_grayscale,
                                                       &ls_transform_gaussian_noise, &ls_transform_clip,
                                                       &ls_transform_random_flip,    NULL};

const ls_transform_type *ls_transform_find(const char *name) {
    for (const ls_transform_type *const *type = ls_transform_types; *type != NULL; type++)
        if (strcmp((*type)->name, name) == 0) return *type;
    return NULL;
}
