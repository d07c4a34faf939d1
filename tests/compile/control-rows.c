/*
 * A stored register and one that is not.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/register.h"

typedef struct DemoState {
    uint32_t control;
    uint64_t count;
} DemoState;

const RegisterRow demo_rows[] = {
    REG_ROW(0x00, "CONTROL", REG_FIELD(DemoState, control), .readable = 1, .writable = 1),
    REG_ROW(0x04, "ID", REG_UNSTORED, .readable = 1, .reset = 1),
};
