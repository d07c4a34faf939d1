/*
 * A row that does not say where its value is stored.
 * expect: expected expression
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/register.h"

typedef struct DemoState {
    uint32_t control;
    uint64_t count;
} DemoState;

const RegisterRow demo_rows[] = {
    REG_ROW(0x00, "CONTROL", .readable = 1, .writable = 1),
};
