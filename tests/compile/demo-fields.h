/*
 * A state struct; each test has its DEMO_FIELDS, and includes this behind it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/fields.h"

typedef struct DemoState {
    uint32_t control, mask;
    uint16_t level[2];
} DemoState;

FIELD_TABLE(demo_fields, "demo", 1, DemoState, DEMO_FIELDS);
