/* transforms.c - the table of transforms. */
#include "data/transforms_internal.h"

const ls_transform_type *const ls_transform_types[] = {&ls_transform_rescale,        &ls_transform_grayscale,
                                                       &ls_transform_gaussian_noise, &ls_transform_clip,
                                                       &ls_transform_random_flip,    NULL};
