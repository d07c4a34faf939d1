/*
 * Packed rings (virtio 1.2 2.8) against a driver that does it right, in any order, and a hostile one, over
 * virtio-mmio.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/virtio/virtio-mmio.h"
#include "virtio-echo.h"

enum { F_AVAIL = 1 << 7, F_USED = 1 << 15 };
enum { EVENTS_ON = 0, EVENTS_OFF = 1, EVENTS_AT = 2 };

#define FEATURES (1u << VIRTIO_F_INDIRECT_DESC | 1u << VIRTIO_F_EVENT_IDX)

/* ---- the driver's side ---- */

typedef struct Packed {
    Driver d;
    Echo *echo;
    unsigned avail, used;      /* descriptors since the start */
} Packed;

/* The flags of an available descriptor that is number n since the start; of a used one. */
static uint16_t avail_flags(const Packed *p, unsigned n)
{
    return n / p->d.num % 2 ? F_USED : F_AVAIL;
}

static uint16_t used_flags(const Packed *p, unsigned n)
{
    return n / p->d.num % 2 ? 0 : F_AVAIL | F_USED;
}

/* A position as event suppression has it. */
static uint16_t position(const Packed *p, unsigned n)
{
    return (uint16_t)(n % p->d.num | (n / p->d.num % 2 ? 0 : 0x8000));
}

static void put_slot(Packed *p, hwaddr addr, uint32_t length, uint16_t id, uint16_t flags)
{
    put_desc(&p->d, p->d.desc, p->avail % p->d.num, addr, length, id, (uint16_t)(flags | avail_flags(p, p->avail)));
    p->avail++;
}

/* 4 bytes out, 4 out, 8 in, whose content is `value`. */
static void put_chain(Packed *p, uint16_t id, hwaddr buffer, uint64_t value)
{
    ram_write(&p->d, buffer, value, 8);
    ram_write(&p->d, buffer + 0x100, 0, 8);
    put_slot(p, buffer, 4, 0xdead, DESC_NEXT);
    put_slot(p, buffer + 4, 4, 0xdead, DESC_NEXT);
    put_slot(p, buffer + 0x100, 8, id, DESC_WRITE);
}

static void check_used(Packed *p, unsigned count, uint16_t id, uint32_t written)
{
    hwaddr desc = p->d.desc + 16 * (p->used % p->d.num);

    g_assert_cmpuint(ram_read(&p->d, desc + 12, 2), ==, id);
    g_assert_cmpuint(ram_read(&p->d, desc + 8, 4), ==, written);
    g_assert_cmphex(ram_read(&p->d, desc + 14, 2), ==, used_flags(p, p->used) | (written ? DESC_WRITE : 0));
    p->used += count;
}

static bool is_used(Packed *p)
{
    uint16_t flags = (uint16_t)ram_read(&p->d, p->d.desc + 16 * (p->used % p->d.num) + 14, 2);

    return (flags & (F_AVAIL | F_USED)) == used_flags(p, p->used);
}

static void set_events(Packed *p, uint16_t where, uint16_t flags)
{
    ram_write(&p->d, p->d.avail, where, 2);
    ram_write(&p->d, p->d.avail + 2, flags, 2);
}

static void start(Packed *p, uint32_t features, unsigned num)
{
    for (unsigned i = 0; i < num; i++) {
        put_desc(&p->d, RING_BASE, i, 0, 0, 0, 0);
    }
    driver_start_packed(&p->d, features, num);
    g_assert_cmphex(reg_read(&p->d, 0x70), ==, 15);
    p->avail = p->used = 0;
    set_events(p, 0, EVENTS_ON);
}

static void offer_packed(Driver *d)
{
    static const DeviceType *const types[] = { &echo_type, NULL };

    d->m->device_types = types;
    g_assert_true(globals_add(d->m, "echo.packed=on", NULL));
}

static void setup(Packed *p)
{
    memset(p, 0, sizeof(*p));
    driver_init_machine(&p->d, NULL);
    offer_packed(&p->d);
    driver_add_transport(&p->d, MMIO_BASE, false, &echo_type, "echo");
    machine_reset_devices(p->d.m);
    p->echo = container_of(p->d.v, Echo, parent);
}

/* ---- a device that takes its time ---- */

static struct {
    uint16_t head[64];
    unsigned num;
} held;

static void hold_queue(VirtioDevice *v, unsigned q)
{
    Echo *echo = container_of(v, Echo, parent);

    while (virtqueue_pop(v, q, &echo->e)) {
        held.head[held.num++] = echo->e.head;
    }
}

static void forget_queue(VirtioDevice *v, unsigned q)
{
    held.num = 0;
}

static const VirtioDeviceType holding_vtype = {
    .device_id = 42, .num_queues = 2, .queue_size = 256, .config_size = 8,
    .handle_queue = hold_queue, .forget_queue = forget_queue,
    .config_read = echo_config_read,
};

static void hold(Packed *p)
{
    held.num = 0;
    p->d.v->vtype = &holding_vtype;
}

/* Answer the chain with this head. */
static void answer(Packed *p, uint16_t head)
{
    VirtqElement *e = &p->echo->e;
    uint8_t data[8];

    g_assert_true(virtqueue_again(p->d.v, 0, head, e));
    g_assert_cmpuint(virtqueue_read(p->d.v, e, 0, data, 8), ==, 8);
    virtqueue_push(p->d.v, 0, e, (uint32_t)virtqueue_write(p->d.v, e, 0, data, 8));
    virtqueue_notify(p->d.v, 0);
}

/* ---- what works ---- */

static void test_offer(void)
{
    Driver d;
    Packed p;

    setup(&p);
    reg_write(&p.d, 0x14, 1);
    g_assert_cmphex(reg_read(&p.d, 0x10), ==, 5);
    driver_free(&p.d);
    /* It is off unless it is asked for, and the interface of before 1.0 has no place for it. */
    driver_init_machine(&d, NULL);
    driver_add_transport(&d, MMIO_BASE, false, &echo_type, "echo");
    g_assert_cmphex(d.v->host_features >> 32, ==, 1);
    driver_free(&d);
    driver_init_machine(&d, NULL);
    offer_packed(&d);
    driver_add_transport(&d, MMIO_BASE, true, &echo_type, "echo");
    g_assert_cmphex(d.v->host_features >> 32, ==, 0);
    driver_free(&d);
}

/* More rounds than the ring has slots, of a size that is no power of two: chains cross its end, wrap counters turn. */
static void test_echo_packed(void)
{
    Packed p;

    setup(&p);
    start(&p, 0, 7);
    for (unsigned i = 0; i < 40; i++) {
        put_chain(&p, (uint16_t)(i + 100), BUFFER_BASE, i + 1);
        kick(&p.d);
        check_used(&p, 3, (uint16_t)(i + 100), 8);
        g_assert_cmphex(ram_read(&p.d, BUFFER_BASE + 0x100, 8), ==, i + 1);
        g_assert_true(p.d.irq);
        reg_write(&p.d, 0x64, 1);
    }
    g_assert_cmpuint(p.echo->last_out, ==, 2);
    g_assert_cmpuint(p.echo->last_in, ==, 1);
    /* Several with one kick. */
    put_chain(&p, 5, BUFFER_BASE, 5);
    put_chain(&p, 6, BUFFER_BASE + 0x1000, 6);
    kick(&p.d);
    check_used(&p, 3, 5, 8);
    check_used(&p, 3, 6, 8);
    g_assert_cmphex(ram_read(&p.d, BUFFER_BASE + 0x1100, 8), ==, 6);
    /* Nothing new: nothing happens. */
    kick(&p.d);
    g_assert_false(is_used(&p));
    driver_free(&p.d);
}

/* All of a table's descriptors belong to it, whatever their other flags say (2.8.8). */
static void test_indirect(void)
{
    Packed p;

    setup(&p);
    start(&p, FEATURES, 8);
    ram_write(&p.d, BUFFER_BASE, 0x1122334455667788ull, 8);
    put_desc(&p.d, INDIRECT_BASE, 0, BUFFER_BASE, 4, 77, 0);
    put_desc(&p.d, INDIRECT_BASE, 1, BUFFER_BASE + 4, 4, 78, DESC_NEXT | DESC_INDIRECT | F_USED);
    put_desc(&p.d, INDIRECT_BASE, 2, BUFFER_BASE + 0x100, 8, 79, DESC_WRITE);
    put_slot(&p, INDIRECT_BASE, 48, 9, DESC_INDIRECT);
    kick(&p.d);
    check_used(&p, 1, 9, 8);
    g_assert_cmphex(ram_read(&p.d, BUFFER_BASE + 0x100, 8), ==, 0x1122334455667788ull);
    driver_free(&p.d);
}

/* Chains that are done in another order overwrite each other in the ring, and lose nothing. */
static void test_any_order(void)
{
    static const uint16_t order[] = { 3, 0, 2, 1 };
    Packed p;

    setup(&p);
    hold(&p);
    start(&p, FEATURES, 16);
    for (unsigned round = 0; round < 9; round++) {
        for (uint16_t i = 0; i < 4; i++) {
            put_chain(&p, i, BUFFER_BASE + 0x1000 * i, round * 4u + i);
        }
        kick(&p.d);
        g_assert_cmpuint(held.num, ==, 4);
        held.num = 0;
        for (unsigned i = 0; i < 4; i++) {
            answer(&p, order[i]);
            check_used(&p, 3, order[i], 8);
        }
        for (unsigned i = 0; i < 4; i++) {
            g_assert_cmphex(ram_read(&p.d, BUFFER_BASE + 0x1000 * i + 0x100, 8), ==, round * 4 + i);
        }
    }
    g_assert_false(p.d.v->s->broken);
    driver_free(&p.d);
}

/* What is given back unread comes again, also across the ring's end. */
static void test_rewind(void)
{
    Packed p;

    setup(&p);
    hold(&p);
    start(&p, 0, 8);
    for (unsigned round = 0; round < 12; round++) {
        put_chain(&p, 1, BUFFER_BASE, 11);
        put_chain(&p, 2, BUFFER_BASE + 0x1000, 22);
        for (unsigned again = 0; again < 3; again++) {
            held.num = 0;
            kick(&p.d);
            g_assert_cmpuint(held.num, ==, 2);
            g_assert_cmpuint(held.head[0], ==, 1);
            g_assert_cmpuint(held.head[1], ==, 2);
            virtqueue_rewind(p.d.v, 0, again == 1 ? 2 : 0);
            if (again == 0) {
                virtqueue_rewind(p.d.v, 0, 1);
                virtqueue_rewind(p.d.v, 0, 1);
            }
        }
        held.num = 0;
        answer(&p, 1);
        answer(&p, 2);
        check_used(&p, 3, 1, 8);
        check_used(&p, 3, 2, 8);
    }
    driver_free(&p.d);
}

static void echo_at(Packed *p, bool irq)
{
    put_chain(p, 1, BUFFER_BASE, 1);
    reg_write(&p->d, 0x64, 1);
    kick(&p->d);
    check_used(p, 3, 1, 8);
    g_assert_true(p->d.irq == irq);
}

/* 2.8.14, in both directions and in all places of the ring. */
static void test_events(void)
{
    Packed p;

    setup(&p);
    start(&p, FEATURES, 8);
    for (unsigned i = 0; i < 30; i++) {
        set_events(&p, 0, EVENTS_OFF);
        echo_at(&p, false);
        g_assert_cmphex(ram_read(&p.d, p.d.used, 2), ==, position(&p, p.avail));
        g_assert_cmphex(ram_read(&p.d, p.d.used + 2, 2), ==, EVENTS_AT);
        set_events(&p, 0, EVENTS_ON);
        echo_at(&p, true);
        /* At the next one, in the middle of it, and at the one behind it. */
        set_events(&p, position(&p, p.used), EVENTS_AT);
        echo_at(&p, true);
        set_events(&p, position(&p, p.used + 2), EVENTS_AT);
        echo_at(&p, true);
        set_events(&p, position(&p, p.used + 3), EVENTS_AT);
        echo_at(&p, false);
        echo_at(&p, true);
        /* At one that has been. */
        set_events(&p, position(&p, p.used - 1), EVENTS_AT);
        echo_at(&p, false);
    }
    driver_free(&p.d);
    /* Without event indices positions mean nothing, and the device's events are left alone. */
    setup(&p);
    ram_write(&p.d, RING_BASE + 0xc000, 0xaaaabbbb, 4);
    start(&p, 0, 8);
    set_events(&p, position(&p, 7), EVENTS_AT);
    echo_at(&p, true);
    g_assert_cmphex(ram_read(&p.d, p.d.used, 4), ==, 0xaaaabbbb);
    driver_free(&p.d);
}

/* ---- state ---- */

static void carry(Packed *from, Packed *to)
{
    GByteArray *saved = g_byte_array_new();
    ByteReader in;

    machine_save_devices(from->d.m, saved);
    setup(to);
    to->d.v->vtype = from->d.v->vtype;
    byte_reader_init(&in, saved->data, saved->len);
    g_assert_true(machine_load_devices(to->d.m, &in, NULL));
    g_byte_array_free(saved, TRUE);
}

/* Another machine goes on with chains that are out, whose descriptors are overwritten already. */
static void test_save_load(void)
{
    Packed a, b;

    setup(&a);
    hold(&a);
    start(&a, FEATURES, 8);
    put_chain(&a, 1, BUFFER_BASE, 11);
    put_chain(&a, 2, BUFFER_BASE + 0x1000, 22);
    kick(&a.d);
    answer(&a, 2);
    carry(&a, &b);
    /* RAM is not a device's. */
    b.d.num = a.d.num;
    b.d.desc = a.d.desc;
    ram_write(&b.d, BUFFER_BASE, 11, 8);
    b.used = 3;
    answer(&b, 1);
    check_used(&b, 3, 1, 8);
    g_assert_cmphex(ram_read(&b.d, BUFFER_BASE + 0x100, 8), ==, 11);
    g_assert_cmpuint(b.d.v->s->in_use[0], ==, 0);
    driver_free(&a.d);
    driver_free(&b.d);
}

/* A damaged state has no chains out: not fewer, not more, not of other queues, and whole ones. */
static void test_load_bad_chains(void)
{
    for (unsigned what = 0; what < 5; what++) {
        Packed a, b;
        GByteArray *chains;

        setup(&a);
        hold(&a);
        start(&a, FEATURES, 8);
        put_chain(&a, 1, BUFFER_BASE, 11);
        kick(&a.d);
        chains = a.d.v->s->packed_chains;
        switch (what) {
        case 0: a.d.v->s->in_use[0] = 2; break;
        case 1: g_byte_array_set_size(chains, chains->len - 1); break;
        case 2: chains->data[0] = 9; break;
        case 3: chains->data[4] = 0; break;
        default: chains->data[5] = 0xff; break;
        }
        carry(&a, &b);
        g_assert_cmpuint(b.d.v->s->packed_chains->len, ==, 0);
        g_assert_cmpuint(b.d.v->s->in_use[0], ==, 0);
        g_assert_cmpuint(b.d.v->s->queue_ready[0], ==, 0);
        driver_free(&a.d);
        driver_free(&b.d);
    }
}

/* Whoever changes the kind of ring while chains are out has no queues any more. */
static void test_change_of_kind(void)
{
    Packed p;

    setup(&p);
    hold(&p);
    start(&p, 0, 8);
    reg_write(&p.d, 0x70, 0);
    reg_write(&p.d, 0x24, 1);
    reg_write(&p.d, 0x20, 5);
    g_assert_cmphex(p.d.v->s->last_avail[0], ==, 0x8000);
    reg_write(&p.d, 0x44, 1);
    reg_write(&p.d, 0x20, 1);
    g_assert_cmpuint(p.d.v->s->queue_ready[0], ==, 0);
    g_assert_cmphex(p.d.v->s->last_avail[0], ==, 0);
    driver_free(&p.d);
}

/* ---- hostile rings ---- */

static void endless(Packed *p)
{
    for (unsigned i = 0; i < 8; i++) {
        put_slot(p, BUFFER_BASE, 4, 1, DESC_NEXT | DESC_WRITE);
    }
}

/* Empty buffers add no segment: the walk itself has to be bounded. */
static void endless_empty(Packed *p)
{
    for (unsigned i = 0; i < 8; i++) {
        put_slot(p, BUFFER_BASE, 0, 1, DESC_NEXT);
    }
}

static void huge_length(Packed *p)
{
    put_slot(p, BUFFER_BASE, 0xffffffff, 1, DESC_WRITE);
}

static void outside_ram(Packed *p)
{
    put_slot(p, 0x10, 4, 1, DESC_WRITE);
}

static void top_of_address_space(Packed *p)
{
    put_slot(p, UINT64_MAX - 3, 16, 1, DESC_WRITE);
}

static void mmio_buffer(Packed *p)
{
    put_slot(p, MMIO_BASE, 4, 1, DESC_WRITE);
}

static void readable_after_writable(Packed *p)
{
    put_slot(p, BUFFER_BASE, 4, 1, DESC_WRITE | DESC_NEXT);
    put_slot(p, BUFFER_BASE, 4, 1, 0);
}

static void indirect_outside(Packed *p)
{
    put_slot(p, 0x20, 64, 1, DESC_INDIRECT);
}

static void indirect_ragged(Packed *p)
{
    put_slot(p, INDIRECT_BASE, 40, 1, DESC_INDIRECT);
}

static void indirect_empty(Packed *p)
{
    put_slot(p, INDIRECT_BASE, 0, 1, DESC_INDIRECT);
}

static void indirect_huge(Packed *p)
{
    put_slot(p, INDIRECT_BASE, 0xfffffff0, 1, DESC_INDIRECT);
}

static void indirect_in_chain(Packed *p)
{
    put_desc(&p->d, INDIRECT_BASE, 0, BUFFER_BASE, 4, 0, 0);
    put_slot(p, BUFFER_BASE, 4, 1, DESC_NEXT);
    put_slot(p, INDIRECT_BASE, 16, 1, DESC_INDIRECT);
}

static void indirect_buffer_outside(Packed *p)
{
    put_desc(&p->d, INDIRECT_BASE, 0, 0x10, 4, 0, DESC_WRITE);
    put_slot(p, INDIRECT_BASE, 16, 1, DESC_INDIRECT);
}

static const struct {
    const char *name;
    void (*build)(Packed *p);
} hostile[] = {
    { "endless", endless },
    { "endless and empty", endless_empty },
    { "huge length", huge_length },
    { "outside RAM", outside_ram },
    { "top of address space", top_of_address_space },
    { "MMIO buffer", mmio_buffer },
    { "readable after writable", readable_after_writable },
    { "indirect outside RAM", indirect_outside },
    { "indirect ragged", indirect_ragged },
    { "indirect empty", indirect_empty },
    { "indirect huge", indirect_huge },
    { "indirect in a chain", indirect_in_chain },
    { "indirect buffer outside RAM", indirect_buffer_outside },
};

/* It says so, does nothing more, and a reset brings it back. */
static void check_broken(Packed *p)
{
    g_assert_cmphex(reg_read(&p->d, 0x70), ==, 15 | VIRTIO_STATUS_NEEDS_RESET);
    g_assert_cmphex(reg_read(&p->d, 0x60) & VIRTIO_ISR_CONFIG, ==, VIRTIO_ISR_CONFIG);
    p->avail = 0;
    put_chain(p, 1, BUFFER_BASE, 1);
    kick(&p->d);
    p->used = 0;
    g_assert_false(is_used(p));
    reg_write(&p->d, 0x70, 0);
    p->d.v->vtype = &echo_vtype;
    start(p, 0, 8);
    echo_at(p, true);
}

static void test_hostile(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(hostile); i++) {
        Packed p;

        g_test_message("%s", hostile[i].name);
        setup(&p);
        start(&p, FEATURES, 8);
        hostile[i].build(&p);
        kick(&p.d);
        g_assert_cmpuint(p.echo->num_popped, ==, 0);
        check_broken(&p);
        driver_free(&p.d);
    }
}

static void test_indirect_not_negotiated(void)
{
    Packed p;

    setup(&p);
    start(&p, 0, 8);
    put_desc(&p.d, INDIRECT_BASE, 0, BUFFER_BASE, 4, 0, DESC_WRITE);
    put_slot(&p, INDIRECT_BASE, 16, 1, DESC_INDIRECT);
    kick(&p.d);
    g_assert_cmpuint(p.echo->num_popped, ==, 0);
    check_broken(&p);
    driver_free(&p.d);
}

/* While chains are out: an id that one of them has, more than the ring has, and a ring that shrinks. */
static void test_hostile_while_out(void)
{
    for (unsigned what = 0; what < 3; what++) {
        Packed p;

        setup(&p);
        hold(&p);
        start(&p, FEATURES, 8);
        put_chain(&p, 1, BUFFER_BASE, 1);
        put_chain(&p, 2, BUFFER_BASE, 2);
        kick(&p.d);
        g_assert_cmpuint(held.num, ==, 2);
        if (what == 0) {
            put_slot(&p, BUFFER_BASE, 4, 2, DESC_WRITE);
        } else if (what == 1) {
            put_chain(&p, 3, BUFFER_BASE, 3);
        } else {
            reg_write(&p.d, 0x30, 0);
            reg_write(&p.d, 0x38, 3);
        }
        kick(&p.d);
        g_assert_cmpuint(held.num, ==, 2);
        check_broken(&p);
        driver_free(&p.d);
    }
}

/* A driver that takes a table away while its chain is out. */
static void test_table_taken_away(void)
{
    Packed p;

    setup(&p);
    hold(&p);
    start(&p, FEATURES, 8);
    put_desc(&p.d, INDIRECT_BASE, 0, BUFFER_BASE, 4, 0, DESC_WRITE);
    put_slot(&p, INDIRECT_BASE, 16, 1, DESC_INDIRECT);
    kick(&p.d);
    g_assert_cmpuint(held.num, ==, 1);
    put_desc(&p.d, INDIRECT_BASE, 0, 0x10, 4, 0, DESC_WRITE);
    g_assert_false(virtqueue_again(p.d.v, 0, 1, &p.echo->e));
    check_broken(&p);
    driver_free(&p.d);
}

static void test_rings_outside_ram(void)
{
    static const struct {
        unsigned reg;
        uint64_t address;
    } bad[] = {
        { 0x80, 0x1000 }, { 0x80, RAM_BASE + RAM_SIZE - 8 }, { 0x80, UINT64_MAX - 15 },
        { 0x90, 0x1000 }, { 0x90, RAM_BASE + RAM_SIZE - 2 },
        { 0xa0, 0x1000 }, { 0xa0, RAM_BASE + RAM_SIZE - 2 }, { 0xa0, UINT64_MAX - 1 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        Packed p;

        g_test_message("register 0x%x, address 0x%" PRIx64, bad[i].reg, bad[i].address);
        setup(&p);
        start(&p, FEATURES, 8);
        *(bad[i].reg == 0x80 ? &p.d.v->s->queue_desc[0] : bad[i].reg == 0x90 ? &p.d.v->s->queue_avail[0]
                                                        : &p.d.v->s->queue_used[0]) = bad[i].address;
        put_chain(&p, 1, BUFFER_BASE, 1);
        kick(&p.d);
        check_broken(&p);
        driver_free(&p.d);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtqueue-packed/offer", test_offer);
    g_test_add_func("/virtqueue-packed/echo", test_echo_packed);
    g_test_add_func("/virtqueue-packed/indirect", test_indirect);
    g_test_add_func("/virtqueue-packed/any-order", test_any_order);
    g_test_add_func("/virtqueue-packed/rewind", test_rewind);
    g_test_add_func("/virtqueue-packed/events", test_events);
    g_test_add_func("/virtqueue-packed/save-load", test_save_load);
    g_test_add_func("/virtqueue-packed/load-bad-chains", test_load_bad_chains);
    g_test_add_func("/virtqueue-packed/change-of-kind", test_change_of_kind);
    g_test_add_func("/virtqueue-packed/hostile", test_hostile);
    g_test_add_func("/virtqueue-packed/indirect-not-negotiated", test_indirect_not_negotiated);
    g_test_add_func("/virtqueue-packed/hostile-while-out", test_hostile_while_out);
    g_test_add_func("/virtqueue-packed/table-taken-away", test_table_taken_away);
    g_test_add_func("/virtqueue-packed/rings-outside-ram", test_rings_outside_ram);
    return g_test_run();
}
