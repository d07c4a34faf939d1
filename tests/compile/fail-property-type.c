/*
 * A property whose member is of another type.
 * expect: not compatible with any
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/property.h"

typedef struct DemoConfig {
    bool quick;
    uint32_t size;
} DemoConfig;

const Property demo_properties[] = {
    PROP_BOOL("size", DemoConfig, size, "on", "how big"),
    PROP_END
};
