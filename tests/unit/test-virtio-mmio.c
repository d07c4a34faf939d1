/*
 * virtio-mmio registers of both versions, and virtqueues against a hostile driver. The
 * device echoes: it copies each buffer's readable part to its writable part.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/virtio/virtio-mmio.h"
#include "virtio-echo.h"

static Echo *setup(Driver *d, bool legacy)
{
    driver_init_machine(d, NULL);
    driver_add_transport(d, MMIO_BASE - VIRTIO_MMIO_SIZE, legacy, NULL, NULL);
    driver_add_transport(d, MMIO_BASE, legacy, &echo_type, "echo");
    machine_reset_devices(d->m);
    d->irq_calls = 0;
    return container_of(d->v, Echo, parent);
}

static uint32_t empty_reg(Driver *d, unsigned offset)
{
    uint64_t value = 1;

    g_assert_true(memory_io_read(d->m->memory, MMIO_BASE - VIRTIO_MMIO_SIZE + offset, 4, &value));
    return (uint32_t)value;
}

static void test_identity(void)
{
    Driver d;

    for (unsigned version = 1; version <= 2; version++) {
        setup(&d, version == 1);
        g_assert_cmphex(reg_read(&d, 0x00), ==, 0x74726976);
        g_assert_cmphex(reg_read(&d, 0x04), ==, version);
        g_assert_cmphex(reg_read(&d, 0x08), ==, 42);
        g_assert_cmphex(reg_read(&d, 0x0c), ==, 0x554d4551);
        g_assert_cmphex(reg_read(&d, 0x10), ==, version == 1 ? 0x39000008 : 0x30000008);
        reg_write(&d, 0x14, 1);
        g_assert_cmphex(reg_read(&d, 0x10), ==, version == 1 ? 0 : 1);
        reg_write(&d, 0x14, 2);
        g_assert_cmphex(reg_read(&d, 0x10), ==, 0);
        g_assert_cmpuint(reg_read(&d, 0x34), ==, 256);
        reg_write(&d, 0x30, 2);
        g_assert_cmpuint(reg_read(&d, 0x34), ==, 0);

        g_assert_cmphex(empty_reg(&d, 0x00), ==, 0x74726976);
        g_assert_cmphex(empty_reg(&d, 0x04), ==, version);
        g_assert_cmphex(empty_reg(&d, 0x08), ==, 0);
        g_assert_cmphex(empty_reg(&d, 0x34), ==, 0);
        driver_free(&d);
    }
}

static void test_config_space(void)
{
    Driver d;
    Echo *echo = setup(&d, true);
    uint64_t value;

    memcpy(echo->config, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
    g_assert_cmphex(reg_read(&d, 0x100), ==, 0x44332211);
    memory_io_read(d.m->memory, MMIO_BASE + 0x106, 2, &value);
    g_assert_cmphex(value, ==, 0x8877);
    memory_io_read(d.m->memory, MMIO_BASE + 0x103, 1, &value);
    g_assert_cmphex(value, ==, 0x44);
    memory_io_write(d.m->memory, MMIO_BASE + 0x101, 1, 0xaa);
    g_assert_cmphex(echo->config[1], ==, 0xaa);
    /* beyond its end, and half beyond */
    g_assert_cmphex(reg_read(&d, 0x108), ==, 0);
    memory_io_read(d.m->memory, MMIO_BASE + 0x107, 2, &value);
    g_assert_cmphex(value, ==, 0);
    reg_write(&d, 0x1fc, 1);
    driver_free(&d);
}

static void test_negotiation(void)
{
    Driver d;

    setup(&d, false);
    reg_write(&d, 0x70, 3);
    /* without VERSION_1 the choice is refused */
    reg_write(&d, 0x24, 0);
    reg_write(&d, 0x20, 0xffffffff);
    reg_write(&d, 0x70, 11);
    g_assert_cmphex(reg_read(&d, 0x70), ==, 3);
    reg_write(&d, 0x24, 1);
    reg_write(&d, 0x20, 0xffffffff);
    reg_write(&d, 0x70, 11);
    g_assert_cmphex(reg_read(&d, 0x70), ==, 11);
    /* only what was offered is accepted, and nothing after FEATURES_OK */
    g_assert_cmphex(d.v->s->driver_features, ==, 0x130000008ull);
    reg_write(&d, 0x20, 0);
    g_assert_cmphex(d.v->s->driver_features, ==, 0x130000008ull);
    reg_write(&d, 0x70, 0);
    g_assert_cmphex(d.v->s->driver_features, ==, 0);
    g_assert_cmphex(reg_read(&d, 0x70), ==, 0);
    driver_free(&d);
}

static void test_queue_registers(void)
{
    Driver d;

    setup(&d, true);
    driver_start_legacy(&d, 0, 64);
    g_assert_cmphex(reg_read(&d, 0x40), ==, RING_BASE >> 12);
    g_assert_cmphex(d.v->s->queue_avail[0], ==, d.avail);
    g_assert_cmphex(d.v->s->queue_used[0], ==, d.used);
    /* sizes that are no power of two or too large change nothing */
    reg_write(&d, 0x38, 48);
    reg_write(&d, 0x38, 0);
    reg_write(&d, 0x38, 512);
    g_assert_cmpuint(d.v->s->queue_num[0], ==, 64);
    reg_write(&d, 0x28, 1000);
    reg_write(&d, 0x3c, 0);
    reg_write(&d, 0x40, 0);
    g_assert_cmphex(reg_read(&d, 0x40), ==, 0);
    g_assert_cmpuint(d.v->s->queue_ready[0], ==, 0);
    /* a queue that does not exist, and a register of the other version */
    reg_write(&d, 0x30, 7);
    reg_write(&d, 0x40, 5);
    reg_write(&d, 0x44, 1);
    g_assert_cmphex(reg_read(&d, 0x40), ==, 0);
    reg_write(&d, 0x50, 7);
    reg_write(&d, 0x50, 0xffffffff);
    driver_free(&d);

    setup(&d, false);
    driver_start_modern(&d, 0, 64);
    g_assert_cmphex(reg_read(&d, 0x44), ==, 1);
    g_assert_cmphex(reg_read(&d, 0xb0), ==, 0xffffffff);
    /* addresses are locked while the queue is in use */
    reg_write(&d, 0x80, 0x1000);
    g_assert_cmphex(d.v->s->queue_desc[0], ==, RING_BASE);
    reg_write(&d, 0x44, 0);
    g_assert_cmphex(reg_read(&d, 0x44), ==, 0);
    driver_free(&d);
}

static void test_echo(void)
{
    Driver d;
    Echo *echo = setup(&d, true);

    driver_start_legacy(&d, 0, 8);
    /* more rounds than the ring has entries: positions wrap */
    for (unsigned i = 0; i < 20; i++) {
        put_echo_chain(&d, d.desc, 2, BUFFER_BASE);
        make_available(&d, 2);
        kick(&d);
        g_assert_cmpuint(used_index(&d), ==, i + 1);
        g_assert_cmpuint(used_id(&d, i % 8), ==, 2);
        g_assert_cmpuint(used_length(&d, i % 8), ==, 8);
        g_assert_cmphex(ram_read(&d, BUFFER_BASE + 0x100, 8), ==, 0x1122334455667788ull);
        g_assert_true(d.irq);
        reg_write(&d, 0x64, 1);
    }
    g_assert_cmpuint(echo->last_out, ==, 2);
    g_assert_cmpuint(echo->last_in, ==, 1);
    /* VRING_AVAIL_F_NO_INTERRUPT */
    ram_write(&d, d.avail, 1, 2);
    make_available(&d, 2);
    kick(&d);
    g_assert_false(d.irq);
    driver_free(&d);
}

static void test_indirect(void)
{
    Driver d;
    Echo *echo = setup(&d, false);

    driver_start_modern(&d, 1u << VIRTIO_F_INDIRECT_DESC, 8);
    put_echo_chain(&d, INDIRECT_BASE, 0, BUFFER_BASE);
    put_desc(&d, d.desc, 0, INDIRECT_BASE, 48, DESC_INDIRECT, 0);
    make_available(&d, 0);
    kick(&d);
    g_assert_cmpuint(echo->num_popped, ==, 1);
    g_assert_cmphex(ram_read(&d, BUFFER_BASE + 0x100, 8), ==, 0x1122334455667788ull);
    driver_free(&d);
}

static void test_event_idx(void)
{
    Driver d;

    setup(&d, false);
    driver_start_modern(&d, 1u << VIRTIO_F_EVENT_IDX, 8);
    put_echo_chain(&d, d.desc, 0, BUFFER_BASE);
    ram_write(&d, d.avail + 4 + 2 * 8, 0, 2);      /* used_event: after entry 0 */
    make_available(&d, 0);
    kick(&d);
    g_assert_true(d.irq);
    g_assert_cmpuint(ram_read(&d, d.used + 4 + 8 * 8, 2), ==, 1);   /* avail_event */
    reg_write(&d, 0x64, 1);
    ram_write(&d, d.avail + 4 + 2 * 8, 2, 2);      /* not before entry 2 */
    make_available(&d, 0);
    kick(&d);
    g_assert_false(d.irq);
    make_available(&d, 0);
    kick(&d);
    g_assert_true(d.irq);
    g_assert_cmpuint(used_index(&d), ==, 3);
    driver_free(&d);
}

/* ---- hostile rings ---- */

typedef struct Hostile {
    const char *name;
    void (*build)(Driver *d);
} Hostile;

static void self_loop(Driver *d)
{
    put_desc(d, d->desc, 0, BUFFER_BASE, 4, DESC_NEXT, 0);
}

static void pair_loop(Driver *d)
{
    put_desc(d, d->desc, 0, BUFFER_BASE, 4, DESC_NEXT | DESC_WRITE, 1);
    put_desc(d, d->desc, 1, BUFFER_BASE, 4, DESC_NEXT | DESC_WRITE, 0);
}

/* Empty buffers add no segment: the walk itself has to be bounded. */
static void empty_loop(Driver *d)
{
    put_desc(d, d->desc, 0, BUFFER_BASE, 0, DESC_NEXT, 0);
}

static void next_outside(Driver *d)
{
    put_desc(d, d->desc, 0, BUFFER_BASE, 4, DESC_NEXT, 8);
}

static void huge_length(Driver *d)
{
    put_desc(d, d->desc, 0, BUFFER_BASE, 0xffffffff, DESC_WRITE, 0);
}

static void one_byte_too_long(Driver *d)
{
    put_desc(d, d->desc, 0, RAM_BASE + RAM_SIZE - 8, 9, DESC_WRITE, 0);
}

static void outside_ram(Driver *d)
{
    put_desc(d, d->desc, 0, 0x10, 4, DESC_WRITE, 0);
}

static void top_of_address_space(Driver *d)
{
    put_desc(d, d->desc, 0, UINT64_MAX - 3, 16, DESC_WRITE, 0);
}

static void mmio_buffer(Driver *d)
{
    put_desc(d, d->desc, 0, MMIO_BASE, 4, DESC_WRITE, 0);
}

static void readable_after_writable(Driver *d)
{
    put_desc(d, d->desc, 0, BUFFER_BASE, 4, DESC_WRITE | DESC_NEXT, 1);
    put_desc(d, d->desc, 1, BUFFER_BASE, 4, 0, 0);
}

static void indirect_outside(Driver *d)
{
    put_desc(d, d->desc, 0, 0x20, 64, DESC_INDIRECT, 0);
}

static void indirect_ragged(Driver *d)
{
    put_desc(d, d->desc, 0, INDIRECT_BASE, 40, DESC_INDIRECT, 0);
}

static void indirect_empty(Driver *d)
{
    put_desc(d, d->desc, 0, INDIRECT_BASE, 0, DESC_INDIRECT, 0);
}

static void indirect_huge(Driver *d)
{
    put_desc(d, d->desc, 0, INDIRECT_BASE, 0xfffffff0, DESC_INDIRECT, 0);
}

static void indirect_and_next(Driver *d)
{
    put_desc(d, d->desc, 0, INDIRECT_BASE, 16, DESC_INDIRECT | DESC_NEXT, 1);
    put_desc(d, INDIRECT_BASE, 0, BUFFER_BASE, 4, 0, 0);
    put_desc(d, d->desc, 1, BUFFER_BASE, 4, 0, 0);
}

static void indirect_in_indirect(Driver *d)
{
    put_desc(d, d->desc, 0, INDIRECT_BASE, 16, DESC_INDIRECT, 0);
    put_desc(d, INDIRECT_BASE, 0, INDIRECT_BASE, 16, DESC_INDIRECT, 0);
}

static void indirect_loop(Driver *d)
{
    put_desc(d, d->desc, 0, INDIRECT_BASE, 32, DESC_INDIRECT, 0);
    put_desc(d, INDIRECT_BASE, 0, BUFFER_BASE, 4, DESC_NEXT, 1);
    put_desc(d, INDIRECT_BASE, 1, BUFFER_BASE, 4, DESC_NEXT, 0);
}

static void avail_index_jump(Driver *d)
{
    put_desc(d, d->desc, 0, BUFFER_BASE, 4, 0, 0);
    d->avail_idx = 1000;
}

static const Hostile hostile[] = {
    { "self loop", self_loop },
    { "pair loop", pair_loop },
    { "empty loop", empty_loop },
    { "next outside", next_outside },
    { "huge length", huge_length },
    { "one byte too long", one_byte_too_long },
    { "outside RAM", outside_ram },
    { "top of address space", top_of_address_space },
    { "MMIO buffer", mmio_buffer },
    { "readable after writable", readable_after_writable },
    { "indirect outside RAM", indirect_outside },
    { "indirect ragged", indirect_ragged },
    { "indirect empty", indirect_empty },
    { "indirect huge", indirect_huge },
    { "indirect and next", indirect_and_next },
    { "indirect in indirect", indirect_in_indirect },
    { "indirect loop", indirect_loop },
    { "available index jumps", avail_index_jump },
};

/* A device that says so, once, and does nothing more. */
static void assert_needs_reset(Driver *d)
{
    g_assert_cmphex(reg_read(d, 0x70), ==, 15 | VIRTIO_STATUS_NEEDS_RESET);
    g_assert_cmphex(reg_read(d, 0x60), ==, VIRTIO_ISR_CONFIG);
    g_assert_true(d->irq);
    /* The driver can set the bit aside only by a reset (virtio 1.2 2.1.2). */
    reg_write(d, 0x70, 15);
    g_assert_cmphex(reg_read(d, 0x70), ==, 15 | VIRTIO_STATUS_NEEDS_RESET);
}

/* A good chain is served: the device works. Rings as just set up, at their beginning. */
static void assert_works(Driver *d, Echo *echo)
{
    unsigned popped = echo->num_popped;

    ram_write(d, d->avail + 2, 0, 2);
    ram_write(d, d->used + 2, 0, 2);
    put_echo_chain(d, d->desc, 0, BUFFER_BASE);
    make_available(d, 0);
    kick(d);
    g_assert_cmpuint(echo->num_popped, ==, popped + 1);
    g_assert_cmpuint(used_index(d), ==, 1);
}

/* Each breaks the device, says so, and a reset brings it back. */
static void test_hostile_modern(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(hostile); i++) {
        Driver d;
        Echo *echo = setup(&d, false);

        g_test_message("%s", hostile[i].name);
        driver_start_modern(&d, 1u << VIRTIO_F_INDIRECT_DESC, 8);
        hostile[i].build(&d);
        make_available(&d, 0);
        kick(&d);
        assert_needs_reset(&d);
        kick(&d);
        g_assert_cmpuint(echo->num_popped, ==, 0);
        g_assert_cmpuint(used_index(&d), ==, 0);

        reg_write(&d, 0x70, 0);
        g_assert_false(d.irq);
        driver_start_modern(&d, 0, 8);
        assert_works(&d, echo);
        driver_free(&d);
    }
}

/* Version 1 has no bit to say it with: nothing is used, whatever comes, until a reset. */
static void test_hostile_legacy(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(hostile); i++) {
        Driver d;
        Echo *echo = setup(&d, true);

        g_test_message("%s", hostile[i].name);
        driver_start_legacy(&d, 1u << VIRTIO_F_INDIRECT_DESC, 8);
        hostile[i].build(&d);
        make_available(&d, 0);
        kick(&d);
        g_assert_cmphex(reg_read(&d, 0x70), ==, 7);
        put_echo_chain(&d, d.desc, 0, BUFFER_BASE);
        kick(&d);
        g_assert_cmpuint(echo->num_popped, ==, 0);
        g_assert_cmpuint(used_index(&d), ==, 0);
        g_assert_false(d.irq);

        driver_start_legacy(&d, 0, 8);
        assert_works(&d, echo);
        g_assert_true(d.irq);
        driver_free(&d);
    }
}

static void test_indirect_not_negotiated(void)
{
    Driver d;
    Echo *echo = setup(&d, false);

    driver_start_modern(&d, 0, 8);
    put_echo_chain(&d, INDIRECT_BASE, 0, BUFFER_BASE);
    put_desc(&d, d.desc, 0, INDIRECT_BASE, 48, DESC_INDIRECT, 0);
    make_available(&d, 0);
    kick(&d);
    g_assert_cmpuint(echo->num_popped, ==, 0);
    assert_needs_reset(&d);
    driver_free(&d);
}

/* Set queue 0 up anew, with one of its three addresses replaced. */
static void move_ring(Driver *d, unsigned reg, uint64_t address)
{
    const hwaddr places[] = { d->desc, d->avail, d->used };

    reg_write(d, 0x44, 0);
    reg_write(d, 0x38, d->num);
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        unsigned low = 0x80 + 0x10 * i;
        uint64_t place = low == reg ? address : places[i];

        reg_write(d, low, (uint32_t)place);
        reg_write(d, low + 4, (uint32_t)(place >> 32));
    }
    reg_write(d, 0x44, 1);
}

/* Rings themselves outside RAM: the first byte, or only the last ones. */
static void test_rings_outside_ram(void)
{
    static const struct {
        unsigned reg;
        uint64_t address;
        unsigned popped;
    } bad[] = {
        { 0x80, 0x1000, 0 }, { 0x80, RAM_BASE + RAM_SIZE, 0 }, { 0x80, MMIO_BASE, 0 },
        { 0x80, UINT64_MAX - 15, 0 },
        { 0x90, 0x1000, 0 }, { 0x90, RAM_BASE + RAM_SIZE - 2, 0 }, { 0x90, UINT64_MAX - 1, 0 },
        /* What is done already cannot be told. */
        { 0xa0, 0x1000, 1 }, { 0xa0, RAM_BASE + RAM_SIZE - 4, 1 }, { 0xa0, UINT64_MAX - 3, 1 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        Driver d;
        Echo *echo = setup(&d, false);

        g_test_message("register 0x%x, address 0x%" PRIx64, bad[i].reg, bad[i].address);
        driver_start_modern(&d, 0, 8);
        move_ring(&d, bad[i].reg, bad[i].address);
        put_echo_chain(&d, d.desc, 0, BUFFER_BASE);
        make_available(&d, 0);
        kick(&d);
        g_assert_cmpuint(echo->num_popped, ==, bad[i].popped);
        assert_needs_reset(&d);
        reg_write(&d, 0x70, 0);
        driver_start_modern(&d, 0, 8);
        assert_works(&d, echo);
        driver_free(&d);
    }
}

static void test_rings_outside_ram_legacy(void)
{
    static const uint32_t pfns[] = { 1, 0x40100, 0x400ff, 0xffffffff };

    for (unsigned i = 0; i < ARRAY_SIZE(pfns); i++) {
        Driver d;
        Echo *echo = setup(&d, true);

        driver_start_legacy(&d, 0, 256);
        reg_write(&d, 0x40, pfns[i]);
        put_echo_chain(&d, d.desc, 0, BUFFER_BASE);
        make_available(&d, 0);
        kick(&d);
        g_assert_cmpuint(echo->num_popped, ==, 0);
        g_assert_cmpuint(used_index(&d), ==, 0);
        driver_start_legacy(&d, 0, 256);
        assert_works(&d, echo);
        driver_free(&d);
    }
}

static void test_kick_before_driver_ok(void)
{
    Driver d;
    Echo *echo = setup(&d, false);

    driver_start_modern(&d, 0, 8);
    reg_write(&d, 0x70, 11);
    put_echo_chain(&d, d.desc, 0, BUFFER_BASE);
    make_available(&d, 0);
    kick(&d);
    g_assert_cmpuint(echo->num_popped, ==, 0);
    reg_write(&d, 0x70, 15);
    kick(&d);
    g_assert_cmpuint(echo->num_popped, ==, 1);
    driver_free(&d);
}

/* The state in mid-work survives a save and load into another machine. */
static void test_save_load(void)
{
    Driver a, b;
    GByteArray *saved = g_byte_array_new();
    ByteReader in;
    Error *err = NULL;

    setup(&a, true);
    driver_start_legacy(&a, 0, 8);
    put_echo_chain(&a, a.desc, 0, BUFFER_BASE);
    make_available(&a, 0);
    kick(&a);
    machine_save_devices(a.m, saved);

    setup(&b, true);
    byte_reader_init(&in, saved->data, saved->len);
    g_assert_true(machine_load_devices(b.m, &in, &err));
    g_assert_cmphex(reg_read(&b, 0x40), ==, RING_BASE >> 12);
    g_assert_cmphex(reg_read(&b, 0x60), ==, 1);
    g_assert_cmphex(reg_read(&b, 0x70), ==, 7);
    b.num = 8, b.desc = a.desc, b.avail = a.avail, b.used = a.used, b.avail_idx = 1;
    put_echo_chain(&b, b.desc, 0, BUFFER_BASE);
    make_available(&b, 0);
    kick(&b);
    g_assert_cmpuint(used_index(&b), ==, 2);
    g_byte_array_free(saved, TRUE);
    driver_free(&a);
    driver_free(&b);
}

/* ---- a transport with messages ---- */

static struct {
    bool on;
    uint16_t vector[4];
    unsigned num;
} messages;

static bool send_message(void *opaque, uint16_t vector)
{
    if (messages.on && vector != VIRTIO_NO_VECTOR) {
        messages.vector[messages.num++ % ARRAY_SIZE(messages.vector)] = vector;
    }
    return messages.on;
}

static void echo_once(Driver *d)
{
    put_echo_chain(d, d->desc, 0, BUFFER_BASE);
    make_available(d, 0);
    kick(d);
}

static void test_vectors(void)
{
    GByteArray *saved = g_byte_array_new();
    Driver a, b;
    ByteReader in;

    memset(&messages, 0, sizeof(messages));
    setup(&a, false);
    a.v->send = send_message;
    driver_start_modern(&a, 0, 8);
    /* No vector yet: nothing is sent, and as messages are on, the line stays low. */
    messages.on = true;
    echo_once(&a);
    virtio_config_changed(a.v);
    g_assert_cmpuint(messages.num, ==, 0);
    a.v->s->queue_vector[0] = 5;
    a.v->s->queue_vector[1] = 6;
    a.v->s->config_vector = 7;
    echo_once(&a);
    virtio_config_changed(a.v);
    g_assert_cmpuint(messages.num, ==, 2);
    g_assert_cmpuint(messages.vector[0], ==, 5);
    g_assert_cmpuint(messages.vector[1], ==, 7);
    g_assert_cmphex(reg_read(&a, 0x60), ==, 0);
    g_assert_false(a.irq);
    /* They are part of the state. */
    machine_save_devices(a.m, saved);
    setup(&b, false);
    b.v->send = send_message;
    byte_reader_init(&in, saved->data, saved->len);
    g_assert_true(machine_load_devices(b.m, &in, NULL));
    g_assert_cmpuint(b.v->s->queue_vector[0], ==, 5);
    g_assert_cmpuint(b.v->s->queue_vector[1], ==, 6);
    virtio_config_changed(b.v);
    g_assert_cmpuint(messages.num, ==, 3);
    g_assert_cmpuint(messages.vector[2], ==, 7);
    /* Off: as without vectors. */
    messages.on = false;
    echo_once(&a);
    g_assert_cmpuint(messages.num, ==, 3);
    g_assert_cmphex(reg_read(&a, 0x60), ==, VIRTIO_ISR_QUEUE);
    g_assert_true(a.irq);
    reg_write(&a, 0x70, 0);
    g_assert_cmphex(a.v->s->queue_vector[0], ==, VIRTIO_NO_VECTOR);
    g_assert_cmphex(a.v->s->config_vector, ==, VIRTIO_NO_VECTOR);
    g_byte_array_free(saved, TRUE);
    driver_free(&a);
    driver_free(&b);
}

/*
 * A damaged snapshot must not leave ring sizes that make walks endless, nor requests that nobody
 * has.
 */
static void test_load_bad_queue(void)
{
    Driver a, b;
    GByteArray *saved = g_byte_array_new();
    ByteReader in;

    for (unsigned what = 0; what < 2; what++) {
        setup(&a, true);
        driver_start_legacy(&a, 0, 8);
        if (what == 0) {
            a.v->s->queue_num[0] = 0x80000001;
        } else {
            a.v->s->in_use[0] = 1;
        }
        g_byte_array_set_size(saved, 0);
        machine_save_devices(a.m, saved);
        setup(&b, true);
        byte_reader_init(&in, saved->data, saved->len);
        g_assert_true(machine_load_devices(b.m, &in, NULL));
        g_assert_cmpuint(b.v->s->queue_num[0], ==, 256);
        g_assert_cmpuint(b.v->s->in_use[0], ==, 0);
        g_assert_cmpuint(b.v->s->queue_ready[0], ==, 0);
        driver_free(&a);
        driver_free(&b);
    }
    g_byte_array_free(saved, TRUE);
}

static void test_bad_accesses(void)
{
    Driver d;
    uint64_t value = 1;

    setup(&d, true);
    g_assert_true(memory_io_read(d.m->memory, MMIO_BASE, 2, &value));
    g_assert_cmphex(value, ==, 0);
    g_assert_true(memory_io_read(d.m->memory, MMIO_BASE + 2, 4, &value));
    g_assert_cmphex(value, ==, 0);
    memory_io_write(d.m->memory, MMIO_BASE + 0x70, 1, 3);
    g_assert_cmphex(reg_read(&d, 0x70), ==, 0);
    driver_free(&d);
}

/* What the debugger sees of a register is what the guest reads, and looking changes nothing. */
static void check_peeks(Driver *d)
{
    for (unsigned offset = 0; offset < 0x200; offset += 4) {
        uint32_t first = 1, second = 2;

        g_assert_true(memory_peek(d->m->memory, MMIO_BASE + offset, &first, 4));
        g_assert_true(memory_peek(d->m->memory, MMIO_BASE + offset, &second, 4));
        g_assert_cmphex(first, ==, second);
        g_assert_cmphex(reg_read(d, offset), ==, first);
    }
}

/* All ones into every register, in both versions: identity stays, and a reset mends the rest. */
static void test_register_sweep(void)
{
    /* Magic, version, device, vendor; selectors, addresses and notifications read as zero. */
    static const unsigned identity[] = { 0x00, 0x04, 0x08, 0x0c };
    static const unsigned write_only[] = { 0x14, 0x20, 0x24, 0x30, 0x50, 0x64 };

    for (int legacy = 0; legacy < 2; legacy++) {
        Driver d;
        Echo *echo = setup(&d, legacy);
        uint32_t before[ARRAY_SIZE(identity)];

        for (unsigned i = 0; i < ARRAY_SIZE(identity); i++) {
            before[i] = reg_read(&d, identity[i]);
        }
        g_assert_cmphex(before[0], ==, 0x74726976);
        g_assert_cmphex(before[1], ==, legacy ? 1 : 2);
        g_assert_cmphex(before[2], ==, 42);
        check_peeks(&d);
        for (unsigned offset = 0; offset < 0x200; offset += 4) {
            reg_write(&d, offset, 0xffffffff);
        }
        check_peeks(&d);
        for (unsigned i = 0; i < ARRAY_SIZE(identity); i++) {
            g_assert_cmphex(reg_read(&d, identity[i]), ==, before[i]);
        }
        for (unsigned i = 0; i < ARRAY_SIZE(write_only); i++) {
            g_assert_cmphex(reg_read(&d, write_only[i]), ==, 0);
        }
        reg_write(&d, 0x70, 0);
        g_assert_cmphex(reg_read(&d, 0x70), ==, 0);
        (legacy ? driver_start_legacy : driver_start_modern)(&d, 0, 8);
        assert_works(&d, echo);
        driver_free(&d);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-mmio/identity", test_identity);
    g_test_add_func("/virtio-mmio/config-space", test_config_space);
    g_test_add_func("/virtio-mmio/negotiation", test_negotiation);
    g_test_add_func("/virtio-mmio/queue-registers", test_queue_registers);
    g_test_add_func("/virtio-mmio/bad-accesses", test_bad_accesses);
    g_test_add_func("/virtio-mmio/register-sweep", test_register_sweep);
    g_test_add_func("/virtio-mmio/kick-before-driver-ok", test_kick_before_driver_ok);
    g_test_add_func("/virtio-mmio/save-load", test_save_load);
    g_test_add_func("/virtio-mmio/load-bad-queue", test_load_bad_queue);
    g_test_add_func("/virtio-mmio/vectors", test_vectors);
    g_test_add_func("/virtqueue/echo", test_echo);
    g_test_add_func("/virtqueue/indirect", test_indirect);
    g_test_add_func("/virtqueue/indirect-not-negotiated", test_indirect_not_negotiated);
    g_test_add_func("/virtqueue/event-idx", test_event_idx);
    g_test_add_func("/virtqueue/hostile-modern", test_hostile_modern);
    g_test_add_func("/virtqueue/hostile-legacy", test_hostile_legacy);
    g_test_add_func("/virtqueue/rings-outside-ram", test_rings_outside_ram);
    g_test_add_func("/virtqueue/rings-outside-ram-legacy", test_rings_outside_ram_legacy);
    return g_test_run();
}
