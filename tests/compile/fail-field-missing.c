/*
 * A field is left out.
 * expect: the field table of DemoState does not cover the struct
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define DEMO_FIELDS(F, S) \
    F(S, U32, control)    \
    F(S, ARRAY_U16, level)
#include "tests/compile/demo-fields.h"
