/*
 * Every field once: the others of these files differ in one line.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define DEMO_FIELDS(F, S) \
    F(S, U32, control)    \
    F(S, U32, mask)       \
    F(S, ARRAY_U16, level)
#include "tests/compile/demo-fields.h"
