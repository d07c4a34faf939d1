/*
 * Properties of the types of their members.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define DEMO_PROPERTIES \
    PROP_BOOL("quick", DemoConfig, quick, "on", "be quick"), \
    PROP_UINT("size", DemoConfig, size, "1", 1, 8, "how big")
#include "tests/compile/demo-rows.h"
