/*
 * A field stands in the place of another one of its size.
 * expect: duplicate case value
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define DEMO_FIELDS(F, S) \
    F(S, U32, control)    \
    F(S, U32, control)    \
    F(S, ARRAY_U16, level)
#include "tests/compile/demo-fields.h"
