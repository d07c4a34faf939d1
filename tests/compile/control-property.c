/*
 * Properties of the types of their members.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/property.h"

typedef struct DemoConfig {
    bool quick;
    uint32_t size;
} DemoConfig;

const Property demo_properties[] = {
    PROP_BOOL("quick", DemoConfig, quick, "on", "be quick"),
    PROP_UINT("size", DemoConfig, size, "1", 1, 8, "how big"),
    PROP_END
};
