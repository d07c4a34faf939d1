/*
 * Integer expressions of the monitor: C's operators on 64-bit values, registers with
 * a dollar sign.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_EXPR_H
#define MONITOR_EXPR_H

#include "util/error.h"

/* The register's value; false when there is none of that name. */
typedef bool ExprRegister(void *opaque, const char *name, uint64_t *value);

/* The whole text must be one expression. */
bool expr_eval(const char *text, ExprRegister *lookup, void *opaque, uint64_t *out, Error **errp);

#endif
