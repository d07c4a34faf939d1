/*
 * Commands by name, and events: what generated code and a monitor share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QAPI_DISPATCH_H
#define QAPI_DISPATCH_H

#include "qapi/type.h"

/* What a command works on; whoever implements commands defines it. */
typedef struct QmpContext QmpContext;

/*
 * A command. args is a pointer to the struct of `args`, ret to where the value of `ret` goes;
 * the generated call() gives both their types. A command with 'gen': false gets and gives
 * JSON: both are of type any.
 */
typedef struct QapiCommand {
    const char *name;
    bool (*call)(QmpContext *ctx, void *args, void *ret, Error **errp);
    const QapiType *args;      /* NULL: takes none */
    const QapiType *ret;       /* NULL: gives none */
    bool oob;                  /* may overtake others */
} QapiCommand;

/* NULL when there is none. The table ends with a NULL name. */
const QapiCommand *qapi_command_find(const QapiCommand *table, const char *name);

/*
 * Run a command. arguments is an object, or NULL for none. *result gets the value, or an
 * empty object when the command gives none; a reference for the caller.
 */
bool qapi_command_run(const QapiCommand *command, QmpContext *ctx, json_object *arguments,
                      json_object **result, Error **errp);

/* Where events go. emit() may be called from any thread; it gets the reference to data, which
 * is NULL when the event has none. */
typedef struct QapiEventSink {
    void (*emit)(void *opaque, const char *event, json_object *data);
    void *opaque;
} QapiEventSink;

/* For generated code: data is a pointer to the struct of `type`, which may be NULL. */
void qapi_event_emit(const QapiEventSink *sink, const char *event, const QapiType *type,
                     const void *data);

#endif
