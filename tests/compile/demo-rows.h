/*
 * Registers of a device, and properties; each test has its rows of one of them, DEMO_ROWS or
 * DEMO_PROPERTIES, and includes this behind it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/property.h"
#include "hw/core/register.h"

typedef struct DemoState {
    uint32_t control;
    uint64_t count;
} DemoState;

typedef struct DemoConfig {
    bool quick;
    uint32_t size;
} DemoConfig;

#ifdef DEMO_ROWS
const RegisterRow demo_rows[] = { DEMO_ROWS };
#endif
#ifdef DEMO_PROPERTIES
const Property demo_properties[] = { DEMO_PROPERTIES, PROP_END };
#endif
