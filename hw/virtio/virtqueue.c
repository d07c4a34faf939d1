/*
 * Virtqueues, the device's side: what both kinds of rings share (virtqueue-split.c, virtqueue-packed.c).
 *
 * 1. Nothing in the rings is trusted: every index is checked, a chain has at most
 *    VIRTQUEUE_MAX_SIZE buffers, and every buffer lies in RAM.
 * 2. Positions are kept in VirtioState, never read back from the rings.
 * 3. A violation stops the device (virtio_error); what was taken before stays taken.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/bytes.h"
#include "util/trace.h"
#include "virtqueue-internal.h"

static const VirtqRing *ring_of(const VirtioDevice *v)
{
    return virtio_has_feature(v, VIRTIO_F_RING_PACKED) ? &packed_ring : &split_ring;
}

static bool works(const VirtioDevice *v, unsigned q)
{
    assert(q < v->vtype->num_queues);
    return !v->s->broken && v->s->queue_ready[q];
}

/* ---- for the rings ---- */

bool virtq_read16(VirtioDevice *v, hwaddr addr, uint16_t *out)
{
    uint8_t raw[2];

    if (!memory_read(v->dev.machine->memory, addr, raw, sizeof(raw))) {
        virtio_error(v, "a ring is not in RAM");
        return false;
    }
    *out = (uint16_t)load_le(raw, 2);
    return true;
}

bool virtq_write16(VirtioDevice *v, hwaddr addr, uint16_t value)
{
    uint8_t raw[2];

    store_le(raw, value, 2);
    if (!memory_write(v->dev.machine->memory, addr, raw, sizeof(raw))) {
        virtio_error(v, "a ring is not in RAM");
        return false;
    }
    return true;
}

void virtq_begin(VirtqElement *e, uint16_t head)
{
    e->head = head;
    e->num_out = e->num_in = 0;
    e->out_bytes = e->in_bytes = 0;
}

bool virtq_add_segment(VirtioDevice *v, VirtqElement *e, hwaddr addr, uint32_t length, uint16_t flags)
{
    unsigned n = e->num_out + e->num_in;

    if (length == 0) {
        return true;
    }
    if (!memory_is_writable_ram(v->dev.machine->memory, addr, length)) {
        virtio_error(v, "a buffer is not in RAM");
        return false;
    }
    if (flags & DESC_F_WRITE) {
        e->num_in++;
        e->in_bytes += length;
    } else if (e->num_in) {
        virtio_error(v, "a readable buffer follows a writable one");
        return false;
    } else {
        e->num_out++;
        e->out_bytes += length;
    }
    e->segment[n] = (VirtqSegment){ .addr = addr, .length = length };
    return true;
}

unsigned virtq_indirect_entries(VirtioDevice *v, const VirtqElement *e, uint32_t length)
{
    unsigned entries = length / DESC_SIZE;

    if (!virtio_has_feature(v, VIRTIO_F_INDIRECT_DESC) || length % DESC_SIZE || entries == 0 ||
        entries > VIRTQUEUE_MAX_SIZE || e->num_out + e->num_in + entries > VIRTQUEUE_MAX_SIZE) {
        virtio_error(v, "an indirect descriptor is malformed");
        return 0;
    }
    return entries;
}

/* ---- for devices ---- */

bool virtqueue_again(VirtioDevice *v, unsigned q, uint16_t head, VirtqElement *e)
{
    return works(v, q) && ring_of(v)->again(v, q, head, e);
}

bool virtqueue_peek(VirtioDevice *v, unsigned q, VirtqElement *e)
{
    return works(v, q) && ring_of(v)->next(v, q, e, false);
}

bool virtqueue_pop(VirtioDevice *v, unsigned q, VirtqElement *e)
{
    if (!works(v, q) || !ring_of(v)->next(v, q, e, true)) {
        return false;
    }
    v->s->in_use[q]++;
    return true;
}

/* With event indices the driver still kicks for the next chain that it adds: nothing else brings more. */
void virtqueue_rewind(VirtioDevice *v, unsigned q, unsigned n)
{
    if (!v->s->broken) {
        assert(n <= v->s->in_use[q]);
        ring_of(v)->rewind(v, q, n);
        v->s->in_use[q] -= (uint16_t)n;
    }
}

typedef bool CopyFn(MemoryMap *map, hwaddr addr, uint8_t *data, size_t length);

static bool copy_in(MemoryMap *map, hwaddr addr, uint8_t *data, size_t length)
{
    return memory_read(map, addr, data, length);
}

static bool copy_out(MemoryMap *map, hwaddr addr, uint8_t *data, size_t length)
{
    return memory_write(map, addr, data, length);
}

static size_t copy_segments(VirtioDevice *v, const VirtqSegment *segment, unsigned num,
                            uint64_t offset, uint8_t *data, size_t length, CopyFn *copy)
{
    size_t done = 0;

    for (unsigned i = 0; i < num && done < length; i++) {
        size_t n;

        if (offset >= segment[i].length) {
            offset -= segment[i].length;
            continue;
        }
        n = MIN(length - done, segment[i].length - offset);
        if (!copy(v->dev.machine->memory, segment[i].addr + offset, data + done, n)) {
            break;
        }
        done += n;
        offset = 0;
    }
    return done;
}

size_t virtqueue_read(VirtioDevice *v, const VirtqElement *e, uint64_t offset,
                      void *out, size_t length)
{
    return copy_segments(v, e->segment, e->num_out, offset, out, length, copy_in);
}

size_t virtqueue_write(VirtioDevice *v, const VirtqElement *e, uint64_t offset,
                       const void *data, size_t length)
{
    return copy_segments(v, e->segment + e->num_out, e->num_in, offset, (uint8_t *)data,
                         length, copy_out);
}

void virtqueue_push(VirtioDevice *v, unsigned q, const VirtqElement *e, uint32_t written)
{
    if (v->s->broken) {
        return;
    }
    assert(v->s->in_use[q] > 0);
    trace_virtio_push(v->dev.id, q, written);
    if (ring_of(v)->push(v, q, e->head, written)) {
        v->s->in_use[q]--;
    }
}

void virtqueue_notify(VirtioDevice *v, unsigned q)
{
    if (!v->s->broken && ring_of(v)->should_notify(v, q)) {
        virtio_interrupt(v, VIRTIO_ISR_QUEUE, v->s->queue_vector[q]);
    }
}
