/*
 * The boards that -machine knows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "arm-boards.h"
#include "util/keyval.h"

const BoardType *const board_types[] = {
    &virt_board,
    &none_board,
    NULL,
};

const BoardType *board_find(const char *name, Error **errp)
{
    const char *names[2 * ARRAY_SIZE(board_types)] = { NULL };
    const char *near;
    unsigned n = 0;

    for (unsigned i = 0; board_types[i]; i++) {
        const BoardType *type = board_types[i];

        if (strcmp(type->name, name) == 0 || (type->alias && strcmp(type->alias, name) == 0)) {
            return type;
        }
        names[n++] = type->name;
        if (type->alias) {
            names[n++] = type->alias;
        }
    }
    near = suggest_nearest(name, names);
    if (near) {
        error_setg(errp, "unknown machine '%s', did you mean '%s'?", name, near);
    } else {
        g_autofree char *list = g_strjoinv(", ", (char **)names);

        error_setg(errp, "unknown machine '%s'; there are: %s", name, list);
    }
    return NULL;
}
