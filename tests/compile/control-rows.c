/*
 * A stored register and one that is not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define DEMO_ROWS \
    REG_ROW(0x00, "CONTROL", REG_FIELD(DemoState, control), .readable = 1, .writable = 1), \
    REG_ROW(0x04, "ID", REG_UNSTORED, .readable = 1, .reset = 1)
#include "tests/compile/demo-rows.h"
