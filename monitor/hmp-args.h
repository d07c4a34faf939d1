/*
 * Arguments of commands that people type. What a command takes is written as help shows it, with
 * the types of arguments behind colons:
 *
 *     "[-a] ADDR:expr [FILE:rest]"
 *
 * [X] may be left out. -a is a flag; flags stand in front, in any order. /FMT is a format, as in
 * x/4xw; another name behind the slash, such as /p, is the only thing that may stand there. A name
 * with bars in it, on|off, lists what it may be. Types are
 *
 *     (none)   a word; in double quotes it may have blanks, and \ takes the next character as it is
 *     rest     the rest of the line
 *     uint     a number
 *     expr     an expression, with registers; as the last argument it may have blanks
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_HMP_ARGS_H
#define MONITOR_HMP_ARGS_H

#include <glib.h>
#include "util/error.h"

#define HMP_MAX_ARGS 8

typedef enum HmpType { HMP_WORD, HMP_REST, HMP_UINT, HMP_EXPR, HMP_FLAG, HMP_FORMAT } HmpType;

typedef struct HmpArg {
    char *name;            /* "ADDR", "-a", "/FMT" */
    HmpType type;
    bool optional;
    char *text;            /* as it was typed; NULL: it was not. Of a format, without the slash */
    uint64_t number;       /* of uint and expr */
} HmpArg;

typedef struct HmpArgs {
    HmpArg arg[HMP_MAX_ARGS];
    unsigned num;
} HmpArgs;

/* Evaluates an expression. */
typedef bool HmpEval(void *opaque, const char *text, uint64_t *out, Error **errp);

/*
 * Take a line apart. Fails with what is wrong; `usage` ends the message about a missing argument.
 * To be cleared in any case.
 */
bool hmp_args_parse(HmpArgs *a, const char *spec, const char *usage, const char *line,
                    HmpEval *eval, void *opaque, Error **errp);
void hmp_args_clear(HmpArgs *a);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HmpArgs, hmp_args_clear)

/* The spec as help shows it: without types. */
void hmp_args_usage(const char *spec, GString *out);

/* By the name that the spec has; it must have it. */
bool hmp_given(const HmpArgs *a, const char *name);
/* NULL: it was left out. */
char *hmp_text(const HmpArgs *a, const char *name);
/* 0: it was left out. */
uint64_t hmp_number(const HmpArgs *a, const char *name);

#endif
