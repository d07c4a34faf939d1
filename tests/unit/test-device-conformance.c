/*
 * What every device of every board has to keep, whatever it does: random accesses to a whole
 * board, and then
 *
 * - two boards that were treated alike are equal: no host data, pointer or environment variable
 *   is in their state;
 * - an observer's look has no effect;
 * - a board that a state was loaded into goes on like the one that it was saved from;
 * - a reset gives the state of power-on, but for what is listed here with its reason.
 *
 * Values of the host are scripted, so that both boards get the same ones.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/tcg.h"
#include "chardev/char-port.h"
#include "fake-replay.h"
#include "hw/core/board.h"
#include "hw/core/bus.h"
#include "hw/virtio/virtio.h"
#include "migration/fields.h"
#include "rng.h"
#include "target/arm/cpu.h"

#define RAM_BASE 0x40000000ull
#define RAM_SIZE (16u << 20)

/* ---- what comes from outside ---- */

static bool running;
static unsigned requests_done;     /* by virtio devices */

void replay_source_refuse(Replay *r, const char *name, const char *why)
{
}

bool replay_post(ReplaySource *s, const void *payload, size_t length)
{
    g_assert_not_reached();
}

/* Devices must not ask; who does while the machine runs, fails. */
char *getenv(const char *name)
{
    g_assert_false(running);
    return NULL;
}

/* ---- boards ---- */

typedef struct Board {
    Machine *m;
    TcgContext *tcg;
    BoardConfig config;
    GPtrArray *devices;
} Board;

static const char *const device_lists[][3] = {
    { NULL },
    { "virtio-rng-device,id=rng0", NULL },
    { "virtio-rng-device,id=rng0", "virtio-rng-device,id=rng1", NULL },
};

static void make_board(Board *b, const BoardType *type, unsigned num_cpus, unsigned list)
{
    TcgConfig tcg = { .interp = true };
    Error *err = NULL;

    *b = (Board){ .m = machine_new(NULL), .devices = g_ptr_array_new() };
    b->m->device_types = device_types;
    for (unsigned i = 0; device_lists[list][i]; i++) {
        g_ptr_array_add(b->devices, (void *)device_lists[list][i]);
    }
    b->config = (BoardConfig){ .ram_size = RAM_SIZE, .num_cpus = num_cpus,
                               .topology = { .cpus = num_cpus, .max_cpus = num_cpus, .sockets = 1,
                                             .cores = num_cpus, .threads = 1, .clusters = 1 },
                               .devices = b->devices };
    if (!board_create(type, b->m, &b->config, &err)) {
        g_error("%s", error_get_pretty(err));
    }
    clock_use_icount(b->m->clock, 0);
    b->tcg = tcg_new(b->m, &tcg, NULL);
    for (unsigned i = 0; i < b->m->num_cpus; i++) {
        tcg_add_vcpu(b->tcg, b->m->cpus[i]);
    }
}

static void board_reset(Board *b)
{
    fake_replay.next_byte = 0;
    for (unsigned i = 0; i < b->m->num_cpus; i++) {
        b->m->cpus[i]->ops->reset(b->m->cpus[i]);
    }
    machine_reset_devices(b->m);
    b->m->shutdown_request = b->m->reset_request = SHUTDOWN_CAUSE_NONE;
}

static void board_free(Board *b)
{
    tcg_free(b->tcg);
    for (unsigned i = 0; i < b->m->num_cpus; i++) {
        b->m->cpus[i]->ops->free(b->m->cpus[i]);
    }
    machine_free(b->m);
    g_ptr_array_unref(b->devices);
}

static uint64_t board_digest(Board *b)
{
    Digest *d = digest_new();
    uint64_t value;

    machine_digest_devices(b->m, d);
    for (unsigned i = 0; i < b->m->num_cpus; i++) {
        b->m->cpus[i]->ops->digest(b->m->cpus[i], d);
    }
    memory_digest_all(b->m->memory, d);
    value = digest_value(d);
    digest_free(d);
    return value;
}

/* ---- random treatment ---- */

typedef struct Registers {
    hwaddr base, size;
    const char *name;
} Registers;

static void add_registers(MemRegion *region, void *opaque)
{
    Registers r = { region->base, region->size, region->name };

    if (region->ops) {
        g_array_append_val((GArray *)opaque, r);
    }
}

static GArray *board_registers(Board *b)
{
    GArray *list = g_array_new(false, false, sizeof(Registers));

    memory_foreach(b->m->memory, add_registers, list);
    g_assert_cmpuint(list->len, >, 0);
    return list;
}

typedef enum ActKind {
    ACT_READ, ACT_WRITE, ACT_TIME, ACT_POWERDOWN, ACT_TYPE, ACT_REQUEST,
} ActKind;

typedef struct Act {
    ActKind kind;
    hwaddr addr;
    unsigned size, cpu;
    uint64_t value;
    uint8_t host;             /* the first byte of what the host gives */
} Act;

/* Small numbers, single bits and addresses of RAM are what registers are made for. */
static uint64_t random_value(Rng *rng)
{
    switch (rng_below(rng, 6)) {
    case 0: return rng_below(rng, 16);
    case 1: return 1ull << rng_below(rng, 32);
    case 2: return UINT32_MAX;
    case 3: return 0x40000000 + rng_below(rng, 1 << 16) * 8ull;
    case 4: return 0x40000 + rng_below(rng, 64);
    default: return rng_next(rng);
    }
}

/* Most devices have most of their registers at its start. */
static hwaddr random_span(Rng *rng, const Registers *r)
{
    return MIN(r->size, rng_percent(rng, 70) ? 0x80 : 0x1200);
}

static Act random_act(Rng *rng, const GArray *registers, unsigned num_cpus)
{
    const Registers *r = &g_array_index(registers, Registers, rng_below(rng, registers->len));
    hwaddr span = random_span(rng, r);
    Act a = { .kind = rng_percent(rng, 45) ? ACT_READ : ACT_WRITE,
              .size = rng_percent(rng, 80) ? 4 : 1u << rng_below(rng, 4),
              .cpu = rng_below(rng, num_cpus), .value = random_value(rng),
              .host = (uint8_t)rng_next(rng) };

    a.addr = r->base + rng_below(rng, (uint32_t)span) / a.size * a.size;
    if (rng_percent(rng, 4)) {
        a.kind = ACT_TIME;
        a.value = rng_percent(rng, 50) ? rng_below(rng, 1000) : rng_below(rng, UINT32_MAX) * 8ull;
    } else if (rng_percent(rng, 4)) {
        a.kind = rng_percent(rng, 60) ? ACT_REQUEST :
                 rng_percent(rng, 30) ? ACT_POWERDOWN : ACT_TYPE;
    }
    return a;
}

/* ---- virtio requests, as accesses at random hardly ever make one ---- */

/* The n-th virtio device, counted modulo how many there are; NULL: none. */
static VirtioDevice *virtio_device(Board *b, unsigned n)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();

    for (unsigned i = 0; i < b->m->buses->len; i++) {
        const Bus *bus = g_ptr_array_index(b->m->buses, i);

        if (strcmp(bus->kind, VIRTIO_BUS) == 0 && bus->children->len) {
            g_ptr_array_add(found, g_ptr_array_index(bus->children, 0));
        }
    }
    return found->len ? container_of(g_ptr_array_index(found, n % found->len), VirtioDevice, dev)
                      : NULL;
}

static void put(Board *b, hwaddr addr, uint64_t value, unsigned size)
{
    memory_write(b->m->memory, addr, &value, size);     /* as the host is little-endian, too */
}

/* Buffers, most of them good, in a ring of `num`; as many are made available. */
static void fill_ring(Board *b, Rng *rng, hwaddr ring, unsigned num)
{
    hwaddr avail = ring + 16 * num;

    for (unsigned i = 0; i < num; i++) {
        put(b, ring + 16 * i, RAM_BASE + rng_below(rng, RAM_SIZE + RAM_SIZE / 64), 8);
        put(b, ring + 16 * i + 8, rng_below(rng, 300), 4);
        put(b, ring + 16 * i + 12, rng_percent(rng, 90) ? 2 : rng_below(rng, 8), 2);
        put(b, ring + 16 * i + 14, rng_below(rng, num), 2);
        put(b, avail + 4 + 2 * i, rng_percent(rng, 98) ? i : rng_next(rng), 2);
    }
    put(b, avail, rng_below(rng, 2), 2);
    put(b, avail + 2, num, 2);
}

/* A driver that starts a device (by version 1 of virtio-mmio) and kicks it; all from `seed`. */
static void make_request(Board *b, uint64_t seed)
{
    static const uint32_t reset[][2] = { { 0x70, 0 }, { 0x70, 1 }, { 0x70, 3 }, { 0x24, 0 } };
    Rng rng = { seed };
    VirtioDevice *v = virtio_device(b, rng_below(&rng, 8));
    unsigned num = 1u << rng_below(&rng, 6);
    hwaddr base, ring = RAM_BASE + rng_below(&rng, 1024) * 4096ull;
    const uint32_t start[][2] = {
        { 0x20, rng_next(&rng) }, { 0x28, 4096 }, { 0x30, 0 }, { 0x38, num }, { 0x3c, 4096 },
        { 0x40, (uint32_t)(ring >> 12) }, { 0x70, 7 }, { 0x50, 0 },
    };

    if (!v) {
        return;
    }
    base = v->dev.bus->parent->region[0]->base;
    fill_ring(b, &rng, ring, num);
    for (unsigned i = 0; i < ARRAY_SIZE(reset); i++) {
        memory_io_write(b->m->memory, base + reset[i][0], 4, reset[i][1]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(start); i++) {
        memory_io_write(b->m->memory, base + start[i][0], 4, start[i][1]);
    }
    requests_done += v->s->used_idx[0];
}

/* A state has no place for requests that a device has taken and not given back yet. */
static void check_no_request(Board *b)
{
    for (unsigned n = 0; n < 2; n++) {
        const VirtioDevice *v = virtio_device(b, n);

        for (unsigned q = 0; v && q < v->vtype->num_queues; q++) {
            g_assert_true(v->s->broken || v->s->in_use[q] == 0);
        }
    }
}

/* What a read gives. */
static uint64_t act(Board *b, const Act *a)
{
    uint64_t value = 0;

    running = true;
    fake_replay.next_byte = a->host;
    b->m->current_cpu = a->cpu;
    switch (a->kind) {
    case ACT_READ:
        memory_io_read(b->m->memory, a->addr, a->size, &value);
        break;
    case ACT_WRITE:
        memory_io_write(b->m->memory, a->addr, a->size, a->value);
        break;
    case ACT_TIME:
        clock_warp(b->m->clock, (int64_t)a->value);
        clock_run_timers(b->m->clock);
        break;
    case ACT_POWERDOWN:
        if (b->m->powerdown) {
            b->m->powerdown(b->m->powerdown_opaque);
        }
        break;
    case ACT_REQUEST:
        make_request(b, a->value);
        break;
    case ACT_TYPE:
        for (unsigned i = 0; i < b->m->serial->len; i++) {
            g_byte_array_append(char_port_queue(g_ptr_array_index(b->m->serial, i)), &a->host, 1);
            char_port_accept_input(g_ptr_array_index(b->m->serial, i));
        }
        break;
    }
    b->m->shutdown_request = b->m->reset_request = SHUTDOWN_CAUSE_NONE;
    running = false;
    check_no_request(b);
    return value;
}

/* ---- the properties ---- */

static void check_equal(Board *a, Board *b, const Act *last)
{
    if (board_digest(a) != board_digest(b)) {
        g_error("two equal boards differ after a %s of %u bytes at 0x%" PRIx64 ", value 0x%" PRIx64,
                last->kind == ACT_READ ? "read" : last->kind == ACT_WRITE ? "write" : "pause",
                last->size, last->addr, last->value);
    }
}

/* Every register can be looked at, and a look changes nothing. */
static void check_peek(Board *b, const Registers *r)
{
    uint64_t before = board_digest(b);
    uint8_t bytes[4];

    for (hwaddr offset = 0; offset < MIN(r->size, 0x1200); offset += 4) {
        if (!memory_peek(b->m->memory, r->base + offset, bytes, 4)) {
            g_error("'%s' cannot be looked at, at offset 0x%" PRIx64, r->name, offset);
        }
    }
    if (board_digest(b) != before) {
        g_error("a look at '%s' changes the machine", r->name);
    }
}

static void treat_alike(Board *a, Board *b, Rng *rng, const GArray *registers, unsigned acts)
{
    Act last = { 0 };

    for (unsigned n = 0; n < acts; n++) {
        last = random_act(rng, registers, a->m->num_cpus);
        g_assert_cmphex(act(a, &last), ==, act(b, &last));
        if (n % 16 == 0) {
            check_equal(a, b, &last);
        }
        if (n % 8 == 0) {
            check_peek(a, &g_array_index(registers, Registers, rng_below(rng, registers->len)));
        }
    }
    check_equal(a, b, &last);
}

static void save(Board *b, GByteArray *out)
{
    machine_save_devices(b->m, out);
    for (unsigned i = 0; i < b->m->num_cpus; i++) {
        b->m->cpus[i]->ops->save(b->m->cpus[i], out);
    }
    g_assert_true(memory_save(b->m->memory, out, NULL));
}

static void transfer(Board *from, Board *to)
{
    GByteArray *saved = g_byte_array_new(), *again = g_byte_array_new();
    uint64_t seed = 99;
    ByteReader in;

    save(from, saved);
    machine_scramble_devices(to->m, &seed);
    byte_reader_init(&in, saved->data, saved->len);
    g_assert_true(machine_load_devices(to->m, &in, NULL));
    for (unsigned i = 0; i < to->m->num_cpus; i++) {
        g_assert_true(to->m->cpus[i]->ops->load(to->m->cpus[i], &in, NULL));
    }
    g_assert_true(memory_load(to->m->memory, &in, NULL));
    save(to, again);
    g_assert_cmpmem(again->data, again->len, saved->data, saved->len);
    g_byte_array_unref(saved);
    g_byte_array_unref(again);
}

/* ---- reset ---- */

/* Fields that a reset keeps, and why. */
static const struct Kept {
    const char *table, *field;
} kept[] = {
    { "pl031", "offset" },        /* like a battery-backed clock it goes on over a reset, */
    { "pl031", "lr" },            /* and with it what it was set to */
    { "pl031", "last_dr" },       /* ... and was seen at */
    { "pl061", "in" },            /* its inputs are driven from outside */
};

static bool is_kept(const FieldTable *table, const char *field)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kept); i++) {
        if (strcmp(kept[i].table, table->name) == 0 && strcmp(kept[i].field, field) == 0) {
            return true;
        }
    }
    return false;
}

/* A device's state as text, a line a field, without the fields that are kept. */
static void dump_table(void *opaque, const char *owner, const FieldTable *table,
                       const void *state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;

    fields_dump(table, state, text);
    lines = g_strsplit(text->str, "\n", -1);
    for (unsigned i = 0; lines[i] && *lines[i]; i++) {
        g_autofree char *field = g_strndup(lines[i], strcspn(lines[i], "="));

        if (!is_kept(table, field)) {
            g_string_append_printf(opaque, "%s: %s\n", owner, lines[i]);
        }
    }
}

static char *dump(Board *b)
{
    GString *text = g_string_new(NULL);

    machine_visit_devices(b->m, dump_table, text);
    return g_string_free(text, false);
}

/* The world comes to rest: whoever pressed a button lets go, and nobody types. */
static void come_to_rest(Board *b)
{
    const Act wait = { .kind = ACT_TIME, .value = 200000000 };

    act(b, &wait);
    for (unsigned i = 0; i < b->m->serial->len; i++) {
        g_byte_array_set_size(char_port_queue(g_ptr_array_index(b->m->serial, i)), 0);
    }
}

static void check_reset(Board *b, const char *power_on)
{
    g_autofree char *text = NULL;

    come_to_rest(b);
    board_reset(b);
    text = dump(b);
    if (strcmp(text, power_on) != 0) {
        g_auto(GStrv) now = g_strsplit(text, "\n", -1), then = g_strsplit(power_on, "\n", -1);

        for (unsigned i = 0; now[i] && then[i]; i++) {
            if (strcmp(now[i], then[i]) != 0) {
                g_error("after a reset %.300s, at power-on %.300s", now[i], then[i]);
            }
        }
    }
    g_assert_cmpint(clock_next_deadline(b->m->clock), ==, CLOCK_NO_DEADLINE);
}

/* ---- */

static void check_board(const BoardType *type, unsigned num_cpus, unsigned list, uint64_t seed)
{
    g_autofree char *power_on = NULL;
    Rng rng = { seed };
    GArray *registers;
    Board a, b;

    make_board(&a, type, num_cpus, list);
    make_board(&b, type, num_cpus, list);
    board_reset(&a);
    board_reset(&b);
    power_on = dump(&a);
    registers = board_registers(&a);
    for (unsigned round = 0; round < 6; round++) {
        treat_alike(&a, &b, &rng, registers, 400);
        /* B goes elsewhere, and is called back. */
        for (unsigned n = 0; n < 200; n++) {
            Act other = random_act(&rng, registers, num_cpus);

            act(&b, &other);
        }
        transfer(&a, &b);
        treat_alike(&a, &b, &rng, registers, 400);
        if (round % 2) {
            check_reset(&a, power_on);
            check_reset(&b, power_on);
        }
    }
    g_array_unref(registers);
    board_free(&a);
    board_free(&b);
}

/* REARM_SEEDS: so many seeds instead of a few. */
static unsigned num_seeds(const char *text)
{
    return text ? (unsigned)atoi(text) : 4;
}

/* What users see is there, and the values that they are told of are what they may write. */
static void check_properties(const char *owner, const Property *table)
{
    for (const Property *p = table; p && p->name; p++) {
        g_test_message("%s.%s", owner, p->name);
        g_assert_true(property_find(table, p->name) == p);
        g_assert_true(p->doc || (p->refused && !p->values));
        g_assert_true(!property_default(p) || property_set(table, NULL, p->name,
                                                           property_default(p), "", NULL));
    }
}

static void test_types(void)
{
    for (const DeviceType *const *type = device_types; *type; type++) {
        g_test_message("%s", (*type)->name);
        g_assert_nonnull((*type)->doc);
        g_assert_true(!(*type)->pluggable || (*type)->size >= sizeof(Device));
        g_assert_true(!(*type)->size || !(*type)->window == (!(*type)->bank && !(*type)->ops));
        check_properties((*type)->name, (*type)->properties);
        for (const DeviceType *const *other = device_types; other < type; other++) {
            g_assert_cmpstr((*other)->name, !=, (*type)->name);
        }
    }
}

static void test_board_properties(void)
{
    for (const BoardType *const *type = board_types; *type; type++) {
        check_properties((*type)->name, (*type)->properties);
    }
    check_properties("-machine", board_common_properties);
}

static unsigned seeds;

static void test_boards(void)
{
    for (unsigned n = 0; board_types[n]; n++) {
        /* An empty board has nothing to treat. */
        for (unsigned seed = 1; board_types[n]->default_cpu && seed <= seeds; seed++) {
            unsigned num_cpus = MIN(1 + seed % 3, board_types[n]->max_cpus);

            check_board(board_types[n], num_cpus, seed % ARRAY_SIZE(device_lists), seed);
        }
    }
    g_assert_cmpuint(requests_done, >, 0);
}

int main(int argc, char **argv)
{
    seeds = 4;
    for (char **e = environ; *e; e++) {
        if (g_str_has_prefix(*e, "REARM_SEEDS=")) {
            seeds = num_seeds(*e + strlen("REARM_SEEDS="));
        }
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device-conformance/types", test_types);
    g_test_add_func("/device-conformance/board-properties", test_board_properties);
    g_test_add_func("/device-conformance/boards", test_boards);
    return g_test_run();
}
