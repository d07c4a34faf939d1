/*
 * The memory map that changes: random sequences of additions, removals, moves and priorities
 * against a naive model, what the engine is told, changes in the middle of an access, save and
 * load.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/memory.h"
#include "rng.h"

/* The model knows an owner for each granule of its small world. */
#define GRANULE 0x400u
#define PER_PAGE (PAGE_SIZE / GRANULE)
#define GRANULES 256u
#define WORLD 0x80000000ull
#define MAX_REGIONS 12

typedef struct Model {
    MemRegion *region;      /* NULL: no such region */
    unsigned id;            /* ascending with age */
    bool ram;
    unsigned base, size;    /* granules */
    int priority;
    bool enabled;
} Model;

typedef struct Owner {
    const Model *model;     /* NULL: nobody */
    unsigned offset;        /* granule of the region */
} Owner;

typedef struct World {
    MemoryMap *map;
    Model regions[MAX_REGIONS];
    unsigned made;
    Owner before[GRANULES], now[GRANULES];
    unsigned reports, remaps;
    Rng rng;
} World;

static uint64_t device_read(void *opaque, hwaddr offset, unsigned size)
{
    return (uint64_t)(uintptr_t)opaque << 32 | offset;
}

static void device_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const MmioOps device_ops = { .read = device_read, .write = device_write,
                                    .peek = device_read, .min_size = 1, .max_size = 8 };

/* ---- the model ---- */

static bool beats(const Model *a, const Model *b)
{
    return !b || a->priority > b->priority || (a->priority == b->priority && a->id < b->id);
}

static void find_owners(World *w, Owner *owners)
{
    for (unsigned g = 0; g < GRANULES; g++) {
        owners[g] = (Owner){ NULL, 0 };
        for (Model *m = w->regions; m < w->regions + MAX_REGIONS; m++) {
            if (m->region && m->enabled && g >= m->base && g < m->base + m->size &&
                beats(m, owners[g].model)) {
                owners[g] = (Owner){ m, g - m->base };
            }
        }
    }
}

static uint8_t *flags_of(MemRegion *region, unsigned granule)
{
    return &region->page_flags[granule / PER_PAGE];
}

/* Whether what was seen of m in the page of the world is seen still, at the same place. */
static bool page_kept(const World *w, const Model *m, unsigned page)
{
    for (unsigned g = page * PER_PAGE; g < (page + 1) * PER_PAGE; g++) {
        if (w->before[g].model == m &&
            (w->now[g].model != m || w->now[g].offset != w->before[g].offset)) {
            return false;
        }
    }
    return true;
}

static bool page_seen(const Owner *owners, const Model *m, unsigned page)
{
    for (unsigned g = page * PER_PAGE; g < (page + 1) * PER_PAGE; g++) {
        if (owners[g].model == m) {
            return true;
        }
    }
    return false;
}

static const Model *model_of(const World *w, const MemRegion *region)
{
    for (const Model *m = w->regions; m < w->regions + MAX_REGIONS; m++) {
        if (m->region == region) {
            return m;
        }
    }
    g_assert_not_reached();
}

/* ---- what the engine is told ---- */

/* The map is still the old one. */
static void page_unmapped(void *opaque, MemRegion *region, hwaddr addr)
{
    World *w = opaque;
    unsigned page = (unsigned)((addr - WORLD) / PAGE_SIZE);
    bool whole;

    w->reports++;
    g_assert_cmphex(addr % PAGE_SIZE, ==, 0);
    g_assert_true(memory_find_page(w->map, addr, &whole) == region);
    g_assert_cmpuint(w->remaps, ==, 0);
    g_assert_false(page_kept(w, model_of(w, region), page));
    *flags_of(region, (unsigned)((addr - region->base) / GRANULE)) &=
        (uint8_t)~(PAGE_HOOKED | PAGE_WRITE_CACHED);
}

static void remapped(void *opaque)
{
    ((World *)opaque)->remaps++;
}

static const MemoryHooks hooks = { .unmapped = page_unmapped, .remapped = remapped };

/* As an engine does it: only pages that are seen have such flags. */
static void mark_random_pages(World *w)
{
    static const uint8_t flags[] = { PAGE_CODE, PAGE_TABLE, PAGE_WRITE_CACHED, PAGE_HOOKED };

    for (unsigned n = 0; n < 8; n++) {
        const Owner *o = &w->now[rng_below(&w->rng, GRANULES)];

        if (o->model && o->model->ram) {
            *flags_of(o->model->region, o->offset) |= flags[rng_below(&w->rng, 4)];
        }
    }
}

/* Flags are left where a page is where it was, and nowhere else. */
static void check_flags(World *w, unsigned marked_before)
{
    unsigned marked = 0;

    for (Model *m = w->regions; m < w->regions + MAX_REGIONS; m++) {
        for (unsigned g = 0; m->region && m->ram && g < m->size; g += PER_PAGE) {
            if (*flags_of(m->region, g) & (PAGE_HOOKED | PAGE_WRITE_CACHED)) {
                marked++;
                g_assert_true(page_seen(w->before, m, (m->base + g) / PER_PAGE));
                g_assert_true(page_kept(w, m, (m->base + g) / PER_PAGE));
            }
        }
    }
    g_assert_cmpuint(marked + w->reports, ==, marked_before);
}

static unsigned count_marked(World *w)
{
    unsigned marked = 0;

    for (Model *m = w->regions; m < w->regions + MAX_REGIONS; m++) {
        for (unsigned g = 0; m->region && m->ram && g < m->size; g += PER_PAGE) {
            marked += (*flags_of(m->region, g) & (PAGE_HOOKED | PAGE_WRITE_CACHED)) != 0;
        }
    }
    return marked;
}

/* ---- the map ---- */

static uint64_t content(const Model *m, unsigned offset)
{
    return (uint64_t)m->id << 32 | offset;
}

/* Each granule of RAM begins with what it is. */
static void fill_ram(Model *m)
{
    for (unsigned g = 0; g < m->size; g++) {
        uint64_t stamp = GUINT64_TO_LE(content(m, g * GRANULE));

        memcpy(m->region->host + g * GRANULE, &stamp, sizeof(stamp));
        m->region->page_flags[g / PER_PAGE] |= PAGE_EVER;
    }
}

static void check_granule(World *w, unsigned g)
{
    const Owner *o = &w->now[g];
    hwaddr addr = WORLD + g * GRANULE;
    uint64_t value;

    if (!o->model) {
        g_assert_null(memory_find(w->map, addr));
        g_assert_null(memory_find(w->map, addr + GRANULE - 1));
        return;
    }
    g_assert_true(memory_find(w->map, addr) == o->model->region);
    g_assert_true(memory_find(w->map, addr + GRANULE - 1) == o->model->region);
    g_assert_true(memory_io_read(w->map, addr, 8, &value));
    g_assert_cmphex(value, ==, content(o->model, o->offset * GRANULE));
    g_assert_true(memory_peek(w->map, addr, &value, 8));
    g_assert_cmphex(GUINT64_FROM_LE(value), ==, content(o->model, o->offset * GRANULE));
    g_assert_true(memory_read(w->map, addr, &value, 8) == o->model->ram);
}

static void check_page(World *w, unsigned page)
{
    const Model *ram = NULL;
    bool all = true, whole;

    for (unsigned g = page * PER_PAGE; g < (page + 1) * PER_PAGE; g++) {
        const Model *m = w->now[g].model;

        if (m && m->ram) {
            g_assert_true(!ram || ram == m);
            ram = m;
        } else {
            all = false;
        }
    }
    g_assert_true(memory_find_page(w->map, WORLD + page * PAGE_SIZE + 5, &whole) ==
                  (ram ? ram->region : NULL));
    g_assert_true(whole == all);
}

typedef struct ViewCheck {
    hwaddr next;            /* the first address that is not seen yet */
    MemRange last;
} ViewCheck;

/* In order, without gaps that are none, and nothing is in two pieces. */
static void check_range(const MemRange *range, void *opaque)
{
    ViewCheck *v = opaque;

    g_assert_cmphex(range->first, >=, v->next);
    g_assert_cmphex(range->last, >=, range->first);
    g_assert_cmphex(range->offset, ==, range->first - range->region->base);
    g_assert_true(v->last.region != range->region || v->last.last + 1 != range->first);
    v->last = *range;
    v->next = range->last + 1;
}

static void check_order(MemRegion *region, void *opaque)
{
    hwaddr *last = opaque;

    g_assert_cmphex(region->base, >=, *last);
    *last = region->base;
}

static void check_world(World *w)
{
    ViewCheck v = { 0 };
    hwaddr last = 0;

    for (unsigned g = 0; g < GRANULES; g++) {
        check_granule(w, g);
    }
    for (unsigned page = 0; page < GRANULES / PER_PAGE; page++) {
        check_page(w, page);
    }
    memory_foreach_range(w->map, check_range, &v);
    memory_foreach(w->map, check_order, &last);
}

/* ---- random changes ---- */

typedef enum Verb { MAKE, REMOVE, MOVE, RANK, SWITCH } Verb;

static void make_region(World *w, Model *m)
{
    *m = (Model){ .id = ++w->made, .ram = rng_percent(&w->rng, 50) };
    m->size = m->ram ? PER_PAGE * (1 + rng_below(&w->rng, 12)) : 1 + rng_below(&w->rng, 40);
    m->region = m->ram ? memory_new_ram(w->map, "ram", m->size * GRANULE, false, NULL)
                       : memory_new_mmio(w->map, "device", m->size * GRANULE, &device_ops,
                                         (void *)(uintptr_t)m->id);
    if (m->ram) {
        fill_ram(m);
    }
    memory_move(w->map, m->region, WORLD);
}

static Verb choose_verb(World *w, const Model *m)
{
    static const Verb verbs[] = { REMOVE, MOVE, MOVE, MOVE, RANK, RANK, SWITCH, SWITCH };

    return m->region ? verbs[rng_below(&w->rng, ARRAY_SIZE(verbs))] : MAKE;
}

static void change_model(World *w, Model *m, Verb verb)
{
    unsigned base = rng_below(&w->rng, GRANULES - m->size + 1);

    switch (verb) {
    case MAKE: make_region(w, m); break;
    case REMOVE: m->enabled = false; break;
    case MOVE: m->base = m->ram ? base / PER_PAGE * PER_PAGE : base; break;
    case RANK: m->priority = (int)rng_below(&w->rng, 5) - 2; break;
    case SWITCH: m->enabled = !m->enabled; break;
    }
}

static void change_map(World *w, Model *m, Verb verb)
{
    switch (verb) {
    case MAKE: break;
    case REMOVE: memory_remove(w->map, m->region); m->region = NULL; break;
    case MOVE: memory_move(w->map, m->region, WORLD + m->base * GRANULE); break;
    case RANK: memory_set_priority(w->map, m->region, m->priority); break;
    case SWITCH: memory_set_enabled(w->map, m->region, m->enabled); break;
    }
}

/* The model comes first: hooks look at what will be. */
static void random_change(World *w)
{
    Model *m = &w->regions[rng_below(&w->rng, MAX_REGIONS)];
    Verb verb = choose_verb(w, m);
    unsigned marked;
    bool changed;

    mark_random_pages(w);
    marked = count_marked(w);
    memcpy(w->before, w->now, sizeof(w->before));
    change_model(w, m, verb);
    find_owners(w, w->now);
    changed = memcmp(w->before, w->now, sizeof(w->before)) != 0;
    w->reports = w->remaps = 0;
    change_map(w, m, verb);
    g_assert_cmpuint(w->remaps, ==, changed);
    check_flags(w, marked);
}

static void test_random(void)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        World *w = g_new0(World, 1);

        w->rng.state = seed;
        w->map = memory_map_new();
        memory_set_hooks(w->map, &hooks, w);
        for (unsigned n = 0; n < 400; n++) {
            random_change(w);
            check_world(w);
        }
        memory_map_free(w->map);
        g_free(w);
    }
}

/* ---- the edges of the address space ---- */

static void test_ends(void)
{
    MemoryMap *map = memory_map_new();
    MemRegion *low = memory_add_ram(map, "low", 0, PAGE_SIZE, false, NULL);
    MemRegion *high = memory_add_mmio(map, "high", UINT64_MAX - 0xff, 0x100, &device_ops, NULL);
    MemRegion *all = memory_new_mmio(map, "all", UINT64_MAX, &device_ops, NULL);
    uint64_t value;

    g_assert_true(memory_find(map, UINT64_MAX) == high);
    g_assert_true(memory_io_read(map, UINT64_MAX - 7, 8, &value));
    g_assert_cmphex(value, ==, 0xf8);
    g_assert_false(memory_io_read(map, UINT64_MAX - 3, 8, &value));
    memory_set_priority(map, all, -1);
    memory_move(map, all, 1);
    memory_set_enabled(map, all, true);
    g_assert_true(memory_find(map, UINT64_MAX) == high);
    g_assert_true(memory_find(map, UINT64_MAX - 0x100) == all);
    g_assert_true(memory_find(map, PAGE_SIZE) == all);
    g_assert_true(memory_find(map, PAGE_SIZE - 1) == low);
    memory_set_priority(map, all, 1);
    g_assert_true(memory_find(map, UINT64_MAX) == all);
    g_assert_true(memory_find(map, 1) == all);
    g_assert_true(memory_find(map, 0) == low);
    memory_map_free(map);
}

/* ---- DMA ---- */

/* A transfer goes where the map leads, part by part; what is covered stays as it was. */
static void test_dma(void)
{
    MemoryMap *map = memory_map_new();
    MemRegion *ram = memory_add_ram(map, "ram", WORLD, 4 * PAGE_SIZE, false, NULL);
    MemRegion *bar = memory_new_ram(map, "bar", PAGE_SIZE, false, NULL);
    uint8_t data[3 * PAGE_SIZE], back[3 * PAGE_SIZE];

    memory_set_priority(map, bar, 1);
    memory_move(map, bar, WORLD + PAGE_SIZE);
    memory_set_enabled(map, bar, true);
    memset(data, 0x5a, sizeof(data));
    g_assert_true(memory_write(map, WORLD + 0x800, data, 2 * PAGE_SIZE));
    g_assert_true(memory_read(map, WORLD, back, sizeof(back)));
    g_assert_cmpmem(back + 0x800, 2 * PAGE_SIZE, data, 2 * PAGE_SIZE);
    g_assert_cmphex(bar->page_flags[0], ==, PAGE_WRITTEN);
    g_assert_cmphex(ram->page_flags[1], ==, 0);
    g_assert_cmphex(ram->page_flags[2], ==, PAGE_WRITTEN);
    memory_move(map, bar, WORLD + 2 * PAGE_SIZE);
    g_assert_true(memory_read(map, WORLD + PAGE_SIZE, back, 2 * PAGE_SIZE));
    g_assert_cmpuint(back[0], ==, 0);
    g_assert_cmpuint(back[PAGE_SIZE], ==, 0x5a);
    memory_set_enabled(map, bar, false);
    g_assert_true(memory_read(map, WORLD + 2 * PAGE_SIZE, back, PAGE_SIZE));
    g_assert_cmpuint(back[0x7ff], ==, 0x5a);
    g_assert_cmpuint(back[0x800], ==, 0);
    memory_map_free(map);
}

/* ---- changes in the middle of an access ---- */

typedef struct Mover {
    MemoryMap *map;
    MemRegion *region;
    unsigned writes;
    bool remove, send;
} Mover;

static void mover_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Mover *m = opaque;

    m->writes++;
    if (m->send) {
        /* To itself: a chain without an end. */
        memory_io_write(m->map, m->region->base, 4, value);
    } else if (m->remove) {
        memory_remove(m->map, m->region);
        m->remove = false;
    } else {
        memory_move(m->map, m->region, value);
    }
}

static const MmioOps mover_ops = { .read = device_read, .write = mover_write, .min_size = 4,
                                   .max_size = 4 };

static void test_inside(void)
{
    Mover m = { .map = memory_map_new() };

    m.region = memory_add_mmio(m.map, "mover", 0x1000, 0x1000, &mover_ops, &m);
    g_assert_true(memory_io_write(m.map, 0x1004, 4, 0x5000));
    g_assert_false(memory_io_write(m.map, 0x1004, 4, 0x7000));
    /* Both halves of one access are the device's, wherever it goes. */
    g_assert_true(memory_io_write(m.map, 0x5000, 8, 0x9000000070000));
    g_assert_cmpuint(m.writes, ==, 3);
    g_assert_cmphex(m.region->base, ==, 0x90000);
    m.send = true;
    g_assert_true(memory_io_write(m.map, 0x90000, 4, 0));
    g_assert_cmpuint(m.writes, ==, 3 + 8);
    m.send = false;
    m.remove = true;
    g_assert_true(memory_io_write(m.map, 0x90000, 4, 0));
    g_assert_cmpuint(m.writes, ==, 3 + 8 + 1);
    g_assert_null(memory_find(m.map, 0x90000));
    memory_map_free(m.map);
}

/* ---- digests, save and load ---- */

typedef struct Pair {
    MemoryMap *map;
    MemRegion *ram, *bar, *device;
} Pair;

static void pair_open(Pair *p)
{
    p->map = memory_map_new();
    p->ram = memory_add_ram(p->map, "ram", WORLD, 4 * PAGE_SIZE, false, NULL);
    p->bar = memory_new_ram(p->map, "bar", 2 * PAGE_SIZE, false, NULL);
    p->device = memory_new_mmio(p->map, "device", 0x200, &device_ops, NULL);
}

static uint64_t digest_of(const Pair *p)
{
    Digest *d = digest_new();
    uint64_t value;

    memory_digest_all(p->map, d);
    value = digest_value(d);
    digest_free(d);
    return value;
}

static void test_state(void)
{
    GByteArray *out = g_byte_array_new();
    uint64_t before;
    ByteReader in;
    Pair a, b;

    pair_open(&a);
    pair_open(&b);
    memory_set_priority(a.map, a.bar, 3);
    memory_move(a.map, a.bar, WORLD + PAGE_SIZE);
    memory_set_enabled(a.map, a.bar, true);
    memory_set_priority(a.map, a.device, -7);
    memory_move(a.map, a.device, WORLD - 0x100);
    memory_set_enabled(a.map, a.device, true);
    before = digest_of(&a);
    g_assert_true(memory_write(a.map, WORLD + PAGE_SIZE, "hidden", 6));
    g_assert_cmphex(digest_of(&a), !=, before);
    before = digest_of(&a);
    /* A region that nobody sees is state, too. */
    memory_set_enabled(a.map, a.bar, false);
    g_assert_cmphex(digest_of(&a), !=, before);
    memory_move(a.map, a.bar, 0);
    g_assert_true(memory_save(a.map, out, NULL));

    memory_move(b.map, b.device, WORLD + 3 * PAGE_SIZE);
    memory_set_enabled(b.map, b.bar, true);
    byte_reader_init(&in, out->data, out->len);
    g_assert_true(memory_load(b.map, &in, NULL));
    g_assert_cmpuint(byte_reader_left(&in), ==, 0);
    g_assert_cmphex(digest_of(&b), ==, digest_of(&a));
    g_assert_cmpint(b.device->priority, ==, -7);
    g_assert_true(memory_find(b.map, WORLD - 1) == b.device);
    g_assert_true(memory_find(b.map, WORLD) == b.ram);
    g_assert_cmpmem(b.bar->host, 6, "hidden", 6);
    g_assert_false(b.bar->enabled);
    memory_map_free(a.map);
    memory_map_free(b.map);
    g_byte_array_unref(out);
}

/* Whatever a file says: a map, or an error. */
static void test_damaged(void)
{
    GByteArray *out = g_byte_array_new();
    Rng rng = { 1 };
    Pair a;

    pair_open(&a);
    g_assert_true(memory_write(a.map, WORLD + 5, "x", 1));
    g_assert_true(memory_save(a.map, out, NULL));
    for (unsigned n = 0; n < 3000; n++) {
        /* The places, mostly. */
        unsigned at = rng_below(&rng, rng_percent(&rng, 90) ? 130 : out->len);
        uint8_t *bytes = g_memdup2(out->data, out->len);
        size_t length = rng_percent(&rng, 10) ? at : out->len;
        Error *err = NULL;
        ByteReader in;
        Pair b;

        bytes[at] ^= (uint8_t)(1 + rng_below(&rng, 255));
        pair_open(&b);
        byte_reader_init(&in, bytes, length);
        g_assert_true(memory_load(b.map, &in, &err) == !err);
        error_free(err);
        memory_find(b.map, WORLD);
        memory_map_free(b.map);
        g_free(bytes);
    }
    memory_map_free(a.map);
    g_byte_array_unref(out);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/memory-map/random", test_random);
    g_test_add_func("/memory-map/ends", test_ends);
    g_test_add_func("/memory-map/dma", test_dma);
    g_test_add_func("/memory-map/inside", test_inside);
    g_test_add_func("/memory-map/state", test_state);
    g_test_add_func("/memory-map/damaged", test_damaged);
    return g_test_run();
}
