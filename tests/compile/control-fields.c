/*
 * Every field once: the others of these files differ in one line.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/fields.h"

typedef struct DemoState {
    uint32_t control, mask;
    uint16_t level[2];
} DemoState;

#define DEMO_FIELDS(F, S) \
    F(S, U32, control)    \
    F(S, U32, mask)       \
    F(S, ARRAY_U16, level)

FIELD_TABLE(demo_fields, "demo", 1, DemoState, DEMO_FIELDS);
