/*
 * A register in a field that is no uint32_t.
 * expect: not compatible with any
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define DEMO_ROWS \
    REG_ROW(0x00, "CONTROL", REG_FIELD(DemoState, count), .readable = 1, .writable = 1)
#include "tests/compile/demo-rows.h"
