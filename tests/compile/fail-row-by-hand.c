/*
 * A row without REG_ROW(), in which the storage could be forgotten.
 * expect: initializer element is not
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/register.h"

typedef struct DemoState {
    uint32_t control;
    uint64_t count;
} DemoState;

const RegisterRow demo_rows[] = {
    { 0x00, "CONTROL", .readable = 1, .writable = 1 },
};
