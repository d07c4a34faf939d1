/*
 * A row without REG_ROW(), in which the storage could be forgotten.
 * expect: initializer element is not
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define DEMO_ROWS \
    { 0x00, "CONTROL", .readable = 1, .writable = 1 }
#include "tests/compile/demo-rows.h"
