/*
 * A property whose member is of another type.
 * expect: not compatible with any
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define DEMO_PROPERTIES \
    PROP_BOOL("size", DemoConfig, size, "on", "how big")
#include "tests/compile/demo-rows.h"
