/*
 * Split rings (virtio 1.2 2.7), the device's side.
 *
 * Legacy rings have the guest's byte order (2.4.3), which is little-endian here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/bytes.h"
#include "virtqueue-internal.h"

#define AVAIL_F_NO_INTERRUPT 1

typedef struct VirtqDesc {
    uint64_t addr;
    uint32_t length;
    uint16_t flags;
    uint16_t next;
} VirtqDesc;

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
            unsigned entries;

            /* 2.7.5.3.1: once, and last in its chain. */
            if (indirect || (desc.flags & DESC_F_NEXT)) {
                virtio_error(v, "an indirect descriptor is malformed");
                return false;
            }
            entries = virtq_indirect_entries(v, e, desc.length);
            return entries && walk_chain(v, e, desc.addr, entries, 0, true);
        }
        if (!virtq_add_segment(v, e, desc.addr, desc.length, desc.flags)) {
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

    if (!virtq_read16(v, avail_idx(v, q), &idx)) {
        return false;
    }
    *count = (uint16_t)(idx - v->s->last_avail[q]);
    if (*count > v->s->queue_num[q]) {
        virtio_error(v, "the available index moved by more than the queue's size");
        return false;
    }
    return true;
}

static bool split_again(VirtioDevice *v, unsigned q, uint16_t head, VirtqElement *e)
{
    virtq_begin(e, head);
    return walk_chain(v, e, v->s->queue_desc[q], v->s->queue_num[q], head, false);
}

static bool split_next(VirtioDevice *v, unsigned q, VirtqElement *e, bool take)
{
    VirtioState *s = v->s;
    uint16_t count, head;

    if (!avail_count(v, q, &count) || count == 0) {
        return false;
    }
    if (s->in_use[q] >= s->queue_num[q]) {
        virtio_error(v, "more chains are in use than the queue has");
        return false;
    }
    if (!virtq_read16(v, avail_ring(v, q, s->last_avail[q] & (s->queue_num[q] - 1)), &head) ||
        !split_again(v, q, head, e)) {
        return false;
    }
    if (!take) {
        return true;
    }
    s->last_avail[q]++;
    /* 2.7.10: ask for a kick when the driver adds the next entry. */
    return !virtio_has_feature(v, VIRTIO_F_EVENT_IDX) ||
           virtq_write16(v, used_ring(v, q, s->queue_num[q]), s->last_avail[q]);
}

static void split_rewind(VirtioDevice *v, unsigned q, unsigned n)
{
    v->s->last_avail[q] -= (uint16_t)n;
}

static bool split_push(VirtioDevice *v, unsigned q, uint16_t head, uint32_t written)
{
    VirtioState *s = v->s;
    uint8_t raw[8];

    store_le(raw, head, 4);
    store_le(raw + 4, written, 4);
    if (!memory_write(v->dev.machine->memory,
                      used_ring(v, q, s->used_idx[q] & (s->queue_num[q] - 1)),
                      raw, sizeof(raw))) {
        virtio_error(v, "the used ring is not in RAM");
        return false;
    }
    s->used_idx[q]++;
    return virtq_write16(v, used_idx(v, q), s->used_idx[q]);
}

/* 2.7.7 */
static bool split_should_notify(VirtioDevice *v, unsigned q)
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
        return virtq_read16(v, s->queue_avail[q], &flags) && !(flags & AVAIL_F_NO_INTERRUPT);
    }
    if (!virtq_read16(v, avail_ring(v, q, s->queue_num[q]), &event)) {
        return false;
    }
    s->signalled_used[q] = new;
    s->signalled_valid[q] = 1;
    return !valid || (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

const VirtqRing split_ring = {
    .next = split_next, .again = split_again, .rewind = split_rewind, .push = split_push,
    .should_notify = split_should_notify,
};
