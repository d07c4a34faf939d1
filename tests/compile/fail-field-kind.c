/*
 * A field is of another kind than its row.
 * expect: DemoState.level is not of kind U32
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define DEMO_FIELDS(F, S) \
    F(S, U32, control)    \
    F(S, U32, mask)       \
    F(S, U32, level)
#include "tests/compile/demo-fields.h"
