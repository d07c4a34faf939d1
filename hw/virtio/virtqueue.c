/*
 * Split virtqueues (virtio 1.2 2.7), the device's side.
 *
 * 1. Nothing in the rings is trusted: every index is checked, a chain has at most
 *    VIRTQUEUE_MAX_SIZE buffers, and every buffer lies in RAM.
 * 2. Positions are kept in VirtioState, never read back from the used ring.
 * 3. A violation stops the device (virtio_error); what was taken before stays taken.
 *
 * Legacy rings have the guest's byte order (2.4.3), which is little-endian here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/bytes.h"
#include "util/trace.h"
#include "virtio-internal.h"

enum DescFlags {
    DESC_F_NEXT = 1,
    DESC_F_WRITE = 2,
    DESC_F_INDIRECT = 4,
};

#define DESC_SIZE 16
#define AVAIL_F_NO_INTERRUPT 1

typedef struct VirtqDesc {
    uint64_t addr;
    uint32_t length;
    uint16_t flags;
    uint16_t next;
} VirtqDesc;

static bool ring_read16(VirtioDevice *v, hwaddr addr, uint16_t *out)
{
    uint8_t raw[2];

    if (!memory_read(v->dev.machine->memory, addr, raw, sizeof(raw))) {
        virtio_error(v, "a ring is not in RAM");
        return false;
    }
    *out = (uint16_t)load_le(raw, 2);
    return true;
}

static bool ring_write16(VirtioDevice *v, hwaddr addr, uint16_t value)
{
    uint8_t raw[2];

    store_le(raw, value, 2);
    if (!memory_write(v->dev.machine->memory, addr, raw, sizeof(raw))) {
        virtio_error(v, "a ring is not in RAM");
        return false;
    }
    return true;
}

/* flags, idx, ring[num], used_event (2.7.6) */
static hwaddr avail_idx(VirtioDevice *v, unsigned q)
{
    return v->s->queue_avail[q] + 2;
}

static hwaddr avail_ring(VirtioDevice *v, unsigned q, unsigned i)
{
    return v->s->queue_avail[q] + 4 + 2 * (hwaddr)i;
}

/* flags, idx, ring[num] of {id, len}, avail_event (2.7.8) */
static hwaddr used_idx(VirtioDevice *v, unsigned q)
{
    return v->s->queue_used[q] + 2;
}

static hwaddr used_ring(VirtioDevice *v, unsigned q, unsigned i)
{
    return v->s->queue_used[q] + 4 + 8 * (hwaddr)i;
}

static bool read_desc(VirtioDevice *v, hwaddr table, unsigned i, VirtqDesc *desc)
{
    uint8_t raw[DESC_SIZE];

    if (!memory_read(v->dev.machine->memory, table + (hwaddr)i * DESC_SIZE, raw, sizeof(raw))) {
        virtio_error(v, "a descriptor table is not in RAM");
        return false;
    }
    desc->addr = load_le(raw, 8);
    desc->length = (uint32_t)load_le(raw + 8, 4);
    desc->flags = (uint16_t)load_le(raw + 12, 2);
    desc->next = (uint16_t)load_le(raw + 14, 2);
    return true;
}

static bool add_segment(VirtioDevice *v, VirtqElement *e, const VirtqDesc *desc)
{
    unsigned n = e->num_out + e->num_in;

    if (desc->length == 0) {
        return true;
    }
    if (!memory_is_writable_ram(v->dev.machine->memory, desc->addr, desc->length)) {
        virtio_error(v, "a buffer is not in RAM");
        return false;
    }
    if (desc->flags & DESC_F_WRITE) {
        e->num_in++;
        e->in_bytes += desc->length;
    } else if (e->num_in) {
        virtio_error(v, "a readable buffer follows a writable one");
        return false;
    } else {
        e->num_out++;
        e->out_bytes += desc->length;
    }
    e->segment[n] = (VirtqSegment){ .addr = desc->addr, .length = desc->length };
    return true;
}

/* Follow a chain in `table` of `num` descriptors; the budget ends loops. */
static bool walk_chain(VirtioDevice *v, VirtqElement *e, hwaddr table, unsigned num,
                       unsigned i, bool indirect)
{
    for (unsigned budget = num; budget > 0; budget--) {
        VirtqDesc desc;

        if (i >= num) {
            virtio_error(v, "a descriptor index is outside its table");
            return false;
        }
        if (!read_desc(v, table, i, &desc)) {
            return false;
        }
        if (desc.flags & DESC_F_INDIRECT) {
            unsigned entries = desc.length / DESC_SIZE;

            /* 2.7.5.3.1: once, last in its chain, and of whole descriptors. */
            if (indirect || (desc.flags & DESC_F_NEXT) ||
                !virtio_has_feature(v, VIRTIO_F_INDIRECT_DESC) ||
                entries == 0 || desc.length % DESC_SIZE || entries > VIRTQUEUE_MAX_SIZE ||
                e->num_out + e->num_in + entries > VIRTQUEUE_MAX_SIZE) {
                virtio_error(v, "an indirect descriptor is malformed");
                return false;
            }
            return walk_chain(v, e, desc.addr, entries, 0, true);
        }
        if (!add_segment(v, e, &desc)) {
            return false;
        }
        if (!(desc.flags & DESC_F_NEXT)) {
            return true;
        }
        i = desc.next;
    }
    virtio_error(v, "a descriptor chain is longer than its table");
    return false;
}

/* Entries that wait in the available ring; false when the ring is broken. */
static bool avail_count(VirtioDevice *v, unsigned q, uint16_t *count)
{
    uint16_t idx;

    if (!ring_read16(v, avail_idx(v, q), &idx)) {
        return false;
    }
    *count = (uint16_t)(idx - v->s->last_avail[q]);
    if (*count > v->s->queue_num[q]) {
        virtio_error(v, "the available index moved by more than the queue's size");
        return false;
    }
    return true;
}

static bool take_chain(VirtioDevice *v, unsigned q, uint16_t head, VirtqElement *e)
{
    e->head = head;
    e->num_out = e->num_in = 0;
    e->out_bytes = e->in_bytes = 0;
    return walk_chain(v, e, v->s->queue_desc[q], v->s->queue_num[q], head, false);
}

bool virtqueue_again(VirtioDevice *v, unsigned q, uint16_t head, VirtqElement *e)
{
    return !v->s->broken && v->s->queue_ready[q] && take_chain(v, q, head, e);
}

bool virtqueue_peek(VirtioDevice *v, unsigned q, VirtqElement *e)
{
    VirtioState *s = v->s;
    uint16_t count, head;

    assert(q < v->vtype->num_queues);
    if (s->broken || !s->queue_ready[q] || !avail_count(v, q, &count) || count == 0) {
        return false;
    }
    if (s->in_use[q] >= s->queue_num[q]) {
        virtio_error(v, "more chains are in use than the queue has");
        return false;
    }
    return ring_read16(v, avail_ring(v, q, s->last_avail[q] & (s->queue_num[q] - 1)), &head) &&
           take_chain(v, q, head, e);
}

bool virtqueue_pop(VirtioDevice *v, unsigned q, VirtqElement *e)
{
    VirtioState *s = v->s;

    if (!virtqueue_peek(v, q, e)) {
        return false;
    }
    s->last_avail[q]++;
    s->in_use[q]++;
    /* 2.7.10: ask for a kick when the driver adds the next entry. */
    if (virtio_has_feature(v, VIRTIO_F_EVENT_IDX)) {
        return ring_write16(v, used_ring(v, q, s->queue_num[q]), s->last_avail[q]);
    }
    return true;
}

/* With event indices the driver still kicks for the next chain that it adds: nothing else brings more. */
void virtqueue_rewind(VirtioDevice *v, unsigned q, unsigned n)
{
    if (!v->s->broken) {
        assert(n <= v->s->in_use[q]);
        v->s->last_avail[q] -= (uint16_t)n;
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
    VirtioState *s = v->s;
    uint8_t raw[8];

    if (s->broken) {
        return;
    }
    assert(s->in_use[q] > 0);
    trace_virtio_push(v->dev.id, q, written);
    store_le(raw, e->head, 4);
    store_le(raw + 4, written, 4);
    if (!memory_write(v->dev.machine->memory,
                      used_ring(v, q, s->used_idx[q] & (s->queue_num[q] - 1)),
                      raw, sizeof(raw))) {
        virtio_error(v, "the used ring is not in RAM");
        return;
    }
    s->used_idx[q]++;
    s->in_use[q]--;
    ring_write16(v, used_idx(v, q), s->used_idx[q]);
}

/* Whether the driver wants an interrupt for what was used since the last check (2.7.7). */
static bool should_notify(VirtioDevice *v, unsigned q)
{
    VirtioState *s = v->s;
    uint16_t old = s->signalled_used[q], new = s->used_idx[q], flags, event, waiting;
    bool valid = s->signalled_valid[q];

    if (virtio_has_feature(v, VIRTIO_F_NOTIFY_ON_EMPTY) && s->in_use[q] == 0 &&
        avail_count(v, q, &waiting) && waiting == 0) {
        s->signalled_used[q] = new;
        s->signalled_valid[q] = 1;
        return true;
    }
    if (s->broken) {
        return false;
    }
    if (!virtio_has_feature(v, VIRTIO_F_EVENT_IDX)) {
        return ring_read16(v, s->queue_avail[q], &flags) && !(flags & AVAIL_F_NO_INTERRUPT);
    }
    if (!ring_read16(v, avail_ring(v, q, s->queue_num[q]), &event)) {
        return false;
    }
    s->signalled_used[q] = new;
    s->signalled_valid[q] = 1;
    return !valid || (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

void virtqueue_notify(VirtioDevice *v, unsigned q)
{
    if (!v->s->broken && should_notify(v, q)) {
        virtio_interrupt(v, VIRTIO_ISR_QUEUE, v->s->queue_vector[q]);
    }
}
