/*
 * Between options.c (the table) and options-handlers.c (what each option means).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_OPTIONS_HANDLERS_H
#define SYSTEM_OPTIONS_HANDLERS_H

#include "system/options.h"

typedef bool OptionHandler(Options *o, const char *arg, Error **errp);

#define OPTION_GROUP(title)
#define OPTION(name, alias, argument, handler, help) OptionHandler opt_##handler;
#include "system/options.def"
#undef OPTION
#undef OPTION_GROUP

#endif
