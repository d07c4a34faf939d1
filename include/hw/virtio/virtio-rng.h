/*
 * virtio-rng: the entropy device (virtio 1.2 5.4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_RNG_H
#define HW_VIRTIO_VIRTIO_RNG_H

#include "hw/virtio/virtio.h"

/* id is also the name of the replay source. */
VirtioDevice *virtio_rng_new(Machine *m, const char *id);

#endif
