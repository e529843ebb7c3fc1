/* transforms_internal.h - the transforms, for their table. Each one is a file of its own. */
#ifndef LS_DATA_TRANSFORMS_INTERNAL_H
#define LS_DATA_TRANSFORMS_INTERNAL_H

#include "data/transform.h"

extern const ls_transform_type ls_transform_rescale, ls_transform_grayscale, ls_transform_gaussian_noise,
    ls_transform_clip, ls_transform_random_flip;

#endif
