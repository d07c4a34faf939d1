/*
 * PCI's core behind the generic host bridge, with a function of the test's own: what can be written
 * of configuration space, BARs that move and overlap, messages and their masks, lines, places on
 * the bus.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "pci-machine.h"

typedef struct CardState {
    PciState pci;
    uint32_t word[4];               /* one a BAR with registers */
} CardState;

#define CARD_FIELDS(F, S) PCI_FIELDS(F, S) F(S, ARRAY_U32, word)
FIELD_TABLE(card_fields, "card", 1, CardState, CARD_FIELDS);

typedef struct CardConfig {
    PciConfig pci;
} CardConfig;

typedef struct Card {
    PciDevice pci;
    CardState state;
    CardConfig config;
} Card;

enum { BAR_MEM, BAR_MSIX, BAR_WIDE, BAR_IO = 4 };

#define VECTORS 34
#define WIDE_SIZE (1ull << 33)

static uint64_t card_read(void *opaque, hwaddr offset, unsigned size)
{
    return *(uint32_t *)opaque + offset;
}

/* A value with the top bit set makes the card send message number `value & 63`. */
static void mem_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Card *card = opaque;

    card->state.word[0] = (uint32_t)value;
    if (value >> 31) {
        card->state.word[3] = pci_send_message(&card->pci, value & 63);
    }
}

static uint64_t mem_read(void *opaque, hwaddr offset, unsigned size)
{
    return card_read(&((Card *)opaque)->state.word[0], offset, size);
}

static void word_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    *(uint32_t *)opaque = (uint32_t)value;
}

static const MmioOps mem_ops = {
    .read = mem_read, .write = mem_write, .peek = mem_read, .min_size = 1, .max_size = 4,
};
static const MmioOps word_ops = {
    .read = card_read, .write = word_write, .peek = card_read, .min_size = 1, .max_size = 4,
};

static const PciDeviceType card_ptype = {
    .vendor_id = 0x1234, .device_id = 0x5678, .subsystem_vendor_id = 0x9abc, .subsystem_id = 0xdef0,
    .class_code = 0x0c0330, .revision = 7, .pin = true,
};

static bool card_realize(Device *dev, Error **errp)
{
    Card *card = container_of(dev, Card, pci.dev);
    PciDevice *d = &card->pci;

    if (!pci_init(d, &card_ptype, errp)) {
        return false;
    }
    pci_add_bar(d, BAR_MEM, 0, 4096, &mem_ops, card);
    pci_add_msix(d, BAR_MSIX, VECTORS);
    pci_add_bar(d, BAR_WIDE, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH,
                WIDE_SIZE, &word_ops, &card->state.word[1]);
    pci_add_bar(d, BAR_IO, PCI_BASE_ADDRESS_SPACE_IO, 32, &word_ops, &card->state.word[2]);
    pci_add_msi(d, 4, true);
    pci_add_power_management(d);
    pci_add_express(d, PCI_EXP_TYPE_ENDPOINT, 0);
    return true;
}

static void card_reset(Device *dev)
{
    Card *card = container_of(dev, Card, pci.dev);

    memset(card->state.word, 0, sizeof(card->state.word));
    pci_reset(&card->pci);
}

static const Property card_properties[] = { PCI_PROPERTIES(CardConfig), PROP_END };

static const DeviceType card_type = {
    .name = "card", .bus = PCI_BUS, .pluggable = true, .size = sizeof(Card),
    .fields = &card_fields, .state_offset = offsetof(Card, state),
    .properties = card_properties, .config_offset = offsetof(Card, config),
    .realize = card_realize, .reset = card_reset, .post_load = pci_device_post_load,
    .free = pci_device_free,
};

static const DeviceType *const types[] = { &card_type, NULL };

typedef struct Fixture {
    PciMachine p;
    PciDevice *a, *b;               /* in slots 1 and 2 */
} Fixture;

static void init_fixture(Fixture *f)
{
    pci_machine_init(&f->p, types);
    f->a = pci_plug(&f->p, "card,id=a", "a");
    f->b = pci_plug(&f->p, "card,id=b,bus=pcie.0,addr=0x2", "b");
    machine_reset_devices(f->p.m);
}

static void setup(Fixture *f, const void *unused)
{
    init_fixture(f);
}

static void teardown(Fixture *f, const void *unused)
{
    machine_free(f->p.m);
}

/* ---- configuration space ---- */

static void test_identity(Fixture *f, const void *unused)
{
    PciMachine *p = &f->p;

    g_assert_cmphex(config_get(p, 0, 0, 4), ==, 0x00081b36);
    g_assert_cmphex(config_get(p, 0, 9, 1), ==, 0);
    g_assert_cmphex(config_get(p, 0, 0xa, 2), ==, 0x0600);
    g_assert_cmphex(config_get(p, 1, 0, 4), ==, 0x56781234);
    g_assert_cmphex(config_get(p, 1, 8, 4), ==, 0x0c033007);
    g_assert_cmphex(config_get(p, 1, 0x2c, 4), ==, 0xdef09abc);
    g_assert_cmphex(config_get(p, 1, 0x3d, 1), ==, 1);
    g_assert_cmphex(config_get(p, 1, 1, 1), ==, 0x12);
    g_assert_cmphex(config_get(p, 1, 2, 2), ==, 0x5678);
    /* Nobody there; what is not stored; an access that is not aligned. */
    g_assert_cmphex(config_get(p, 3, 0, 4), ==, UINT32_MAX);
    g_assert_cmphex((uint32_t)io_read(p->m, config_at(0, 1, 1, 0), 4), ==, UINT32_MAX);
    g_assert_cmphex((uint32_t)io_read(p->m, config_at(1, 0, 0, 0), 4), ==, UINT32_MAX);
    g_assert_cmphex(config_get(p, 1, 0x100, 4), ==, 0);
    g_assert_cmphex(config_get(p, 1, 0xffc, 4), ==, 0);
    g_assert_cmphex(config_get(p, 1, 1, 2), ==, 0xffff);
    g_assert_cmphex(peek(p->m, config_at(0, 1, 0, 0)), ==, 0x56781234);
    g_assert_cmphex(peek(p->m, config_at(0, 3, 0, 0)), ==, UINT32_MAX);
    io_write(p->m, config_at(0, 3, 0, 4), 4, 1);
    io_write(p->m, config_at(0, 1, 0, 0x100), 4, 1);
}

static void test_writable(Fixture *f, const void *unused)
{
    static const struct {
        unsigned offset;
        uint32_t ones;
    } rows[] = {
        { 0x00, 0x56781234 }, { 0x04, 0x00100547 }, { 0x08, 0x0c033007 }, { 0x0c, 0x000000ff },
        { 0x10, 0xfffff000 }, { 0x14, 0xfffff000 }, { 0x18, 0x0000000c }, { 0x1c, 0xfffffffe },
        { 0x20, 0xffffffe1 }, { 0x24, 0 }, { 0x28, 0 }, { 0x2c, 0xdef09abc }, { 0x30, 0 },
        { 0x3c, 0x000001ff },
    };
    unsigned pm, msi;

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        config_set(&f->p, 1, rows[i].offset, 4, UINT32_MAX);
        g_assert_cmphex(config_get(&f->p, 1, rows[i].offset, 4), ==, rows[i].ones);
    }
    pm = find_cap(&f->p, 1, PCI_CAP_ID_PM, 0);
    msi = find_cap(&f->p, 1, PCI_CAP_ID_MSI, 0);
    g_assert_cmpuint(pm, !=, 0);
    g_assert_cmphex(config_get(&f->p, 1, pm + 4, 2), ==, 8);
    config_set(&f->p, 1, pm + 4, 2, 0xffff);
    g_assert_cmphex(config_get(&f->p, 1, pm + 4, 2), ==, 0xb);
    /* 64-bit, maskable, 4 vectors capable. */
    g_assert_cmphex(config_get(&f->p, 1, msi + 2, 2), ==, 0x184);
    config_set(&f->p, 1, msi + 2, 2, 0xffff);
    g_assert_cmphex(config_get(&f->p, 1, msi + 2, 2), ==, 0x1f5);
    config_set(&f->p, 1, msi + 16, 4, UINT32_MAX);
    g_assert_cmphex(config_get(&f->p, 1, msi + 16, 4), ==, 0xf);
    /* One byte of a register of four. */
    config_set(&f->p, 1, 0x13, 1, 0x12);
    g_assert_cmphex(config_get(&f->p, 1, 0x10, 4), ==, 0x12fff000);
    machine_reset_devices(f->p.m);
    g_assert_cmphex(config_get(&f->p, 1, 0x10, 4), ==, 0);
    g_assert_cmphex(config_get(&f->p, 1, 4, 2), ==, 0);
}

/* ---- BARs ---- */

static void enable(PciMachine *p, unsigned slot)
{
    config_set(p, slot, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_IO | PCI_COMMAND_MASTER);
}

/* What a read of 4 bytes gives; where nobody is, all ones. */
static uint32_t at(Fixture *f, hwaddr addr)
{
    return rd(f->p.m, addr);
}

static void test_bars(Fixture *f, const void *unused)
{
    PciMachine *p = &f->p;
    uint32_t *word = ((Card *)f->a)->state.word;

    word[0] = 0x100, word[1] = 0x200, word[2] = 0x300;
    config_set(p, 1, 0x10, 4, MMIO + 0x5000);
    g_assert_cmphex(at(f, MMIO + 0x5000), ==, UINT32_MAX);
    config_set(p, 1, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    g_assert_cmphex(at(f, MMIO + 0x5000), ==, 0x100);
    g_assert_cmphex(at(f, MMIO + 0x5ffc), ==, 0x10fc);
    g_assert_cmphex(at(f, MMIO + 0x6000), ==, UINT32_MAX);
    /* The other kind of space, 64 bits wide. */
    config_set(p, 1, 0x18, 4, 0);
    config_set(p, 1, 0x1c, 4, 0x82);
    g_assert_cmphex(at(f, HIGH + (2ull << 32)), ==, 0x200);
    config_set(p, 1, 0x20, 4, 0x2340);
    g_assert_cmphex(at(f, PIO + 0x2340), ==, UINT32_MAX);
    config_set(p, 1, PCI_COMMAND, 2, PCI_COMMAND_IO);
    g_assert_cmphex(at(f, PIO + 0x2340), ==, 0x300);
    g_assert_cmphex(at(f, MMIO + 0x5000), ==, UINT32_MAX);
    enable(p, 1);
    /* It moves at once, and is nowhere where it is not in a window as a whole. */
    config_set(p, 1, 0x10, 4, MMIO + 0x7000);
    g_assert_cmphex(at(f, MMIO + 0x5000), ==, UINT32_MAX);
    g_assert_cmphex(at(f, MMIO + 0x7000), ==, 0x100);
    config_set(p, 1, 0x10, 4, RAM_BASE);
    g_assert_cmphex(at(f, RAM_BASE), ==, 0);
    config_set(p, 1, 0x10, 4, MMIO - 0x1000);
    config_set(p, 1, 0x1c, 4, 0xfe);
    g_assert_cmphex(at(f, 0xfe00000000), ==, 0x200);
    config_set(p, 1, 0x1c, 4, 0xffffffff);
    g_assert_cmphex(at(f, 0xfe00000000), ==, UINT32_MAX);
    config_set(p, 1, 0x20, 4, 0xffe0);
    g_assert_cmphex(at(f, PIO + 0xffe0), ==, 0x300);
    config_set(p, 1, 0x20, 4, 0x1ffe0);
    g_assert_cmphex(at(f, PIO + 0xffe0), ==, UINT32_MAX);
}

static void test_overlap(Fixture *f, const void *unused)
{
    PciMachine *p = &f->p;

    ((Card *)f->a)->state.word[0] = 0x1000;
    ((Card *)f->b)->state.word[0] = 0x2000;
    ((Card *)f->b)->state.word[1] = 0x3000;
    config_set(p, 2, 0x10, 4, MMIO);
    enable(p, 2);
    g_assert_cmphex(at(f, MMIO), ==, 0x2000);
    /* The function that was made first answers; when it goes away, the other one does. */
    config_set(p, 1, 0x10, 4, MMIO);
    enable(p, 1);
    g_assert_cmphex(at(f, MMIO), ==, 0x1000);
    wr(p->m, MMIO, 0x1234);
    g_assert_cmphex(((Card *)f->b)->state.word[0], ==, 0x2000);
    config_set(p, 1, PCI_COMMAND, 2, 0);
    g_assert_cmphex(at(f, MMIO), ==, 0x2000);
}

static void test_power(Fixture *f, const void *unused)
{
    unsigned pm = find_cap(&f->p, 1, PCI_CAP_ID_PM, 0);

    config_set(&f->p, 1, 0x10, 4, MMIO);
    enable(&f->p, 1);
    g_assert_cmphex(at(f, MMIO), ==, 0);
    config_set(&f->p, 1, pm + PCI_PM_CTRL, 2, 3);
    g_assert_cmphex(at(f, MMIO), ==, UINT32_MAX);
    config_set(&f->p, 1, pm + PCI_PM_CTRL, 2, 0);
    g_assert_cmphex(at(f, MMIO), ==, 0);
}

static void test_function_reset(Fixture *f, const void *unused)
{
    unsigned exp = find_cap(&f->p, 1, PCI_CAP_ID_EXP, 0);

    config_set(&f->p, 1, 0x10, 4, MMIO);
    enable(&f->p, 1);
    wr(f->p.m, MMIO, 5);
    config_set(&f->p, 1, exp + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_FLR);
    g_assert_cmphex(config_get(&f->p, 1, exp + PCI_EXP_DEVCTL, 2), ==, 0);
    g_assert_cmphex(config_get(&f->p, 1, 0x10, 4), ==, 0);
    g_assert_cmphex(((Card *)f->a)->state.word[0], ==, 0);
    g_assert_cmphex(at(f, MMIO), ==, UINT32_MAX);
}

/* ---- interrupts ---- */

static unsigned lines(Fixture *f)
{
    unsigned all = 0;

    for (unsigned n = 0; n < PCI_NUM_PINS; n++) {
        all |= (unsigned)f->p.line[n].level << n;
    }
    return all;
}

static void test_intx(Fixture *f, const void *unused)
{
    PciDevice *far = pci_plug(&f->p, "card,id=far,addr=1d", "far");

    pci_reset(far);
    pci_set_intx(f->a, true);
    g_assert_cmphex(lines(f), ==, 2);
    g_assert_cmphex(config_get(&f->p, 1, PCI_STATUS, 2), ==, 0x18);
    pci_set_intx(f->b, true);
    g_assert_cmphex(lines(f), ==, 6);
    /* Slots 1 and 0x1d share a line. */
    pci_set_intx(far, true);
    pci_set_intx(f->a, false);
    g_assert_cmphex(lines(f), ==, 6);
    g_assert_cmphex(config_get(&f->p, 1, PCI_STATUS, 2), ==, 0x10);
    config_set(&f->p, 0x1d, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
    g_assert_cmphex(lines(f), ==, 4);
    g_assert_cmphex(config_get(&f->p, 0x1d, PCI_STATUS, 2), ==, 0x18);
    config_set(&f->p, 0x1d, PCI_COMMAND, 2, 0);
    g_assert_cmphex(lines(f), ==, 6);
    config_set(&f->p, 0x1d, find_cap(&f->p, 0x1d, PCI_CAP_ID_MSI, 0) + 2, 2, 1);
    g_assert_cmphex(lines(f), ==, 4);
    machine_reset_devices(f->p.m);
    g_assert_cmphex(lines(f), ==, 0);
}

#define TARGET (RAM_BASE + 0x100)

static uint32_t taken(Fixture *f)
{
    uint32_t value;

    g_assert_true(memory_read(f->p.m->memory, TARGET, &value, 4));
    wr(f->p.m, TARGET, 0);
    return value;
}

static void test_msi(Fixture *f, const void *unused)
{
    unsigned msi = find_cap(&f->p, 1, PCI_CAP_ID_MSI, 0);

    config_set(&f->p, 1, msi + PCI_MSI_ADDRESS_LO, 4, (uint32_t)TARGET);
    config_set(&f->p, 1, msi + PCI_MSI_DATA, 2, 0x50);
    g_assert_false(pci_send_message(f->a, 0));
    config_set(&f->p, 1, msi + PCI_MSI_FLAGS, 2, 0x11);
    /* No bus master yet. */
    g_assert_true(pci_send_message(f->a, 1));
    g_assert_cmphex(taken(f), ==, 0);
    enable(&f->p, 1);
    pci_send_message(f->a, 1);
    g_assert_cmphex(taken(f), ==, 0x51);
    /* Two vectors are allowed of four: 3 goes as 1. */
    pci_send_message(f->a, 3);
    g_assert_cmphex(taken(f), ==, 0x51);
    config_set(&f->p, 1, msi + PCI_MSI_MASK, 4, 2);
    pci_send_message(f->a, 1);
    g_assert_cmphex(taken(f), ==, 0);
    g_assert_cmphex(config_get(&f->p, 1, msi + PCI_MSI_PENDING, 4), ==, 2);
    config_set(&f->p, 1, msi + PCI_MSI_PENDING, 4, 0);
    config_set(&f->p, 1, msi + PCI_MSI_MASK, 4, 0);
    g_assert_cmphex(taken(f), ==, 0x51);
    g_assert_cmphex(config_get(&f->p, 1, msi + PCI_MSI_PENDING, 4), ==, 0);
}

static void entry_set(Fixture *f, unsigned vector, uint64_t address, uint32_t data,
                      uint32_t control)
{
    hwaddr entry = MMIO + 0x10000 + 16 * vector;

    wr(f->p.m, entry, (uint32_t)address);
    wr(f->p.m, entry + 4, (uint32_t)(address >> 32));
    wr(f->p.m, entry + 8, data);
    wr(f->p.m, entry + 12, control);
}

static unsigned enable_msix(Fixture *f)
{
    unsigned msix = find_cap(&f->p, 1, PCI_CAP_ID_MSIX, 0);

    config_set(&f->p, 1, 0x10, 4, MMIO);
    config_set(&f->p, 1, 0x14, 4, MMIO + 0x10000);
    enable(&f->p, 1);
    g_assert_cmphex(config_get(&f->p, 1, msix + 2, 2), ==, VECTORS - 1);
    g_assert_cmphex(config_get(&f->p, 1, msix + 4, 4), ==, BAR_MSIX);
    g_assert_cmphex(config_get(&f->p, 1, msix + 8, 4), ==, 0x800 | BAR_MSIX);
    config_set(&f->p, 1, msix + 2, 2, PCI_MSIX_FLAGS_ENABLE);
    return msix;
}

static void test_msix(Fixture *f, const void *unused)
{
    unsigned msix = enable_msix(f);
    hwaddr table = MMIO + 0x10000, pba = table + 0x800;

    g_assert_cmphex(at(f, table + 16 * 33 + 12), ==, 1);
    g_assert_cmphex(at(f, table + 16 * VECTORS + 12), ==, 0);
    pci_send_message(f->a, 33);
    g_assert_cmphex(at(f, pba + 4), ==, 2);
    wr(f->p.m, pba + 4, 0);
    g_assert_cmphex(at(f, pba + 4), ==, 2);
    entry_set(f, 33, TARGET, 0x77, 0);
    g_assert_cmphex(taken(f), ==, 0x77);
    g_assert_cmphex(at(f, pba + 4), ==, 0);
    pci_send_message(f->a, 33);
    g_assert_cmphex(taken(f), ==, 0x77);
    /* All of them masked. */
    config_set(&f->p, 1, msix + 2, 2, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    pci_send_message(f->a, 33);
    g_assert_cmphex(taken(f), ==, 0);
    config_set(&f->p, 1, msix + 2, 2, PCI_MSIX_FLAGS_ENABLE);
    g_assert_cmphex(taken(f), ==, 0x77);
    /* There is no such vector, and what its entry would have cannot be written. */
    entry_set(f, VECTORS, TARGET, 0x99, 0);
    pci_send_message(f->a, VECTORS);
    g_assert_cmphex(taken(f), ==, 0);
    g_assert_cmphex(at(f, table + 16 * VECTORS), ==, 0);
    /* 8 bytes at once. */
    io_write(f->p.m, table, 8, TARGET | 0x1200000000);
    g_assert_cmphex(io_read(f->p.m, table, 8), ==, TARGET | 0x1200000000);
    machine_reset_devices(f->p.m);
    g_assert_cmphex(f->a->s->msix_table[3], ==, 1);
    g_assert_cmphex(f->a->s->msix_table[0], ==, 0);
}

/* A message to the sender's own registers, and by way of another function back to the sender. */
static void test_self(Fixture *f, const void *unused)
{
    Card *a = (Card *)f->a, *b = (Card *)f->b;
    unsigned msi = find_cap(&f->p, 2, PCI_CAP_ID_MSI, 0);

    enable_msix(f);
    entry_set(f, 0, MMIO, 0x80000001, 0);
    wr(f->p.m, MMIO, 0x80000000);
    g_assert_cmphex(a->state.word[0], ==, 0x80000000);
    entry_set(f, 0, config_at(0, 1, 0, PCI_COMMAND), 0, 0);
    wr(f->p.m, MMIO, 0x80000000);
    g_assert_cmphex(config_get(&f->p, 1, PCI_COMMAND, 2), ==, 7);
    config_set(&f->p, 2, 0x10, 4, MMIO + 0x20000);
    config_set(&f->p, 2, msi + PCI_MSI_ADDRESS_LO, 4, MMIO);
    config_set(&f->p, 2, msi + PCI_MSI_DATA, 2, 0x4000);
    config_set(&f->p, 2, msi + PCI_MSI_FLAGS, 2, 1);
    enable(&f->p, 2);
    entry_set(f, 0, MMIO + 0x20000, 0x80000000, 0);
    wr(f->p.m, MMIO, 0x80000000);
    g_assert_cmphex(b->state.word[0], ==, 0x80000000);
    g_assert_cmphex(a->state.word[0], ==, 0x80000000);
    /* The other one may, where the first has nothing to do with it. */
    wr(f->p.m, MMIO + 0x20000, 0x80000000);
    g_assert_cmphex(a->state.word[0], ==, 0x4000);
    g_assert_false(f->a->busy || f->b->busy);
}

/* ---- state ---- */

static void test_state(Fixture *f, const void *unused)
{
    Fixture to;
    g_autoptr(GByteArray) places = g_byte_array_new();
    ByteReader in;

    enable_msix(f);
    pci_send_message(f->a, 33);
    pci_set_intx(f->b, true);
    wr(f->p.m, MMIO, 5);
    init_fixture(&to);
    devices_transfer(f->p.m, to.p.m);
    memory_save_places(f->p.m->memory, places);
    byte_reader_init(&in, places->data, places->len);
    g_assert_true(memory_load_places(to.p.m->memory, &in, NULL));
    g_assert_cmphex(at(&to, MMIO), ==, 5);
    g_assert_cmphex(at(&to, MMIO + 0x10804), ==, 2);
    entry_set(&to, 33, TARGET, 0x77, 0);
    g_assert_cmphex(taken(&to), ==, 0x77);
    /* What no guest can have changed is not taken out of a state. */
    to.a->s->config[0] = 0xee;
    to.a->s->config[PCI_CAPABILITY_LIST] = 0xff;
    to.a->s->msix_table[4 * VECTORS] = 1;
    to.a->s->msix_pending[1] = UINT32_MAX;
    to.a->s->intx = 7;
    pci_post_load(to.a);
    g_assert_cmphex(to.a->s->config[0], ==, 0x34);
    g_assert_cmphex(to.a->s->config[PCI_CAPABILITY_LIST], ==, f->a->s->config[PCI_CAPABILITY_LIST]);
    g_assert_cmphex(to.a->s->msix_table[4 * VECTORS], ==, 0);
    g_assert_cmphex(to.a->s->msix_pending[1], ==, 3);
    g_assert_cmphex(to.a->s->intx, ==, 1);
    machine_free(to.p.m);
}

static void test_exit(Fixture *f, const void *unused)
{
    config_set(&f->p, 1, 0x10, 4, MMIO);
    enable(&f->p, 1);
    pci_set_intx(f->a, true);
    g_assert_cmphex(lines(f), ==, 2);
    pci_exit(f->a);
    g_assert_cmphex(at(f, MMIO), ==, UINT32_MAX);
    g_assert_cmphex(config_get(&f->p, 1, 0, 4), ==, UINT32_MAX);
    g_assert_cmphex(lines(f), ==, 0);
}

/* ---- places ---- */

static void assert_refused(PciMachine *p, const char *text, const char *message)
{
    Error *err = NULL;

    g_assert_false(device_plug(p->m, text, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, message);
    error_free(err);
}

static void test_places(Fixture *f, const void *unused)
{
    PciMachine *p = &f->p;

    /* The first free slot is the third. */
    g_assert_cmphex(pci_plug(p, "card,id=c", "c")->devfn, ==, 3 * 8);
    g_assert_cmphex(pci_plug(p, "card,id=d,addr=1f.0,multifunction=on", "d")->devfn, ==, 31 * 8);
    g_assert_cmphex(pci_plug(p, "card,id=e,addr=0x1f.7", "e")->devfn, ==, 31 * 8 + 7);
    g_assert_cmphex(pci_plug(p, "card,id=g,addr=10", "g")->devfn, ==, 16 * 8);
    machine_reset_devices(p->m);
    g_assert_cmphex(config_get(p, 31, PCI_HEADER_TYPE, 1), ==, 0x80);
    g_assert_cmphex(config_get(p, 3, PCI_HEADER_TYPE, 1), ==, 0);
    g_assert_cmphex((uint32_t)io_read(p->m, config_at(0, 31, 7, 0), 4), ==, 0x56781234);
    assert_refused(p, "card,addr=1.0", "-device card: addr=1.0: the place is taken by 'a'");
    assert_refused(p, "card,addr=1.1",
                   "-device card: addr=1.1: 'a' in that slot has no multifunction=on");
    pci_plug(p, "card,id=h,addr=5.1", "h");
    assert_refused(p, "card,addr=5", "-device card: addr=5.0: the slot has 'h' already, so it "
                   "needs multifunction=on");
    for (unsigned i = 0; i < 7; i++) {
        static const char *const wrong[] = { "20", "-1", "1.8", "1.", "1.10", "", "x" };
        g_autofree char *text = g_strdup_printf("card,addr=%s", wrong[i]);
        g_autofree char *message = g_strdup_printf(
            "-device card: addr=%s: expected SLOT or SLOT.FUNCTION in hexadecimal; bus 'pcie.0' "
            "has slots 0 to 1f, of functions 0 to 7", wrong[i]);

        assert_refused(p, text, message);
    }
    assert_refused(p, "card,bus=pci.0",
                   "-device card: no bus 'pci.0'; there are pcie.0 to pcie.0");
}

#define ADD(name, test) g_test_add("/pci/" name, Fixture, NULL, setup, test, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("identity", test_identity);
    ADD("writable", test_writable);
    ADD("bars", test_bars);
    ADD("overlap", test_overlap);
    ADD("power", test_power);
    ADD("function-reset", test_function_reset);
    ADD("intx", test_intx);
    ADD("msi", test_msi);
    ADD("msix", test_msix);
    ADD("self", test_self);
    ADD("state", test_state);
    ADD("exit", test_exit);
    ADD("places", test_places);
    return g_test_run();
}
