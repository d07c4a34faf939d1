/*
 * Packed rings (virtio 1.2 2.8), the device's side.
 *
 * The device writes used descriptors over those that it has taken, in the order in which it is done, so a chain that
 * is out may be overwritten by another one's end. VirtioState.packed_chains therefore keeps, in the order in which they
 * were taken, what the ring said of each:
 *
 *   le16 queue, le16 buffer id, le16 count, and count descriptors of 16 bytes
 *
 * Indirect tables stay where they are: those are the driver's until the chain is used.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/bytes.h"
#include "virtqueue-internal.h"

enum {
    DESC_F_AVAIL = 1 << 7,
    DESC_F_USED = 1 << 15,
};

/* Event suppression (2.8.14): le16 position, le16 flags. */
enum { EVENT_ENABLE = 0, EVENT_DISABLE = 1, EVENT_DESC = 2, EVENT_FLAGS = 3 };

#define RECORD_HEAD 6

/* ---- positions ---- */

static unsigned slot_of(uint16_t position)
{
    return position & ~VIRTQ_PACKED_WRAP;
}

static uint16_t advance(uint16_t position, unsigned count, unsigned num)
{
    unsigned slot = slot_of(position) + count;
    unsigned wrap = position & VIRTQ_PACKED_WRAP;

    return (uint16_t)(slot < num ? slot | wrap : (slot - num) | (wrap ^ VIRTQ_PACKED_WRAP));
}

static uint16_t retreat(uint16_t position, unsigned count, unsigned num)
{
    unsigned slot = slot_of(position), wrap = position & VIRTQ_PACKED_WRAP;

    return (uint16_t)(slot >= count ? (slot - count) | wrap
                                    : (slot + num - MIN(count, slot + num)) | (wrap ^ VIRTQ_PACKED_WRAP));
}

/* How far it is from one position to another one; all positions of both wrap counters are one circle. */
static unsigned distance(uint16_t from, uint16_t to, unsigned num)
{
    unsigned a = slot_of(from) + (from & VIRTQ_PACKED_WRAP ? 0 : num);
    unsigned b = slot_of(to) + (to & VIRTQ_PACKED_WRAP ? 0 : num);

    return (b % (2 * num) + 2 * num - a % (2 * num)) % (2 * num);
}

/* A driver may have made the queue smaller than the position in it. */
static bool slot_ok(VirtioDevice *v, unsigned q, uint16_t position)
{
    if (slot_of(position) < v->s->queue_num[q]) {
        return true;
    }
    virtio_error(v, "a queue became smaller while it was in use");
    return false;
}

/* ---- chains that are out ---- */

typedef struct Chain {
    size_t at;                  /* of its record */
    unsigned q, count;
    uint16_t id;
} Chain;

static size_t record_bytes(unsigned count)
{
    return RECORD_HEAD + (size_t)count * DESC_SIZE;
}

/* The chain whose record is at `at`, which moves behind it; false: there is none, or not a whole one. */
static bool read_record(const GByteArray *chains, size_t *at, Chain *c)
{
    const uint8_t *record = chains->data + *at;

    if (chains->len - *at < RECORD_HEAD) {
        return false;
    }
    *c = (Chain) {
        .at = *at, .q = (unsigned)load_le(record, 2), .id = (uint16_t)load_le(record + 2, 2),
        .count = (unsigned)load_le(record + 4, 2),
    };
    if (chains->len - *at < record_bytes(c->count)) {
        return false;
    }
    *at += record_bytes(c->count);
    return true;
}

static void remove_record(GByteArray *chains, const Chain *c)
{
    g_byte_array_remove_range(chains, (guint)c->at, (guint)record_bytes(c->count));
}

static bool find_chain(const GByteArray *chains, unsigned q, uint16_t id, Chain *c)
{
    for (size_t at = 0; read_record(chains, &at, c); ) {
        if (c->q == q && c->id == id) {
            return true;
        }
    }
    return false;
}

static bool find_last_chain(const GByteArray *chains, unsigned q, Chain *last)
{
    bool found = false;
    Chain c;

    for (size_t at = 0; read_record(chains, &at, &c); ) {
        if (c.q == q) {
            *last = c;
            found = true;
        }
    }
    return found;
}

static unsigned slots_out(const GByteArray *chains, unsigned q)
{
    unsigned slots = 0;
    Chain c;

    for (size_t at = 0; read_record(chains, &at, &c); ) {
        slots += c.q == q ? c.count : 0;
    }
    return slots;
}

static bool must_find(VirtioDevice *v, unsigned q, uint16_t id, Chain *c)
{
    if (find_chain(v->s->packed_chains, q, id, c)) {
        return true;
    }
    virtio_error(v, "a chain is asked for that is not out");
    return false;
}

bool virtq_packed_chains_ok(const VirtioDevice *v)
{
    const GByteArray *chains = v->s->packed_chains;
    uint16_t count[VIRTIO_MAX_QUEUES] = { 0 };
    size_t at = 0;
    Chain c;

    while (read_record(chains, &at, &c)) {
        if (c.q >= v->vtype->num_queues || c.count == 0 || c.count > VIRTQUEUE_MAX_SIZE) {
            return false;
        }
        count[c.q]++;
    }
    return at == chains->len && !memcmp(count, v->s->in_use, sizeof(count));
}

void virtq_packed_forget(VirtioDevice *v, unsigned q)
{
    Chain c;

    while (find_last_chain(v->s->packed_chains, q, &c)) {
        remove_record(v->s->packed_chains, &c);
    }
}

/* ---- chains in the ring ---- */

/* The buffers of an indirect table (2.8.8): all of its descriptors, of whose flags one counts. */
static bool add_table(VirtioDevice *v, VirtqElement *e, hwaddr table, uint32_t length)
{
    unsigned entries = virtq_indirect_entries(v, e, length);

    for (unsigned i = 0; i < entries; i++) {
        uint8_t desc[DESC_SIZE];

        if (!memory_read(v->dev.machine->memory, table + i * (hwaddr)DESC_SIZE, desc, sizeof(desc))) {
            virtio_error(v, "a descriptor table is not in RAM");
            return false;
        }
        if (!virtq_add_segment(v, e, load_le(desc, 8), (uint32_t)load_le(desc + 8, 4),
                               load_le(desc + 14, 2) & DESC_F_WRITE)) {
            return false;
        }
    }
    return entries > 0;
}

static bool add_buffers(VirtioDevice *v, const Chain *c, VirtqElement *e)
{
    const uint8_t *desc = v->s->packed_chains->data + c->at + RECORD_HEAD;

    virtq_begin(e, c->id);
    for (unsigned i = 0; i < c->count; i++, desc += DESC_SIZE) {
        uint64_t addr = load_le(desc, 8);
        uint32_t length = (uint32_t)load_le(desc + 8, 4);
        uint16_t flags = (uint16_t)load_le(desc + 14, 2);

        /* 2.8.7: a list has descriptors of one kind; and an indirect one is a list of its own. */
        if ((flags & DESC_F_INDIRECT) && c->count > 1) {
            virtio_error(v, "an indirect descriptor is malformed");
            return false;
        }
        if (flags & DESC_F_INDIRECT ? !add_table(v, e, addr, length)
                                    : !virtq_add_segment(v, e, addr, length, flags)) {
            return false;
        }
    }
    return true;
}

static bool read_slot(VirtioDevice *v, unsigned q, uint16_t position, uint8_t *desc)
{
    if (memory_read(v->dev.machine->memory, v->s->queue_desc[q] + slot_of(position) * (hwaddr)DESC_SIZE, desc,
                    DESC_SIZE)) {
        return true;
    }
    virtio_error(v, "a ring is not in RAM");
    return false;
}

/* 2.8.1: one that is neither used nor of the round before. */
static bool is_available(uint16_t position, const uint8_t *desc)
{
    unsigned flags = (unsigned)load_le(desc + 14, 2);
    bool wrap = position & VIRTQ_PACKED_WRAP;

    return !(flags & DESC_F_AVAIL) == !wrap && !(flags & DESC_F_USED) == wrap;
}

/* Append a record of the next chain to packed_chains. False: there is none; what was appended is the caller's. */
static bool read_chain(VirtioDevice *v, unsigned q, Chain *c)
{
    VirtioState *s = v->s;
    uint8_t head[RECORD_HEAD], desc[DESC_SIZE];
    uint16_t position = s->last_avail[q];
    unsigned room = s->queue_num[q] - MIN(s->queue_num[q], slots_out(s->packed_chains, q));
    Chain other;

    *c = (Chain){ .at = s->packed_chains->len, .q = q };
    if (!slot_ok(v, q, position) || !read_slot(v, q, position, desc) || !is_available(position, desc)) {
        return false;
    }
    g_byte_array_set_size(s->packed_chains, s->packed_chains->len + RECORD_HEAD);
    do {
        if (c->count == room) {
            virtio_error(v, "more descriptors are in use than the queue has");
            return false;
        }
        if (!read_slot(v, q, position, desc)) {
            return false;
        }
        g_byte_array_append(s->packed_chains, desc, sizeof(desc));
        c->count++;
        position = advance(position, 1, s->queue_num[q]);
    } while (load_le(desc + 14, 2) & DESC_F_NEXT);
    c->id = (uint16_t)load_le(desc + 12, 2);
    store_le(head, q, 2);
    store_le(head + 2, c->id, 2);
    store_le(head + 4, c->count, 2);
    memcpy(s->packed_chains->data + c->at, head, sizeof(head));
    if (find_chain(s->packed_chains, q, c->id, &other) && other.at != c->at) {
        virtio_error(v, "two chains have one buffer id");
        return false;
    }
    return true;
}

/* ---- the ring ---- */

/* 2.8.14: ask for a kick when the driver writes the descriptor at this position. */
static bool ask_for_kick(VirtioDevice *v, unsigned q, uint16_t position)
{
    return !virtio_has_feature(v, VIRTIO_F_EVENT_IDX) ||
           (virtq_write16(v, v->s->queue_used[q], position) &&
            virtq_write16(v, v->s->queue_used[q] + 2, EVENT_DESC));
}

static bool packed_next(VirtioDevice *v, unsigned q, VirtqElement *e, bool take)
{
    VirtioState *s = v->s;
    guint before = s->packed_chains->len;
    uint16_t after;
    Chain c;

    if (!read_chain(v, q, &c) || !add_buffers(v, &c, e)) {
        g_byte_array_set_size(s->packed_chains, before);
        return false;
    }
    after = advance(s->last_avail[q], c.count, s->queue_num[q]);
    if (!take || !ask_for_kick(v, q, after)) {
        g_byte_array_set_size(s->packed_chains, before);
        return !take;
    }
    s->last_avail[q] = after;
    return true;
}

static bool packed_again(VirtioDevice *v, unsigned q, uint16_t head, VirtqElement *e)
{
    Chain c;

    return must_find(v, q, head, &c) && add_buffers(v, &c, e);
}

static void packed_rewind(VirtioDevice *v, unsigned q, unsigned n)
{
    VirtioState *s = v->s;
    Chain c;

    while (n-- > 0 && find_last_chain(s->packed_chains, q, &c)) {
        s->last_avail[q] = retreat(s->last_avail[q], c.count, s->queue_num[q]);
        remove_record(s->packed_chains, &c);
    }
}

/* 2.8.6: one used descriptor a chain, in place of the first of as many as the chain had. */
static bool packed_push(VirtioDevice *v, unsigned q, uint16_t head, uint32_t written)
{
    VirtioState *s = v->s;
    unsigned flags = (s->used_idx[q] & VIRTQ_PACKED_WRAP ? DESC_F_AVAIL | DESC_F_USED : 0) |
                     (written ? DESC_F_WRITE : 0);
    uint8_t raw[8];
    Chain c;

    if (!must_find(v, q, head, &c) || !slot_ok(v, q, s->used_idx[q])) {
        return false;
    }
    store_le(raw, written, 4);
    store_le(raw + 4, head, 2);
    store_le(raw + 6, flags, 2);
    if (!memory_write(v->dev.machine->memory, s->queue_desc[q] + slot_of(s->used_idx[q]) * (hwaddr)DESC_SIZE + 8,
                      raw, sizeof(raw))) {
        virtio_error(v, "a ring is not in RAM");
        return false;
    }
    s->used_idx[q] = advance(s->used_idx[q], c.count, s->queue_num[q]);
    remove_record(s->packed_chains, &c);
    return true;
}

static bool packed_should_notify(VirtioDevice *v, unsigned q)
{
    VirtioState *s = v->s;
    uint16_t old = s->signalled_used[q], new = s->used_idx[q], event, flags;
    bool valid = s->signalled_valid[q];

    if (!virtq_read16(v, s->queue_avail[q], &event) || !virtq_read16(v, s->queue_avail[q] + 2, &flags)) {
        return false;
    }
    s->signalled_used[q] = new;
    s->signalled_valid[q] = 1;
    if ((flags & EVENT_FLAGS) == EVENT_DESC && virtio_has_feature(v, VIRTIO_F_EVENT_IDX)) {
        return !valid || distance(old, event, s->queue_num[q]) < distance(old, new, s->queue_num[q]);
    }
    return (flags & EVENT_FLAGS) != EVENT_DISABLE;
}

const VirtqRing packed_ring = {
    .next = packed_next, .again = packed_again, .rewind = packed_rewind, .push = packed_push,
    .should_notify = packed_should_notify,
};
