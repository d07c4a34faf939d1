/*
 * Objects that stand beside a network back end (-object). They are made with the machine; system/session-net.c ties them to
 * the card.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_NET_FILTER_H
#define HW_CORE_NET_FILTER_H

#include "hw/core/user-object.h"

/* All frames of a card, into a file that tcpdump reads; the times are those of the guest. */
typedef struct FilterDumpConfig {
    char *netdev, *file;
    uint32_t max_bytes;
} FilterDumpConfig;

/* Says that frames are recorded, which they always are. */
typedef struct FilterReplayConfig {
    char *netdev;
} FilterReplayConfig;

extern const UserObjectType filter_dump, filter_replay;

#endif
