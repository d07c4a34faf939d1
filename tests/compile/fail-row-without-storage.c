/*
 * A row that does not say where its value is stored.
 * expect: expected expression
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define DEMO_ROWS \
    REG_ROW(0x00, "CONTROL", .readable = 1, .writable = 1)
#include "tests/compile/demo-rows.h"
