/* types.h - an entry of one of the tables of types (layers, losses, optimizers, ...), by its name. */
#ifndef SUPPORT_TYPES_H
#define SUPPORT_TYPES_H

#include <stddef.h>
#include <string.h>

/* table: of pointers to types, ended by NULL; every type begins with its name. NULL: there is none. */
static inline const void *type_named(const void *table, const char *name) {
    for (const void *const *type = table; *type; type++)
        if (strcmp(*(const char *const *)*type, name) == 0) return *type;
    return NULL;
}

#endif
