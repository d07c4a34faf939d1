/*
 * Virtio devices: features, status, reset, configuration space and interrupts,
 * for every transport. The rings are in hw/virtio/virtqueue*.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/virtio/virtio.h"
#include "util/bitops.h"
#include "util/log.h"
#include "util/trace.h"
#include "virtqueue-internal.h"

static uint64_t feature_if(bool on, enum VirtioFeature bit)
{
    return on ? BIT64(bit) : 0;
}

static uint64_t offered_features(const VirtioDevice *v)
{
    const VirtioConfig *c = v->config;
    uint64_t features = v->vtype->features | feature_if(c->indirect_desc, VIRTIO_F_INDIRECT_DESC) |
                        feature_if(c->event_idx, VIRTIO_F_EVENT_IDX);

    if (!v->legacy || v->transitional) {
        features |= BIT64(VIRTIO_F_VERSION_1) | feature_if(c->packed, VIRTIO_F_RING_PACKED);
    }
    if (!v->legacy) {
        return features;
    }
    return features | feature_if(c->notify_on_empty, VIRTIO_F_NOTIFY_ON_EMPTY) |
           feature_if(c->any_layout, VIRTIO_F_ANY_LAYOUT);
}

static void virtio_release(Device *dev)
{
    g_byte_array_unref(container_of(dev, VirtioDevice, dev)->s->packed_chains);
}

void virtio_init(VirtioDevice *v, const VirtioDeviceType *vtype, VirtioState *s,
                 const VirtioConfig *config)
{
    assert(vtype->num_queues >= 1 && vtype->num_queues <= VIRTIO_MAX_QUEUES);
    assert(vtype->queue_size <= VIRTQUEUE_MAX_SIZE);
    v->vtype = vtype;
    v->s = s;
    v->s->packed_chains = g_byte_array_new();
    v->dev.release = virtio_release;
    v->config = config;
    v->host_features = offered_features(v);
    virtio_reset(v);
}

void virtio_update_irq(VirtioDevice *v)
{
    if (v->update_irq) {
        v->update_irq(v->transport);
    }
}

void virtio_interrupt(VirtioDevice *v, enum VirtioIsr bit, uint16_t vector)
{
    if (!v->send || !v->send(v->transport, vector)) {
        v->s->isr |= bit;
        virtio_update_irq(v);
    }
}

void virtio_reset_queue(VirtioDevice *v, unsigned q)
{
    VirtioState *s = v->s;

    if (v->vtype->forget_queue) {
        v->vtype->forget_queue(v, q);
    }
    virtq_packed_forget(v, q);
    s->queue_desc[q] = s->queue_avail[q] = s->queue_used[q] = 0;
    s->queue_num[q] = q < v->vtype->num_queues ? v->vtype->queue_size : 0;
    s->last_avail[q] = s->used_idx[q] = virtio_has_feature(v, VIRTIO_F_RING_PACKED) ? VIRTQ_PACKED_WRAP : 0;
    s->in_use[q] = 0;
    s->signalled_used[q] = 0;
    s->signalled_valid[q] = 0;
    s->queue_vector[q] = VIRTIO_NO_VECTOR;
    s->queue_ready[q] = 0;
}

static void reset_queues(VirtioDevice *v)
{
    for (unsigned q = 0; q < VIRTIO_MAX_QUEUES; q++) {
        virtio_reset_queue(v, q);
    }
}

void virtio_reset(VirtioDevice *v)
{
    GByteArray *chains = v->s->packed_chains;

    g_byte_array_set_size(chains, 0);
    memset(v->s, 0, sizeof(*v->s));
    v->s->packed_chains = chains;
    v->s->config_vector = VIRTIO_NO_VECTOR;
    reset_queues(v);
    if (v->vtype->reset) {
        v->vtype->reset(v);
    }
    virtio_update_irq(v);
}

void virtio_device_reset(Device *dev)
{
    virtio_reset(container_of(dev, VirtioDevice, dev));
}

/* 2.7: a split ring has a power of two of entries. */
static bool is_queue_num(const VirtioDevice *v, uint32_t num)
{
    return num > 0 && num <= v->vtype->queue_size &&
           (!(num & (num - 1)) || virtio_has_feature(v, VIRTIO_F_RING_PACKED));
}

/* A snapshot is input like any other. */
void virtio_device_post_load(Device *dev)
{
    VirtioDevice *v = container_of(dev, VirtioDevice, dev);
    VirtioState *s = v->s;

    s->driver_features &= v->host_features;
    if (!virtio_has_feature(v, VIRTIO_F_RING_PACKED)) {
        g_byte_array_set_size(s->packed_chains, 0);
    } else if (!virtq_packed_chains_ok(v)) {
        g_byte_array_set_size(s->packed_chains, 0);
        reset_queues(v);
    }
    for (unsigned q = 0; q < v->vtype->num_queues; q++) {
        uint32_t num = s->queue_num[q];

        if (!is_queue_num(v, num) ||
            (s->in_use[q] && !s->broken && (!v->vtype->forget_queue || s->in_use[q] > num))) {
            virtio_reset_queue(v, q);
        }
    }
}

/* virtio 1.2 3.1.1: FEATURES_OK stays clear when the device cannot work with the choice. */
void virtio_set_status(VirtioDevice *v, uint8_t status)
{
    VirtioState *s = v->s;
    uint64_t version_1 = BIT64(VIRTIO_F_VERSION_1);
    uint8_t before = s->status;

    trace_virtio_status(v->dev.id, status);
    if (status == 0) {
        virtio_reset(v);
        return;
    }
    if (s->status & ~status & ~VIRTIO_STATUS_NEEDS_RESET) {
        log_mask(LOG_GUEST_ERROR, "%s: driver cleared status bits (0x%02x to 0x%02x)\n",
                 v->dev.id, s->status, status);
    }
    if ((status & ~s->status & VIRTIO_STATUS_FEATURES_OK) &&
        (v->host_features & ~s->driver_features & version_1)) {
        log_mask(LOG_GUEST_ERROR, "%s: driver did not accept VIRTIO_F_VERSION_1\n", v->dev.id);
        status &= ~VIRTIO_STATUS_FEATURES_OK;
    }
    s->status = (status & ~VIRTIO_STATUS_NEEDS_RESET) | (s->status & VIRTIO_STATUS_NEEDS_RESET);
    if ((status & ~before & VIRTIO_STATUS_DRIVER_OK) && !s->broken && v->vtype->driver_ok) {
        v->vtype->driver_ok(v);
    }
}

void virtio_set_driver_features(VirtioDevice *v, unsigned word, uint32_t value)
{
    VirtioState *s = v->s;
    uint64_t offered, before = s->driver_features;

    if (s->status & VIRTIO_STATUS_FEATURES_OK) {
        log_mask(LOG_GUEST_ERROR, "%s: features written after FEATURES_OK\n", v->dev.id);
        return;
    }
    if (word > 1) {
        if (value) {
            log_mask(LOG_GUEST_ERROR, "%s: unknown feature word %u\n", v->dev.id, word);
        }
        return;
    }
    offered = extract64(v->host_features, word * 32, 32);
    if (value & ~offered) {
        log_mask(LOG_GUEST_ERROR, "%s: driver accepts features that were not offered: 0x%" PRIx64
                 " in word %u\n", v->dev.id, value & ~offered, word);
    }
    s->driver_features = deposit64(s->driver_features, word * 32, 32, value & offered);
    /* Positions in rings of one kind mean nothing in the other one. */
    if ((before ^ s->driver_features) & BIT64(VIRTIO_F_RING_PACKED)) {
        reset_queues(v);
    }
}

void virtio_set_queue_num(VirtioDevice *v, unsigned q, uint32_t num)
{
    if (q >= v->vtype->num_queues || !is_queue_num(v, num)) {
        log_mask(LOG_GUEST_ERROR, "%s: bad size %" PRIu32 " for queue %u\n", v->dev.id, num, q);
        return;
    }
    v->s->queue_num[q] = num;
}

void virtio_set_legacy_ring(VirtioDevice *v, unsigned q, uint64_t base, uint64_t align)
{
    VirtioState *s = v->s;

    s->queue_desc[q] = base;
    s->queue_avail[q] = base + 16ull * s->queue_num[q];
    s->queue_used[q] = (s->queue_avail[q] + 6 + 2ull * s->queue_num[q] + align - 1) & -align;
    s->queue_ready[q] = 1;
}

/* The device met something it cannot go on from (virtio 1.2 2.1.2). */
void virtio_error(VirtioDevice *v, const char *what)
{
    VirtioState *s = v->s;

    trace_virtio_error(v->dev.id, what);
    log_mask(LOG_GUEST_ERROR, "%s: %s; the device stops until it is reset\n", v->dev.id, what);
    s->broken = 1;
    if (virtio_has_feature(v, VIRTIO_F_VERSION_1)) {
        s->status |= VIRTIO_STATUS_NEEDS_RESET;
        if (s->status & VIRTIO_STATUS_DRIVER_OK) {
            virtio_config_changed(v);
        }
    }
}

void virtio_config_changed(VirtioDevice *v)
{
    v->s->config_generation++;
    virtio_interrupt(v, VIRTIO_ISR_CONFIG, v->s->config_vector);
}

void virtio_kick(VirtioDevice *v, uint32_t q)
{
    VirtioState *s = v->s;

    trace_virtio_kick(v->dev.id, q);
    if (q >= v->vtype->num_queues || !s->queue_ready[q]) {
        log_mask(LOG_GUEST_ERROR, "%s: kick of queue %" PRIu32 ", which is not set up\n",
                 v->dev.id, q);
        return;
    }
    /* Drivers of before 1.0 may kick early; 3.1.1 forbids it since. */
    if (virtio_has_feature(v, VIRTIO_F_VERSION_1) && !(s->status & VIRTIO_STATUS_DRIVER_OK)) {
        log_mask(LOG_GUEST_ERROR, "%s: kick before DRIVER_OK\n", v->dev.id);
        return;
    }
    if (!s->broken) {
        v->vtype->handle_queue(v, q);
        assert(s->broken || s->in_use[q] == 0 || v->vtype->forget_queue);
    }
}

static bool config_range_ok(VirtioDevice *v, hwaddr offset, unsigned size)
{
    if (offset + size <= v->vtype->config_size) {
        return true;
    }
    log_mask(LOG_GUEST_ERROR, "%s: no configuration space at 0x%" PRIx64 "\n", v->dev.id, offset);
    return false;
}

uint32_t virtio_config_read(VirtioDevice *v, hwaddr offset, unsigned size)
{
    uint32_t value = 0;

    if (config_range_ok(v, offset, size)) {
        for (unsigned i = 0; i < size; i++) {
            value |= (uint32_t)v->vtype->config_read(v, (unsigned)offset + i) << (8 * i);
        }
    }
    return value;
}

void virtio_config_write(VirtioDevice *v, hwaddr offset, uint32_t value, unsigned size)
{
    if (config_range_ok(v, offset, size) && v->vtype->config_write) {
        for (unsigned i = 0; i < size; i++) {
            v->vtype->config_write(v, (unsigned)offset + i, (uint8_t)(value >> (8 * i)));
        }
    }
}
