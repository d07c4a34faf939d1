/*
 * virtio-rng: the entropy device (virtio 1.2 5.4). Wiring: one queue
 * ("requestq") of writable buffers, no configuration space, no feature bits.
 * Each buffer is filled at once, inside the kick, through replay_value(): a
 * replay gives the guest the recorded bytes.
 *
 * Not modelled: rate limiting (QEMU's max-bytes and period).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/virtio/virtio-rng.h"
#include "replay/sources.h"
#include "util/host-random.h"

/* A longer buffer is filled in part, as 5.4.6.1 allows. */
#define RNG_MAX_FILL 4096

typedef struct VirtioRngState {
    VirtioState virtio;
} VirtioRngState;

typedef struct VirtioRngConfig {
    VirtioConfig virtio;
} VirtioRngConfig;

typedef struct VirtioRng {
    VirtioDevice parent;
    VirtioRngState state;
    VirtioRngConfig config;
    ReplaySource *source;
    VirtqElement element;     /* scratch during a kick */
} VirtioRng;

FIELD_TABLE_SINCE(virtio_rng_fields, "virtio-rng", 4, 3, VirtioRngState, VIRTIO_FIELDS);

static void virtio_rng_produce(void *opaque, void *out, size_t length)
{
    host_random_bytes(out, length);
}

static void virtio_rng_handle_queue(VirtioDevice *v, unsigned q)
{
    VirtioRng *rng = container_of(v, VirtioRng, parent);
    VirtqElement *e = &rng->element;
    uint8_t bytes[RNG_MAX_FILL];
    bool used = false;

    while (virtqueue_pop(v, q, e)) {
        size_t length = MIN(e->in_bytes, sizeof(bytes));

        if (length) {
            replay_value(rng->source, virtio_rng_produce, NULL, bytes, length);
            length = virtqueue_write(v, e, 0, bytes, length);
        }
        virtqueue_push(v, q, e, (uint32_t)length);
        used = true;
    }
    if (used) {
        virtqueue_notify(v, q);
    }
}

static const VirtioDeviceType virtio_rng_vtype = {
    .device_id = VIRTIO_ID_RNG,
    .num_queues = 1,
    .queue_size = VIRTQUEUE_MAX_SIZE,
    .handle_queue = virtio_rng_handle_queue,
};

static bool virtio_rng_realize(Device *dev, Error **errp)
{
    VirtioRng *rng = container_of(dev, VirtioRng, parent.dev);

    virtio_init(&rng->parent, &virtio_rng_vtype, &rng->state.virtio, &rng->config.virtio);
    rng->source = device_value_source(dev, REPLAY_KIND_RANDOM);
    return true;
}

static const Property virtio_rng_properties[] = {
    VIRTIO_PROPERTIES(VirtioRngConfig),
    PROP_REFUSED("rng", "the bytes always come from the host's random source"),
    PROP_REFUSED("max-bytes", "the rate is not limited"),
    PROP_REFUSED("period", "the rate is not limited"),
    PROP_END
};

const DeviceType virtio_rng_type = {
    .name = "virtio-rng-device", .doc = "random bytes from the host", .bus = VIRTIO_BUS,
    .pluggable = true, .size = sizeof(VirtioRng),
    .fields = &virtio_rng_fields, .state_offset = offsetof(VirtioRng, state),
    .properties = virtio_rng_properties, .config_offset = offsetof(VirtioRng, config),
    .realize = virtio_rng_realize, .reset = virtio_device_reset,
    .post_load = virtio_device_post_load,
};
