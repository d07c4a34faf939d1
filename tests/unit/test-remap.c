/*
 * A memory map that changes under a guest's feet, in every shape of execution: code that takes
 * itself away, page tables and data in memory that a device moves, covers, replaces; DMA to
 * wherever the map leads. What the guest computes of all that it sees is the same in each shape.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "loop-machine.h"
#include "rng.h"
#include <glib/gstdio.h>
#include <unistd.h>

#define SWITCH 0x09100000ull
#define WINDOW(n) (0x50000000ull + 0x10000 * (n))
#define BANK_SIZE 0x8000u
#define OVERLAID (RAM + 0x180000)

/*
 * X20 is a random number, X21 the sum of what was seen, X22 counts exceptions. X9 is the device,
 * X11 and X12 the windows, X13 an address whose tables are in the first window.
 */
static const uint32_t program[] = {
    0x10004001,     /* 000: adr x1, 800 */
    0xd518c001,     /*      msr vbar_el1, x1 */
    0xd2a12209,     /*      mov x9, #0x09100000 */
    0xd2a8000a,     /*      mov x10, #0x40000000 */
    0xd2aa000b,     /* 010: mov x11, #0x50000000 */
    0xd2aa002c,     /*      mov x12, #0x50010000 */
    0xd2b0000d,     /*      mov x13, #0x80000000 */
    0x9141014e,     /*      add x14, x10, #0x40, lsl #12 */
    0xd2888001,     /* 020: mov x1, #0x4400 */
    0xd518a201,     /*      msr mair_el1, x1 */
    0xd286a321,     /*      mov x1, #0x3519 */
    0xf2c00021,     /*      movk x1, #0x1, lsl #32 */
    0xd5182041,     /* 030: msr tcr_el1, x1 */
    0xd518200e,     /*      msr ttbr0_el1, x14 */
    0xd2808021,     /*      mov x1, #0x401 */
    0xf90001c1,     /*      str x1, [x14] */
    0xd280e0a1,     /* 040: mov x1, #0x705 */
    0xaa010142,     /*      orr x2, x10, x1 */
    0xf90005c2,     /*      str x2, [x14, #8] */
    0x91401d62,     /*      add x2, x11, #0x7, lsl #12 */
    0xb2400442,     /* 050: orr x2, x2, #0x3 */
    0xf90009c2,     /*      str x2, [x14, #16] */
    0xd5033fdf,     /*      isb */
    0xd5381001,     /*      mrs x1, sctlr_el1 */
    0xb2400021,     /* 060: orr x1, x1, #0x1 */
    0xd5181001,     /*      msr sctlr_el1, x1 */
    0xd5033fdf,     /*      isb */
    0x58000719,     /*      ldr x25, 14c */
    0x1800073a,     /* 070: ldr w26, 154 */
    0x9b196694,     /*      madd x20, x20, x25, x25 */
    0xcad546b5,     /*      eor x21, x21, x21, ror #17 */
    0xd368fe81,     /*      lsr x1, x20, #40 */
    0xb9000121,     /* 080: str w1, [x9] */
    0xd35efe82,     /*      lsr x2, x20, #30 */
    0x927d0442,     /*      and x2, x2, #0x18 */
    0x8b020d63,     /*      add x3, x11, x2, lsl #3 */
    0xd63f0060,     /* 090: blr x3 */
    0x927d2822,     /*      and x2, x1, #0x3ff8 */
    0x91400563,     /*      add x3, x11, #0x1, lsl #12 */
    0xf8626864,     /*      ldr x4, [x3, x2] */
    0x8b0402b5,     /* 0a0: add x21, x21, x4 */
    0xf8226875,     /*      str x21, [x3, x2] */
    0x91400583,     /*      add x3, x12, #0x1, lsl #12 */
    0xf8626864,     /*      ldr x4, [x3, x2] */
    0x8b0402b5,     /* 0b0: add x21, x21, x4 */
    0xf8226874,     /*      str x20, [x3, x2] */
    0x914401a3,     /*      add x3, x13, #0x100, lsl #12 */
    0xf8626864,     /*      ldr x4, [x3, x2] */
    0x8b0402b5,     /* 0c0: add x21, x21, x4 */
    0xf8226875,     /*      str x21, [x3, x2] */
    0xb6900094,     /*      tbz x20, #50, d8 */
    0xd373fe82,     /*      lsr x2, x20, #51 */
    0xb376145a,     /* 0d0: bfi x26, x2, #10, #6 */
    0xb900097a,     /*      str w26, [x11, #8] */
    0xb6280114,     /*      tbz x20, #37, f8 */
    0x91401d62,     /*      add x2, x11, #0x7, lsl #12 */
    0xf9400444,     /* 0e0: ldr x4, [x2, #8] */
    0xd2400084,     /*      eor x4, x4, #0x1 */
    0xf9000444,     /*      str x4, [x2, #8] */
    0x914c41a3,     /*      add x3, x13, #0x310, lsl #12 */
    0xf9400064,     /* 0f0: ldr x4, [x3] */
    0x8b0402b5,     /*      add x21, x21, x4 */
    0xb6480134,     /*      tbz x20, #41, 11c */
    0xb9000521,     /*      str w1, [x9, #4] */
    0x91460142,     /* 100: add x2, x10, #0x180, lsl #12 */
    0x913ff045,     /*      add x5, x2, #0xffc */
    0xf94000a4,     /*      ldr x4, [x5] */
    0x8b0402b5,     /*      add x21, x21, x4 */
    0xa95f9444,     /* 110: ldp x4, x5, [x2, #504] */
    0x8b0502b5,     /*      add x21, x21, x5 */
    0xf9040055,     /*      str x21, [x2, #2048] */
    0xb6600054,     /*      tbz x20, #44, 124 */
    0xb9000921,     /* 120: str w1, [x9, #8] */
    0x92540e82,     /*      and x2, x20, #0xf00000000000 */
    0xb50000a2,     /*      cbnz x2, 13c */
    0xb9000d3f,     /*      str wzr, [x9, #12] */
    0xd2740129,     /* 130: eor x9, x9, #0x1000 */
    0xb9400124,     /*      ldr w4, [x9] */
    0x8b0402b5,     /*      add x21, x21, x4 */
    0x925c1282,     /*      and x2, x20, #0x1f000000000 */
    0xb5fff9a2,     /* 140: cbnz x2, 74 */
    0xb9001121,     /*      str w1, [x9, #16] */
    0x17ffffcb,     /*      b 74 */
    0x4c957f2d,     /*      (data) */
    0x5851f42d,     /* 150: (data) */
    0x910002b5,     /*      (data) */
    [0xa00 / 4] = 0xd5386005, /* a00: mrs x5, far_el1 */
    0xd5385206,     /*      mrs x6, esr_el1 */
    0x8b0502b5,     /*      add x21, x21, x5 */
    0xcac626b5,     /*      eor x21, x21, x6, ror #9 */
    0xd5384026,     /* a10: mrs x6, elr_el1 */
    0x8b0602b5,     /*      add x21, x21, x6 */
    0x910006d6,     /*      add x22, x22, #0x1 */
    0xb9001521,     /*      str w1, [x9, #20] */
    0x10ffb2a6,     /* a20: adr x6, 74 */
    0xd5184026,     /*      msr elr_el1, x6 */
    0xd69f03e0,     /*      eret */
};

/* What is at the start of both banks; the first word is changed by the guest and by DMA. */
static const uint32_t bank_code[] = {
    0x910006b5,     /* 000: add x21, x21, #0x1 */
    0xcad50eb5,     /*      eor x21, x21, x21, ror #3 */
    0x91000ab5,     /*      add x21, x21, #0x2 */
    0xd65f03c0,     /*      ret */
    [0x40 / 4] = 0x13811424, /* 040: ror w4, w1, #5 */
    0xb9000124,     /*      str w4, [x9] */
    0x91000eb5,     /*      add x21, x21, #0x3 */
    0xcad516b5,     /*      eor x21, x21, x21, ror #5 */
    0x910006f7,     /* 050: add x23, x23, #0x1 */
    0xd65f03c0,     /*      ret */
    [0x80 / 4] = 0xb9000521, /* 080: str w1, [x9, #4] */
    0x910016b5,     /*      add x21, x21, #0x5 */
    0xf9410164,     /*      ldr x4, [x11, #512] */
    0x8b0402b5,     /*      add x21, x21, x4 */
    0xf9020175,     /* 090: str x21, [x11, #1024] */
    0xd65f03c0,     /*      ret */
    [0xc0 / 4] = 0x13811c24, /* 0c0: ror w4, w1, #7 */
    0xb9000924,     /*      str w4, [x9, #8] */
    0xd503201f,     /*      nop */
    0x91001eb5,     /*      add x21, x21, #0x7 */
    0xb9400124,     /* 0d0: ldr w4, [x9] */
    0x8b0402b5,     /*      add x21, x21, x4 */
    0x17ffffdb,     /*      b 44 */
};

/* ---- the device ---- */

typedef struct Switch {
    Machine *m;
    MemoryMap *map;
    uint64_t limit;             /* writes before it switches off; 0: none */
    uint64_t writes;
    MemRegion *self, *overlay, *bank[3];
    uint64_t trace;
    unsigned replaced, refused, moved, overlay_reads;
} Switch;

static void mix(Switch *s, uint64_t value)
{
    s->trace = (s->trace ^ value) * 0x9e3779b97f4a7c15u;
    s->trace ^= s->trace >> 31;
}

/* Its code, an L2 table in the last page, and in each other word what nobody else has. */
static void fill_bank(Switch *s, unsigned n, size_t offset)
{
    MemRegion *r = s->bank[n];
    uint8_t *host = r->host + offset;
    uint64_t *words = (uint64_t *)(void *)host;
    uint64_t block = (RAM + (n ? 0 : 0x200000)) | 0x705;

    memory_mark_written(s->map, r, r->base + offset, BANK_SIZE);
    for (unsigned i = 0; i < BANK_SIZE / 8; i++) {
        words[i] = (i + s->replaced) * 0x9e3779b97f4a7c15u << 8 | n;
    }
    memcpy(host, bank_code, sizeof(bank_code));
    memset(host + 0x7000, 0, PAGE_SIZE);
    words[0x7000 / 8] = block;
    words[0x7008 / 8] = n ? block - 1 : block;
}

static void make_bank(Switch *s, unsigned n)
{
    s->bank[n] = memory_new_ram(s->map, n ? "bank1" : "bank0", BANK_SIZE, false, NULL);
    fill_bank(s, n, 0);
    memory_move(s->map, s->bank[n], WINDOW(n));
    memory_set_enabled(s->map, s->bank[n], true);
}

/* Below both windows: what is there when the banks are away. */
static void make_floor(Switch *s)
{
    s->bank[2] = memory_new_ram(s->map, "floor", 0x20000, false, NULL);
    fill_bank(s, 2, 0);
    fill_bank(s, 2, 0x10000);
    memory_set_priority(s->map, s->bank[2], -1);
    memory_move(s->map, s->bank[2], WINDOW(0));
    memory_set_enabled(s->map, s->bank[2], true);
}

static void default_map(Switch *s)
{
    for (unsigned n = 0; n < 2; n++) {
        memory_set_priority(s->map, s->bank[n], 0);
        memory_move(s->map, s->bank[n], WINDOW(n));
        memory_set_enabled(s->map, s->bank[n], true);
    }
    memory_set_enabled(s->map, s->bank[2], true);
}

/* A bank: to which window, one page on maybe, before or behind the other, or away. */
static void place(Switch *s, uint32_t v)
{
    MemRegion *r = s->bank[v & 1];

    memory_set_priority(s->map, r, (int32_t)(v >> 2 & 3));
    memory_move(s->map, r, WINDOW(v >> 1 & 1) + ((v >> 5 & 3) == 3 ? PAGE_SIZE : 0));
    memory_set_enabled(s->map, r, v >> 7 & 3);
    memory_set_enabled(s->map, s->bank[2], v >> 9 & 7);
}

/* Registers over a part of a page of data or code, or over the border of two pages. */
static void lay_over(Switch *s, uint32_t v)
{
    const hwaddr where[] = { OVERLAID + 0x200, OVERLAID + 0xe00, OVERLAID + 0xf00,
                             WINDOW(0) + 0x200, WINDOW(0) };

    memory_set_priority(s->map, s->overlay, v >> 4 & 3);
    memory_move(s->map, s->overlay, where[v % 5]);
    memory_set_enabled(s->map, s->overlay, v >> 6 & 3);
}

static void transfer(Switch *s, uint32_t v)
{
    const uint32_t insn = 0x910002b5 | (v >> 8 & 63) << 10;
    uint64_t word = (uint64_t)v << 20;
    bool ok;

    switch (v & 3) {
    case 0:
        ok = memory_write(s->map, WINDOW(0) + 0x1000 + (v & 0x3ff8), &word, 8);
        break;
    case 1:
        ok = memory_write(s->map, WINDOW(0) + 8, &insn, 4);
        break;
    case 2:
        word = (RAM + (v & 4 ? 0 : 0x200000)) | 0x705;
        ok = memory_write(s->map, WINDOW(0) + 0x7000, &word, 8);
        break;
    default:
        ok = memory_read(s->map, WINDOW(1) + 0x1000 + (v & 0x3ff8), &word, 8);
        mix(s, ok ? word : 0);
        break;
    }
    s->refused += !ok;
}

static void replace_bank(Switch *s, unsigned n)
{
    memory_remove(s->map, s->bank[n]);
    s->replaced++;
    make_bank(s, n);
}

static uint64_t switch_read(void *opaque, hwaddr offset, unsigned size)
{
    Switch *s = opaque;

    mix(s, offset);
    return s->trace;
}

static void switch_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Switch *s = opaque;
    uint32_t v = (uint32_t)value;

    mix(s, value ^ offset);
    if (++s->writes == s->limit) {
        machine_request_shutdown(s->m, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    }
    switch (offset) {
    case 0x00: place(s, v); break;
    case 0x04: lay_over(s, v); break;
    case 0x08: transfer(s, v); break;
    case 0x0c:
        s->moved++;
        memory_move(s->map, s->self, s->self->base ^ PAGE_SIZE);
        break;
    case 0x10: replace_bank(s, v & 1); break;
    case 0x14: default_map(s); break;
    default: break;
    }
}

static const MmioOps switch_ops = { .read = switch_read, .write = switch_write, .min_size = 4,
                                    .max_size = 4 };

/* Reads have an effect, so one too many shows. */
static uint64_t overlay_read(void *opaque, hwaddr offset, unsigned size)
{
    Switch *s = opaque;

    s->overlay_reads++;
    mix(s, offset << 8 | size);
    return s->trace;
}

static void overlay_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    mix(opaque, value ^ offset);
}

static const MmioOps overlay_ops = { .read = overlay_read, .write = overlay_write, .min_size = 1,
                                     .max_size = 8 };

static void switch_add(Switch *s, Machine *m)
{
    s->m = m;
    s->map = m->memory;
    s->self = memory_add_mmio(s->map, "switch", SWITCH, PAGE_SIZE, &switch_ops, s);
    s->overlay = memory_new_mmio(s->map, "overlay", 0x200, &overlay_ops, s);
    make_bank(s, 0);
    make_bank(s, 1);
    make_floor(s);
}

/* ---- slices ---- */

#define LOOKS 25
#define LOOK_INSNS 5003

typedef struct Shape {
    ArmMachine a;
    Switch s;
    uint64_t look[LOOKS];       /* what a check compares */
    uint64_t end;
} Shape;

static uint64_t shape_look(Shape *r, bool all)
{
    Vcpu *cpu = &r->a.cpu[0]->vcpu;
    Digest *d = digest_new();
    uint64_t value;

    cpu->ops->digest(cpu, d);
    digest_u64(d, r->s.trace);
    if (all) {
        memory_digest_all(r->a.m->memory, d);
    } else {
        memory_digest_dirty(r->a.m->memory, d, NULL);
    }
    value = digest_value(d);
    digest_free(d);
    return value;
}

/* Nothing is derived from a page that is not where it says. */
static void check_pages(MemRegion *region, void *opaque)
{
    const uint8_t engine = PAGE_CODE | PAGE_TABLE | PAGE_WRITE_CACHED;
    MemoryMap *map = opaque;
    bool whole;

    for (hwaddr n = 0; region->host && n < region->size >> PAGE_BITS; n++) {
        g_assert_true(!(region->page_flags[n] & engine) ||
                      memory_find_page(map, region->base + (n << PAGE_BITS), &whole) == region);
    }
}

/* In slices of any length: where they end makes no difference. */
static void shape_run_slices(Shape *r, Rng *rng)
{
    int64_t left = LOOK_INSNS;

    while (left) {
        int64_t any = 1 + rng_below(rng, 3000), slice = MIN(left, any);

        arm_machine_run_all(&r->a, slice);
        left -= slice;
    }
}

static void shape_run(Shape *r, const TcgConfig *shape, uint64_t seed)
{
    Rng rng = { seed + 100 };

    *r = (Shape){ 0 };
    arm_machine_new(&r->a, NULL, program, sizeof(program));
    switch_add(&r->s, r->a.m);
    arm_machine_start(&r->a, shape, 1);
    r->a.cpu[0]->vcpu.slot[20] = seed;
    for (unsigned n = 0; n < LOOKS; n++) {
        shape_run_slices(r, &rng);
        memory_foreach(r->s.map, check_pages, r->s.map);
        r->look[n] = shape_look(r, false);
    }
    r->end = shape_look(r, true);
}

static void shape_free(Shape *r)
{
    arm_machine_free(&r->a);
}

static const TcgConfig shapes[] = {
    { .unit_insns = 64 }, { .unit_insns = 1 }, { .unit_insns = 7, .no_link = true },
    { .unit_insns = 64, .no_opt = true }, { .interp = true, .unit_insns = 7 },
    { .unit_insns = 64, .tlb_chaos = 5 }, { .interp = true, .tlb_chaos = 6 },
    { .unit_insns = 64, .tlb_ways = 1, .tlb_entries = 16 }, { .tlb_ways = 8, .tlb_entries = 65536 },
};

static void test_shapes(void)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        Shape first, r;

        shape_run(&first, &shapes[0], seed);
        /* All of it has happened. */
        g_test_message("%" PRIu64 " exceptions, %" PRIu64 " moves from inside, %u banks replaced, "
                       "%u transfers refused, %u moves of the device, %u registers over memory read",
                       arm_x(&first.a, 22), arm_x(&first.a, 23), first.s.replaced,
                       first.s.refused, first.s.moved, first.s.overlay_reads);
        g_assert_cmpuint(arm_x(&first.a, 22), >, 20);
        g_assert_cmpuint(arm_x(&first.a, 23), >, 20);
        g_assert_cmpuint(first.s.replaced, >, 5);
        g_assert_cmpuint(first.s.refused, >, 5);
        g_assert_cmpuint(first.s.moved, >, 5);
        g_assert_cmpuint(first.s.overlay_reads, >, 20);
        for (unsigned n = 1; n < ARRAY_SIZE(shapes); n++) {
            shape_run(&r, &shapes[n], seed);
            g_assert_cmpmem(r.look, sizeof(r.look), first.look, sizeof(first.look));
            g_assert_cmphex(r.end, ==, first.end);
            shape_free(&r);
        }
        shape_free(&first);
    }
}

/* ---- under the execution loop ---- */

static RunConfig loop_config(unsigned shape)
{
    return (RunConfig){ .tcg = shapes[shape], .exec = { .icount = true }, .program = program,
                        .bytes = sizeof(program) };
}

/* To the same moment each time. */
static ExecResult loop_run(const RunConfig *c)
{
    Switch s = { .limit = 6000 };
    ExecResult result;
    Run r;

    run_open(&r, c);
    switch_add(&s, r.a.m);
    run_start(&r);
    result = run_join(&r);
    g_assert_cmpint(result.cause, ==, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    g_assert_false(replay_failed(r.replay));
    g_assert_true(result.digest_valid);
    run_close(&r);
    return result;
}

/* Saved, taken apart and loaded at random moments: where everything is comes back, too. */
static void test_state(void)
{
    RunConfig c = loop_config(0);
    ExecResult calm = loop_run(&c), result;

    g_assert_cmpuint(calm.icount, >, 30000);
    for (unsigned n = 0; n < ARRAY_SIZE(shapes); n += 2) {
        c = loop_config(n);
        c.exec.state_chaos = n + 1;
        c.exec.state_chaos_period = 1500;
        result = loop_run(&c);
        g_assert_cmpuint(result.icount, ==, calm.icount);
        g_assert_cmphex(result.digest, ==, calm.digest);
    }
}

static void test_replay(void)
{
    g_autofree char *path = g_strdup_printf("%s/rearm-remap-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());
    RunConfig c = loop_config(0);
    ExecResult recorded, result;

    c.replay = (ReplayConfig){ .mode = REPLAY_MODE_RECORD, .file = path,
                               .check = REPLAY_CHECK_DIGEST, .check_period = 700 };
    recorded = loop_run(&c);
    for (unsigned n = 0; n < ARRAY_SIZE(shapes); n++) {
        c = loop_config(n);
        c.replay = (ReplayConfig){ .mode = REPLAY_MODE_PLAY, .file = path };
        result = loop_run(&c);
        g_assert_cmpuint(result.icount, ==, recorded.icount);
        g_assert_cmphex(result.digest, ==, recorded.digest);
    }
    g_unlink(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/remap/shapes", test_shapes);
    g_test_add_func("/remap/state", test_state);
    g_test_add_func("/remap/replay", test_replay);
    return g_test_run();
}
