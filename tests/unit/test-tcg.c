/*
 * The shape of execution is invisible (docs/determinism.md, rule 8): one guest run by
 * interpreter and generated code, with units of 1 to 64 instructions, with and without links and
 * optimiser, with a small cache, and with slices of other lengths, ends in the same state.
 *
 * Guest instructions are random IR, chosen by the word in memory: stores to code change
 * it, for both CPUs that take turns. At fixed moments the outside interferes:
 * interrupts, DMA and debugger writes to code, TLB maintenance, translations that change
 * without it (the soft TLB's contents show), digests of dirty pages.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ir-random.h"
#include "accel/tcg/ir-info.h"
#include "accel/tcg/tcg-internal.h"

#define GUESTS 8
#define INSNS 4000
#define EVENT_PERIOD 61

typedef struct Guest {
    Machine *m;
    TcgContext *tcg;
    FakeCpu *cpus[2];
    FakeCpu *cpu;           /* the one that runs now */
    Timer timer;
    uint64_t seed;
} Guest;

/* ---- the guest's instructions ---- */

static uint64_t hot_target(IrGen *g)
{
    /* Rarely where nothing is. */
    return percent(g, 1) ? 0x1c000 : WORLD_BASE + below(g, 2) * PAGE_SIZE + 64 * below(g, 8);
}

static void guest_translate(FakeCpu *cpu, IrBuilder *b, uint64_t pc, const uint8_t *code,
                            unsigned code_bytes, unsigned max_insns)
{
    Guest *guest = cpu->opaque;
    uint32_t word;

    for (unsigned n = 0;; n++, pc += 4, code += 4) {
        IrGen g = { .b = b, .data_base = 0x13000, .data_mask = 0x1fff, .wild_percent = 2,
                    .code_percent = 15, .many_accesses = true, .fixed_space = true,
                    .target = hot_target };

        if (n == max_insns || 4 * n == code_bytes || b->full ||
            (n && vcpu_stop_before(&cpu->vcpu, pc))) {
            ir_jmp(b, pc);
            return;
        }
        memcpy(&word, code, 4);
        g.rng.state = fake_mix(fake_mix(guest->seed, word), pc);
        random_insn(&g, pc);
        if (percent(&g, 12)) {
            random_end(&g, pc + 4);
            return;
        }
    }
}

/* ---- the device ---- */

static uint64_t device_read(void *opaque, hwaddr offset, unsigned size)
{
    Guest *g = opaque;

    fake_note(g->cpu, offset, size);
    return g->cpu->trace;
}

static void device_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Guest *g = opaque;
    hwaddr to = WORLD_BASE + (value & 0x2ffc);

    fake_note(g->cpu, offset << 8 | size, value);
    switch (value & 3) {
    case 0:
        memory_write(g->m->memory, to, &value, 4);
        break;
    case 1:
        vcpu_set_irq_pending(&g->cpu->vcpu, true);
        break;
    case 2:
        timer_mod(&g->timer, clock_now(g->m->clock) + (value >> 8 & 31));
        break;
    default:
        g->cpu->vcpu.halted = 1;
        break;
    }
}

static const MmioOps device_ops = { .read = device_read, .write = device_write, .min_size = 1,
                                    .max_size = 8 };

static void device_timer(void *opaque)
{
    Guest *g = opaque;

    fake_note(g->cpu, 0x7700, 0);
    g->cpu->vcpu.slot[3] += 0x101;
    vcpu_set_irq_pending(&g->cpu->vcpu, true);
}

/* ---- what goes on outside ---- */

/*
 * Page tables of two levels, in a page that the guest writes as it writes others. Invalid ones are
 * rare, so that the guest gets on.
 */
#define GUEST_TABLES 0x14000
#define GROUP_PAGES 4

static bool guest_descriptor(Guest *g, uint64_t phys, unsigned shift, MmuResult *out,
                             uint64_t *value)
{
    g_assert_true(memory_read(g->m->memory, phys, value, 8));
    out->step[out->num_steps++] = (MmuStep){ .phys = phys, .shift = shift };
    out->fault = 0x40 + shift;
    return (*value & 0x3f) != 0x3f;
}

static bool guest_walk(FakeCpu *cpu, uint64_t vaddr, MmuAccess access, bool unpriv,
                       MmuResult *out)
{
    uint64_t page = (vaddr - WORLD_BASE) >> PAGE_BITS, group, leaf;
    Guest *g = cpu->opaque;

    if (!world_walk(cpu, vaddr, access, unpriv, out)) {
        return false;
    }
    if (vaddr < WORLD_BASE + GROUP_PAGES * PAGE_SIZE ||
        out->phys >= WORLD_RAM + WORLD_RAM_SIZE) {
        return true;
    }
    if (!guest_descriptor(g, GUEST_TABLES + 8 * (page / GROUP_PAGES), PAGE_BITS + 2, out,
                          &group) ||
        !guest_descriptor(g, GUEST_TABLES + (group & 8 ? 0x40 : 0x80) + 8 * page, PAGE_BITS, out,
                          &leaf)) {
        return false;
    }
    if (leaf & 0x40) {
        out->phys = WORLD_RAM + (leaf >> 8 & 3) * PAGE_SIZE + GROUP_PAGES * PAGE_SIZE;
    }
    if ((leaf & 0x30) == 0x30) {
        out->attrs &= ~(uint32_t)TLB_WRITE;
        out->fault = 16;
        return access != MMU_WRITE;
    }
    return true;
}

static void digest_dirty(Guest *g)
{
    Digest *d = digest_new();

    memory_digest_dirty(g->m->memory, d, NULL);
    fake_note(g->cpu, 0x8800, digest_value(d));
    digest_free(d);
}

/* The same in every run of the guest. */
static void visible_event(Guest *g, Rng *r)
{
    Vcpu *vcpu = &g->cpu->vcpu;
    uint64_t value = rng_next(r), at = WORLD_BASE + (rng_next(r) & 0x3ffc);

    fake_note(g->cpu, 0x9900, vcpu->pc);
    g->cpu = g->cpus[rng_below(r, 2)];
    vcpu = &g->cpu->vcpu;
    switch (rng_below(r, 8)) {
    case 0: case 1: vcpu_set_irq_pending(vcpu, true); break;
    case 2: memory_write(g->m->memory, at, &value, 1 + (value & 7)); break;
    case 3: vcpu_poke(vcpu, at, &value, 1 + (value & 7)); break;
    case 4: case 5:
        at = GUEST_TABLES + 8 * (value >> 32 & 31);
        memory_write(g->m->memory, at, &value, 8);
        break;
    case 6:
        g->cpu->key.asid = g->cpu->unpriv_key.asid = value % 40;
        g->cpu->mode = value >> 8 & 1;
        fake_space_changed(g->cpu);
        break;
    default: digest_dirty(g); break;
    }
}

/* Whatever happens here leaves no trace. */
static void invisible_event(Guest *g, Rng *r)
{
    uint8_t bytes[64];

    switch (rng_below(r, 12)) {
    case 0: tcg_flush(g->tcg); break;
    case 1: tcg_flush_tlb(g->tcg); break;
    case 5: memory_clean(g->m->memory, PAGE_DIRTY_SNAPSHOT, NULL, NULL); break;
    case 2: vcpu_peek(&g->cpu->vcpu, WORLD_BASE + rng_below(r, 0x7fc0), bytes, 64); break;
    case 3:
        tcg_breakpoint_insert(g->tcg, WORLD_BASE + 64 * rng_below(r, 8));
        break;
    case 4: tcg_breakpoint_clear(g->tcg); break;
    default: break;
    }
}

/* ---- a run ---- */

static FakeCpu *guest_cpu(Guest *g, Rng *r)
{
    FakeCpu *cpu = fake_cpu_new(g->m);

    cpu->opaque = g;
    cpu->walk = guest_walk;
    cpu->translate = guest_translate;
    cpu->vcpu.pc = WORLD_BASE;
    for (unsigned n = 0; n < VCPU_MAX_SLOTS; n++) {
        cpu->vcpu.slot[n] = rng_value(r);
    }
    tcg_add_vcpu(g->tcg, &cpu->vcpu);
    return cpu;
}

static void guest_init(Guest *g, const TcgConfig *config, uint64_t seed)
{
    Rng r = { seed };
    Error *err = NULL;

    *g = (Guest){ .m = machine_new(NULL), .seed = seed };
    world_init(g->m, &device_ops, g);
    clock_use_icount(g->m->clock, 0);
    timer_init(&g->timer, g->m->clock, device_timer, g, "test");
    for (hwaddr at = 0; at < WORLD_RAM_SIZE; at += 8) {
        uint64_t value = rng_next(&r);

        g_assert_true(memory_write(g->m->memory, WORLD_RAM + at, &value, 8));
    }
    g->tcg = tcg_new(g->m, config, &err);
    g_assert_nonnull(g->tcg);
    for (unsigned n = 0; n < 2; n++) {
        g->cpus[n] = guest_cpu(g, &r);
    }
    g->cpu = g->cpus[0];
}

static void guest_free(Guest *g)
{
    tcg_free(g->tcg);
    free(g->cpus[0]);
    free(g->cpus[1]);
    machine_free(g->m);
}

static void digest_cpu(FakeCpu *cpu, Digest *d)
{
    const Vcpu *vcpu = &cpu->vcpu;

    digest_update(d, vcpu->slot, sizeof(vcpu->slot));
    digest_u64(d, vcpu->pc);
    digest_u64(d, vcpu->excl_addr);
    digest_u64(d, nzcv_unpack(vcpu->nzcv));
    digest_update(d, cpu->v, sizeof(cpu->v));
    digest_update(d, cpu->env, sizeof(cpu->env));
    digest_u64(d, cpu->fpsr);
    digest_u64(d, cpu->trace);
}

static uint64_t guest_digest(Guest *g)
{
    Digest *d = digest_new();
    uint64_t value;

    digest_cpu(g->cpus[0], d);
    digest_cpu(g->cpus[1], d);
    memory_digest_all(g->m->memory, d);
    value = digest_value(d);
    digest_free(d);
    return value;
}

/* One slice, up to the next event or timer; `shape` says how long, and more. */
static int64_t guest_slice(Guest *g, int64_t done, int64_t next_event, Rng *shape)
{
    Vcpu *vcpu = &g->cpu->vcpu;
    int64_t until = clock_icount_until(g->m->clock, clock_next_deadline(g->m->clock));
    int64_t slice = 1 + rng_below(shape, 100);

    slice = MIN(MIN(until, next_event - done), slice);
    vcpu->halted = 0;
    vcpu->left = slice;
    clock_set_slice(g->m->clock, done + slice, &vcpu->left);
    if (tcg_run(g->tcg, vcpu) == TCG_STOP_DEBUG) {
        vcpu->skip_breakpoint = true;
    }
    g_assert_cmpint(vcpu->left, >=, 0);
    done += slice - vcpu->left;
    vcpu->left = 0;
    clock_set_slice(g->m->clock, done, &vcpu->left);
    return done;
}

static uint64_t guest_run(Guest *g, uint64_t shape_seed, int64_t insns)
{
    Rng shape = { shape_seed }, events = { g->seed ^ 0x5555 };
    int64_t done = 0, next_event = EVENT_PERIOD;

    while (done < insns) {
        clock_run_timers(g->m->clock);
        if (done == next_event) {
            next_event += 1 + rng_below(&events, 2 * EVENT_PERIOD);
            visible_event(g, &events);
        }
        invisible_event(g, &shape);
        done = guest_slice(g, done, MIN(next_event, insns), &shape);
    }
    return guest_digest(g);
}

static const TcgConfig configs[] = {
    { .interp = true },
    { .interp = true, .unit_insns = 1 },
    { .interp = true, .unit_insns = 7, .no_opt = true },
    { .unit_insns = 64 },
    { .unit_insns = 1 },
    { .unit_insns = 7 },
    { .unit_insns = 64, .no_link = true },
    { .unit_insns = 64, .no_opt = true },
    { .unit_insns = 3, .no_opt = true, .no_link = true },
    /* Flushed again and again. */
    { .unit_insns = 64, .cache_bytes = 64 << 10 },
    /* Soft TLBs of other shapes, that forget and prefetch at random. */
    { .unit_insns = 64, .tlb_ways = 1, .tlb_entries = 16 },
    { .unit_insns = 64, .tlb_ways = 8, .tlb_entries = 16 },
    { .unit_insns = 7, .tlb_ways = 4, .tlb_entries = 65536, .tlb_chaos = 1 },
    { .unit_insns = 64, .tlb_chaos = 0x123456789abcdef },
    { .interp = true, .tlb_ways = 1, .tlb_entries = 32, .tlb_chaos = 77 },
};

/* The state in words, for a failure. */
static void guest_describe(Guest *g, GString *out)
{
    const Vcpu *vcpu = &g->cpu->vcpu;
    Digest *memory = digest_new();

    memory_digest_all(g->m->memory, memory);
    g_string_append_printf(out, "pc %" PRIx64 " nzcv %x trace %" PRIx64 " excl %" PRIx64
                           " memory %" PRIx64 "\n", vcpu->pc,
                           nzcv_unpack(vcpu->nzcv), g->cpu->trace, vcpu->excl_addr,
                           digest_value(memory));
    for (unsigned n = 0; n < VCPU_MAX_SLOTS; n++) {
        g_string_append_printf(out, "%" PRIx64 "%c", vcpu->slot[n], n % 8 == 7 ? '\n' : ' ');
    }
    for (unsigned n = 0; n < FAKE_ENV_WORDS; n++) {
        g_string_append_printf(out, "%" PRIx64 " ", g->cpu->env[n]);
    }
    for (unsigned n = 0; n < 2 * FAKE_VREGS; n++) {
        g_string_append_printf(out, "%" PRIx64 " ", g->cpu->v[n / 2].d[n % 2]);
    }
    g_string_append_c(out, '\n');
    digest_free(memory);
}

static uint64_t run_config(unsigned config, uint64_t seed, int64_t insns, GString *describe)
{
    TcgConfig c = configs[config];
    uint64_t digest;
    Guest g;

    if (!c.cache_bytes) {
        c.cache_bytes = 8 << 20;
    }
    guest_init(&g, &c, seed);
    digest = guest_run(&g, seed * 100 + config, insns);
    if (describe) {
        guest_describe(&g, describe);
    }
    guest_free(&g);
    return digest;
}

/* Finds the first count of instructions after which the two differ. */
static void report(unsigned config, uint64_t seed)
{
    int64_t good = 0, bad = INSNS;
    GString *text = g_string_new(NULL);

    while (bad - good > 1) {
        int64_t mid = (good + bad) / 2;

        if (run_config(config, seed, mid, NULL) == run_config(0, seed, mid, NULL)) {
            good = mid;
        } else {
            bad = mid;
        }
    }
    g_string_append_printf(text, "guest %" PRIu64 ": configuration %u differs after %" PRId64
                           " instructions\n", seed, config, bad);
    run_config(0, seed, good, text);
    run_config(0, seed, bad, text);
    run_config(config, seed, bad, text);
    g_error("%s", text->str);
}

static void run_guests(uint64_t first, uint64_t count)
{
    for (uint64_t seed = first; seed < first + count; seed++) {
        uint64_t digest = run_config(0, seed, INSNS, NULL);

        for (unsigned n = 1; n < ARRAY_SIZE(configs); n++) {
            if (run_config(n, seed, INSNS, NULL) != digest) {
                report(n, seed);
            }
        }
    }
}

static void test_shapes(void)
{
    run_guests(1, GUESTS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (rng_hunt("TCG_GUESTS", run_guests)) {
        return 0;
    }
    g_test_add_func("/tcg/shapes", test_shapes);
    return g_test_run();
}
