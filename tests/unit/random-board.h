/*
 * Whole boards under random treatment: accesses to their registers, time that passes, input from
 * outside, requests to devices. Include it in one file of a test.
 *
 * Values of the host are scripted, so that boards that are treated alike get the same ones.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_RANDOM_BOARD_H
#define TESTS_UNIT_RANDOM_BOARD_H

#include "util/osdep.h"
#include "accel/tcg/tcg.h"
#include "chardev/char-port.h"
#include "fake-replay.h"
#include "hw/core/board.h"
#include "hw/core/bus.h"
#include "hw/virtio/virtio.h"
#include "rng.h"

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

static inline void make_board(Board *b, const BoardType *type, unsigned num_cpus, unsigned list)
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

static inline void board_reset(Board *b)
{
    fake_replay.next_byte = 0;
    for (unsigned i = 0; i < b->m->num_cpus; i++) {
        b->m->cpus[i]->ops->reset(b->m->cpus[i]);
    }
    machine_reset_devices(b->m);
    b->m->shutdown_request = b->m->reset_request = SHUTDOWN_CAUSE_NONE;
}

static inline void board_free(Board *b)
{
    tcg_free(b->tcg);
    for (unsigned i = 0; i < b->m->num_cpus; i++) {
        b->m->cpus[i]->ops->free(b->m->cpus[i]);
    }
    machine_free(b->m);
    g_ptr_array_unref(b->devices);
}

static inline uint64_t board_digest(Board *b)
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

static inline void add_registers(MemRegion *region, void *opaque)
{
    Registers r = { region->base, region->size, region->name };

    if (region->ops) {
        g_array_append_val((GArray *)opaque, r);
    }
}

static inline GArray *board_registers(Board *b)
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
static inline uint64_t random_value(Rng *rng)
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
static inline hwaddr random_span(Rng *rng, const Registers *r)
{
    return MIN(r->size, rng_percent(rng, 70) ? 0x80 : 0x1200);
}

static inline Act random_act(Rng *rng, const GArray *registers, unsigned num_cpus)
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
static inline VirtioDevice *virtio_device(Board *b, unsigned n)
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

static inline void put(Board *b, hwaddr addr, uint64_t value, unsigned size)
{
    memory_write(b->m->memory, addr, &value, size);     /* as the host is little-endian, too */
}

/* Buffers, most of them good, in a ring of `num`; as many are made available. */
static inline void fill_ring(Board *b, Rng *rng, hwaddr ring, unsigned num)
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
static inline void make_request(Board *b, uint64_t seed)
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
static inline void check_no_request(Board *b)
{
    for (unsigned n = 0; n < 2; n++) {
        const VirtioDevice *v = virtio_device(b, n);

        for (unsigned q = 0; v && q < v->vtype->num_queues; q++) {
            g_assert_true(v->s->broken || v->s->in_use[q] == 0);
        }
    }
}

/* What a read gives. */
static inline uint64_t act(Board *b, const Act *a)
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

#endif
