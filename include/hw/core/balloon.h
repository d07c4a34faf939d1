/*
 * A machine's memory balloon, as monitors see it: Machine.balloon, set by the device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_BALLOON_H
#define HW_CORE_BALLOON_H

#include "hw/core/device.h"

/* What a guest tells of its memory, by the tags of virtio 1.2 5.5.6.4; UINT64_MAX: not told. */
#define BALLOON_NUM_STATS 10

typedef struct BalloonInfo {
    uint64_t actual;              /* bytes of RAM that the guest has */
    uint32_t interval_s;          /* of its statistics; 0: not asked for */
    int64_t updated_ns;           /* virtual time of the last ones; 0: there are none */
    uint64_t stat[BALLOON_NUM_STATS];
} BalloonInfo;

typedef struct Balloon {
    Device *dev;
    /* Machine thread. Changes nothing. */
    void (*info)(const Device *dev, BalloonInfo *info);
    /*
     * Any thread: ask the guest to use no more than so many bytes of RAM / for its statistics every so many
     * seconds of virtual time. It arrives as input, like all that is posted; false: it will not, in a replay.
     */
    bool (*ask_size)(Device *dev, uint64_t bytes);
    bool (*ask_stats)(Device *dev, uint32_t seconds);
} Balloon;

#endif
