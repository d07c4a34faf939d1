/*
 * Objects beside network back ends: their properties.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/net-filter.h"

typedef struct FilterDump {
    UserObject object;       /* first */
    FilterDumpConfig config;
} FilterDump;

static const Property filter_dump_properties[] = {
    PROP_STRING("netdev", FilterDumpConfig, netdev, NULL, "the back end whose card is listened to"),
    PROP_STRING("file", FilterDumpConfig, file, "qemu-vlan0.pcap", "the file"),
    PROP_UINT("maxlen", FilterDumpConfig, max_bytes, "65536", 1, 65536, "what is kept of each frame"),
    PROP_FIXED("queue", PROPERTY_STRING, "both directions are in the file", "which frames", "all"),
    PROP_END
};

const UserObjectType filter_dump = {
    .name = "filter-dump", .doc = "frames of a network card in a pcap file", .properties = filter_dump_properties,
    .size = sizeof(FilterDump), .config_offset = offsetof(FilterDump, config), .with_machine = true,
};

typedef struct FilterReplay {
    UserObject object;       /* first */
    FilterReplayConfig config;
} FilterReplay;

static const Property filter_replay_properties[] = {
    PROP_STRING("netdev", FilterReplayConfig, netdev, NULL, "the back end whose frames are recorded, as all are"),
    PROP_END
};

const UserObjectType filter_replay = {
    .name = "filter-replay", .doc = "frames of a back end are recorded, as they are without it",
    .properties = filter_replay_properties, .size = sizeof(FilterReplay),
    .config_offset = offsetof(FilterReplay, config), .with_machine = true,
};
