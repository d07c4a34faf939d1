/*
 * A virtio device for tests of transports and rings: it copies each buffer's readable part to its writable part.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_VIRTIO_ECHO_H
#define TESTS_UNIT_VIRTIO_ECHO_H

#include "virtio-driver.h"

typedef struct EchoState {
    VirtioState virtio;
} EchoState;

typedef struct EchoConfig {
    VirtioConfig virtio;
} EchoConfig;

typedef struct Echo {
    VirtioDevice parent;
    EchoState state;
    EchoConfig choices;
    uint8_t config[8];
    unsigned num_popped;
    unsigned last_out, last_in;
    VirtqElement e;
} Echo;

FIELD_TABLE(echo_fields, "echo", 1, EchoState, VIRTIO_FIELDS);

static void echo_handle_queue(VirtioDevice *v, unsigned q)
{
    Echo *echo = container_of(v, Echo, parent);
    uint8_t data[256];

    while (virtqueue_pop(v, q, &echo->e)) {
        size_t n = virtqueue_read(v, &echo->e, 0, data, sizeof(data));

        n = virtqueue_write(v, &echo->e, 0, data, n);
        echo->num_popped++;
        echo->last_out = echo->e.num_out;
        echo->last_in = echo->e.num_in;
        virtqueue_push(v, q, &echo->e, (uint32_t)n);
    }
    virtqueue_notify(v, q);
}

static uint8_t echo_config_read(VirtioDevice *v, unsigned offset)
{
    return container_of(v, Echo, parent)->config[offset];
}

static void echo_config_write(VirtioDevice *v, unsigned offset, uint8_t value)
{
    container_of(v, Echo, parent)->config[offset] = value;
}

static const VirtioDeviceType echo_vtype = {
    .device_id = 42,
    .num_queues = 2,
    .queue_size = 256,
    .config_size = 8,
    .features = 1ull << 3,
    .handle_queue = echo_handle_queue,
    .config_read = echo_config_read,
    .config_write = echo_config_write,
};

static bool echo_realize(Device *dev, Error **errp)
{
    Echo *echo = container_of(dev, Echo, parent.dev);

    virtio_init(&echo->parent, &echo_vtype, &echo->state.virtio, &echo->choices.virtio);
    return true;
}

static const Property echo_properties[] = { VIRTIO_PROPERTIES(EchoConfig), PROP_END };

static const DeviceType echo_type = {
    .name = "echo",
    .bus = VIRTIO_BUS,
    .pluggable = true,
    .size = sizeof(Echo),
    .fields = &echo_fields,
    .state_offset = offsetof(Echo, state),
    .properties = echo_properties,
    .config_offset = offsetof(Echo, choices),
    .realize = echo_realize,
    .reset = virtio_device_reset,
    .post_load = virtio_device_post_load,
};

/* A readable part of 4 + 4 bytes and a writable one of 8, in descriptors first..first+2. */
static inline void put_echo_chain(Driver *d, hwaddr table, unsigned first, hwaddr buffer)
{
    ram_write(d, buffer, 0x1122334455667788ull, 8);
    ram_write(d, buffer + 0x100, 0, 8);
    put_desc(d, table, first, buffer, 4, DESC_NEXT, (uint16_t)(first + 1));
    put_desc(d, table, first + 1, buffer + 4, 4, DESC_NEXT, (uint16_t)(first + 2));
    put_desc(d, table, first + 2, buffer + 0x100, 8, DESC_WRITE, 0);
}

#endif
