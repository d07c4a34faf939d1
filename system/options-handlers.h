/*
 * Between options.c (the table) and options-handlers.c (what each option means).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_OPTIONS_HANDLERS_H
#define SYSTEM_OPTIONS_HANDLERS_H

#include "system/options.h"

/* A group of a configuration file, as -readconfig and -writeconfig have it. */
typedef struct ConfigGroup {
    const char *name;        /* "smp-opts" */
    const char *option;      /* "smp" */
    const char *implied;     /* the key of an element without one; NULL: there is none */
    const char *alone;       /* the option has no list: its argument is this key's value */
} ConfigGroup;

typedef bool OptionHandler(Options *o, const char *arg, Error **errp);

#define OPTION_GROUP(title)
#define OPTION(name, alias, argument, handler, help) OptionHandler opt_##handler;
#include "system/options.def"
#undef OPTION
#undef OPTION_GROUP

typedef struct OptionRow {
    const char *group;       /* a title, or NULL for an option */
    const char *name, *alias;
    const char *argument;    /* NULL: a flag */
    OptionHandler *handler;
    const char *help;
} OptionRow;

/*
 * The row of an option by its name or alias; an error tells what is missing, or what was meant. What
 * stands behind it may be NULL.
 */
const OptionRow *option_find(const char *name, const char *arg, Error **errp);
/* options-net.c: once all are there, -net nic and -net KIND become a card and its back end. */
void options_join_net(Options *o);
/* options-missing.c: what to do instead of an option of QEMU's that is not there, or NULL. */
const char *option_missing(const char *name, const char *arg);
/* options-config.c: keep what was given for -writeconfig; a file has groups of them. */
void options_config_note(Options *o, const OptionRow *row, const char *arg);
void options_config_clear(Options *o);

#endif
