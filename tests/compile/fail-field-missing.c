/*
 * A field is left out.
 * expect: the field table of DemoState does not cover the struct
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
    F(S, ARRAY_U16, level)

FIELD_TABLE(demo_fields, "demo", 1, DemoState, DEMO_FIELDS);
