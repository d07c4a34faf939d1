/*
 * A register in a field that is no uint32_t.
 * expect: not compatible with any
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/register.h"

typedef struct DemoState {
    uint32_t control;
    uint64_t count;
} DemoState;

const RegisterRow demo_rows[] = {
    REG_ROW(0x00, "CONTROL", REG_FIELD(DemoState, count), .readable = 1, .writable = 1),
};
