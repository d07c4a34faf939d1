/*
 * The code generator against the interpreter: random units run from the same CPU
 * state by both, optimised and not, with links and without. CPU state, memory,
 * instructions left and the kind of exit have to be equal; after a bail-out the
 * state has to be that of the start of an instruction. A unit that fails is made
 * as small as it will go and printed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ir-random.h"
#include "accel/tcg/backend.h"
#include "accel/tcg/ir-info.h"
#include "accel/tcg/opt/opt.h"
#include "accel/tcg/units.h"
#include "accel/tcg/x86_64/gen.h"

#define SEEDS 10000
#define MAX_LEFT 4000
#define UNIT_PC 0x10000

typedef struct World {
    Machine *m;
    TcgContext *tcg;
    FakeCpu *cpu;
    uint8_t *ram, *rom, *device_ram;
    uint64_t bails, units;
    uint64_t device_accesses;   /* of the present run */
    uint64_t device_runs;       /* of generated code, with accesses to the device in it */
} World;

/* All that a unit may read and change. */
typedef struct State {
    uint64_t slot[VCPU_MAX_SLOTS];
    uint64_t pc, excl_addr, excl_val[2];
    int64_t left;
    uint32_t nzcv, exit_request;
    uint64_t v[FAKE_VREGS][2];
    uint64_t env[FAKE_ENV_WORDS];
    uint32_t fpcr, fpsr;
    uint64_t trace;
    uint32_t asid;
    unsigned aborts, alignments, externals;
    uint8_t ram[WORLD_RAM_SIZE], rom[PAGE_SIZE], device_ram[PAGE_SIZE];
} State;

typedef enum How {
    HOW_OPT = 1,
    HOW_LINK = 2,
    HOW_INTERP = 4,
    HOW_OLD_HOST = 8,       /* without LZCNT, with at most SSE4.2 */
} How;

/* ---- the machine ---- */

static uint64_t device_read(void *opaque, hwaddr offset, unsigned size)
{
    World *w = opaque;
    FakeCpu *cpu = w->cpu;

    w->device_accesses++;
    fake_note(cpu, offset, size);
    return cpu->trace;
}

static void device_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    World *w = opaque;
    FakeCpu *cpu = w->cpu;

    w->device_accesses++;
    fake_note(cpu, offset << 8 | size, value);
}

static const MmioOps device_ops = { .read = device_read, .write = device_write, .min_size = 1,
                                    .max_size = 8 };

/*
 * The one instruction that mmu_io() wants at hand: it has one access, as those of the
 * units have. Nobody here makes it run.
 */
static void translate(FakeCpu *cpu, IrBuilder *b, uint64_t pc, const uint8_t *code,
                      unsigned code_bytes, unsigned max_insns)
{
    ir_insn(b, pc);
    ir_ld(b, MEM_64, ir_const(b, WORLD_MMIO));
    ir_exit_main(b, pc);
}

static void world_open(World *w)
{
    const TcgConfig config = { .cache_bytes = 4 << 20 };
    Error *err = NULL;

    *w = (World){ .m = machine_new(NULL) };
    world_init(w->m, &device_ops, w);
    w->ram = memory_find(w->m->memory, WORLD_RAM)->host;
    w->rom = memory_find(w->m->memory, WORLD_ROM)->host;
    w->device_ram = memory_find(w->m->memory, WORLD_DEVICE_RAM)->host;
    clock_use_icount(w->m->clock, 0);
    w->cpu = fake_cpu_new(w->m);
    w->cpu->walk = world_walk;
    w->cpu->translate = translate;
    w->tcg = tcg_new(w->m, &config, &err);
    g_assert_nonnull(w->tcg);
    tcg_add_vcpu(w->tcg, &w->cpu->vcpu);
    clock_set_slice(w->m->clock, MAX_LEFT, &w->cpu->vcpu.left);
}

static void world_close(World *w)
{
    tcg_free(w->tcg);
    free(w->cpu);
    machine_free(w->m);
}

static void state_random(State *s, Rng *r, unsigned insns)
{
    *s = (State){ .pc = UNIT_PC, .excl_addr = UINT64_MAX };
    for (unsigned n = 0; n < VCPU_MAX_SLOTS; n++) {
        s->slot[n] = rng_value(r);
    }
    for (unsigned n = 0; n < FAKE_ENV_WORDS; n++) {
        s->env[n] = rng_value(r);
    }
    for (unsigned n = 0; n < FAKE_VREGS; n++) {
        s->v[n][0] = rng_double(r);
        s->v[n][1] = rng_next(r);
    }
    s->fpcr = rng_percent(r, 10) ? (uint32_t)rng_next(r) & IR_FPCR_MODE : 0;
    s->fpsr = rng_percent(r, 50) ? IR_FPSR_IXC : 0;
    for (unsigned n = 0; n < 2; n++) {
        s->excl_val[n] = rng_value(r);
    }
    if (rng_percent(r, 50)) {
        s->excl_addr = WORLD_BASE + (rng_next(r) & 0x3ff8);
    }
    s->nzcv = (uint32_t)rng_next(r) & 0xf0000000u;
    for (unsigned n = 0; n < WORLD_RAM_SIZE; n += 256) {
        uint64_t value = rng_value(r);

        memcpy(s->ram + n, &value, 8);
    }
    memset(s->rom, 0x77, PAGE_SIZE);
    /* Mostly enough, sometimes one too few. */
    s->left = insns * (1 + rng_below(r, 4)) + rng_below(r, 6) - (rng_percent(r, 5) ? 1 : 0);
}

static void state_set(World *w, const State *s)
{
    Vcpu *vcpu = &w->cpu->vcpu;

    memcpy(vcpu->slot, s->slot, sizeof(s->slot));
    vcpu->pc = s->pc;
    vcpu->excl_addr = s->excl_addr;
    memcpy(vcpu->excl_val, s->excl_val, sizeof(s->excl_val));
    vcpu->left = s->left;
    vcpu->nzcv = nzcv_pack(s->nzcv);
    vcpu->exit_request = s->exit_request;
    memcpy(w->cpu->v, s->v, sizeof(s->v));
    memcpy(w->cpu->env, s->env, sizeof(s->env));
    w->cpu->fpcr = s->fpcr;
    w->cpu->fpsr = s->fpsr;
    w->cpu->trace = s->trace;
    w->cpu->aborts = w->cpu->alignments = w->cpu->externals = 0;
    w->cpu->key.asid = w->cpu->unpriv_key.asid = s->asid;
    fake_space_changed(w->cpu);
    memcpy(w->ram, s->ram, sizeof(s->ram));
    memcpy(w->rom, s->rom, sizeof(s->rom));
    memcpy(w->device_ram, s->device_ram, sizeof(s->device_ram));
}

static void state_get(World *w, State *s)
{
    const Vcpu *vcpu = &w->cpu->vcpu;

    memset(s, 0, offsetof(State, ram));
    memcpy(s->slot, vcpu->slot, sizeof(s->slot));
    s->pc = vcpu->pc;
    s->excl_addr = vcpu->excl_addr;
    memcpy(s->excl_val, vcpu->excl_val, sizeof(s->excl_val));
    s->left = vcpu->left;
    s->nzcv = nzcv_unpack(vcpu->nzcv);
    s->exit_request = vcpu->exit_request;
    memcpy(s->v, w->cpu->v, sizeof(s->v));
    memcpy(s->env, w->cpu->env, sizeof(s->env));
    s->fpcr = w->cpu->fpcr;
    s->fpsr = w->cpu->fpsr;
    s->trace = w->cpu->trace;
    s->asid = w->cpu->key.asid;
    s->aborts = w->cpu->aborts;
    s->alignments = w->cpu->alignments;
    s->externals = w->cpu->externals;
    memcpy(s->ram, w->ram, sizeof(s->ram));
    memcpy(s->rom, w->rom, sizeof(s->rom));
    memcpy(s->device_ram, w->device_ram, sizeof(s->device_ram));
}

/* What differs first, or NULL. */
static char *state_diff(const State *got, const State *want)
{
#define DIFF(field) \
    if (got->field != want->field) { \
        return g_strdup_printf(#field " is 0x%" PRIx64 ", not 0x%" PRIx64, \
                               (uint64_t)got->field, (uint64_t)want->field); \
    }
    DIFF(left)
    DIFF(pc)
    for (unsigned n = 0; n < VCPU_MAX_SLOTS; n++) {
        if (got->slot[n] != want->slot[n]) {
            return g_strdup_printf("slot %u is 0x%" PRIx64 ", not 0x%" PRIx64, n, got->slot[n],
                                   want->slot[n]);
        }
    }
    DIFF(nzcv)
    DIFF(exit_request)
    DIFF(excl_addr)
    DIFF(excl_val[0])
    DIFF(excl_val[1])
    DIFF(asid)
    DIFF(aborts)
    DIFF(alignments)
    DIFF(externals)
    DIFF(fpcr)
    DIFF(fpsr)
    DIFF(trace)
#undef DIFF
    for (unsigned n = 0; n < 2 * FAKE_VREGS; n++) {
        if (got->v[n / 2][n % 2] != want->v[n / 2][n % 2]) {
            return g_strdup_printf("half %u of vector %u is 0x%" PRIx64 ", not 0x%" PRIx64, n % 2,
                                   n / 2, got->v[n / 2][n % 2], want->v[n / 2][n % 2]);
        }
    }
    if (memcmp(got->env, want->env, sizeof(got->env))) {
        return g_strdup("the environment differs");
    }
    if (memcmp(got->ram, want->ram, sizeof(got->ram)) ||
        memcmp(got->rom, want->rom, sizeof(got->rom)) ||
        memcmp(got->device_ram, want->device_ram, sizeof(got->device_ram))) {
        return g_strdup("memory differs");
    }
    return NULL;
}

/* ---- one unit ---- */

static void copy_unit(IrUnit *to, const IrUnit *from)
{
    to->num_insns = from->num_insns;
    to->num_values = from->num_values;
    to->num_guest_insns = from->num_guest_insns;
    to->pc = from->pc;
    memcpy(to->insns, from->insns, from->num_insns * sizeof(IrInsn));
    memcpy(to->const_of, from->const_of, (from->num_values + 1) * sizeof(uint64_t));
    memcpy(to->is_const, from->is_const, from->num_values + 1);
}

/*
 * The first `max` instructions as the interpreter has them, from `start`; a jump to the
 * unit's own start is followed.
 */
static InterpStop reference(World *w, const IrUnit *u, const State *start, unsigned max,
                            State *out)
{
    Vcpu *vcpu = &w->cpu->vcpu;
    InterpStop stop = INTERP_UNIT_END;

    state_set(w, start);
    while (stop == INTERP_UNIT_END && vcpu->pc == u->pc && start->left - vcpu->left < max) {
        stop = interp_run(vcpu, u, max - (unsigned)(start->left - vcpu->left));
    }
    state_get(w, out);
    return stop;
}

static void compile(World *w, const IrUnit *u, Unit *unit, How how)
{
    GenStubs *stubs, new_host;

    if (w->tcg->arena.size - w->tcg->arena.used < (1u << 20)) {
        units_flush(w->tcg);
    }
    stubs = gen_stubs(w->tcg);
    new_host = *stubs;
    if (how & HOW_OLD_HOST) {
        stubs->has_lzcnt = false;
        stubs->features &= u->num_insns & 1 ? GEN_HAS_SSE42 : 0;
    }
    *unit = (Unit){ .pc = u->pc, .num_insns = u->num_guest_insns };
    g_assert_true(w->tcg->backend->compile(w->tcg, &w->tcg->arena, u, unit, how & HOW_LINK));
    *stubs = new_host;
}

/* Generated code left with `exit`: is that, and the state, what the raw unit means? */
static char *check_exit(World *w, const IrUnit *raw, const State *start, uint64_t exit,
                        const State *got)
{
    unsigned kind = exit & EXIT_KIND_MASK;
    InterpStop stop, want_stop = kind == EXIT_KIND_MAIN ? INTERP_MAIN : INTERP_UNIT_END;
    State want;
    char *diff;

    if (kind == EXIT_KIND_LINK &&
        ((ExitRec *)(uintptr_t)(exit & ~(uint64_t)EXIT_KIND_MASK))->pc != got->pc) {
        return g_strdup("the record of the exit is of another PC");
    }
    if (kind == EXIT_KIND_BUDGET &&
        (got->left >= raw->num_guest_insns || got->pc != raw->pc)) {
        return g_strdup("left for the budget, which is enough");
    }
    w->bails += kind == EXIT_KIND_BAIL;
    stop = reference(w, raw, start, (unsigned)(start->left - got->left), &want);
    diff = state_diff(got, &want);
    if (!diff && stop != want_stop) {
        diff = g_strdup_printf("exit kind %u, the interpreter's is %d", kind, stop);
    }
    return diff;
}

/* The entry of a killed unit leaves at once, and nothing has happened. */
static char *check_killed(World *w, Unit *unit, const State *start)
{
    State got;
    uint64_t exit;

    state_set(w, start);
    w->tcg->backend->kill(&w->tcg->arena, unit);
    exit = w->tcg->backend->enter(&w->cpu->vcpu, unit->code);
    state_get(w, &got);
    return exit == EXIT_KIND_LOOKUP ? state_diff(&got, start) : g_strdup("a dead unit ran");
}

/* NULL, or how the unit's execution differs. */
static char *run_unit(World *w, const IrUnit *raw, const State *start, How how)
{
    IrUnit *u = ir_unit_new();
    State got, want;
    char *diff = NULL;
    uint64_t exit;
    Unit unit;

    copy_unit(u, raw);
    if (how & HOW_INTERP) {
        ir_optimize_for_interp(u);
    } else if (how & HOW_OPT) {
        ir_optimize(u);
    } else {
        ir_mark_flags(u);
    }
    if (ir_verify(u, NULL)) {
        diff = g_strdup_printf("the verifier says: %s", ir_verify(u, NULL));
    } else if (how & HOW_INTERP) {
        /* It can stop at any instruction. */
        unsigned max = 1 + start->slot[9] % u->num_guest_insns;
        InterpStop stop = reference(w, u, start, max, &got);

        if (reference(w, raw, start, max, &want) != stop) {
            diff = g_strdup("the optimised unit ends differently");
        } else {
            diff = state_diff(&got, &want);
        }
    } else {
        compile(w, u, &unit, how);
        state_set(w, start);
        w->device_accesses = 0;
        exit = w->tcg->backend->enter(&w->cpu->vcpu, unit.code);
        w->device_runs += w->device_accesses != 0;
        state_get(w, &got);
        diff = check_exit(w, raw, start, exit, &got);
        if (!diff) {
            diff = check_killed(w, &unit, start);
        }
    }
    ir_unit_free(u);
    return diff;
}

/* ---- making a failure small ---- */

static void recount(IrUnit *u)
{
    u->num_guest_insns = 0;
    for (unsigned n = 0; n < u->num_insns; n++) {
        u->num_guest_insns += u->insns[n].op == IR_insn;
    }
}

/* Not said by the verifier: a unit begins at its PC. */
static bool sensible(const IrUnit *u)
{
    return !ir_verify(u, NULL) && u->insns[0].op == IR_insn && u->insns[0].imm == u->pc;
}

static bool still_fails(World *w, IrUnit *u, const State *start, How how)
{
    char *diff;

    recount(u);
    if (!sensible(u)) {
        return false;
    }
    diff = run_unit(w, u, start, how);
    g_free(diff);
    return diff != NULL;
}

/* Without instruction n, or with a constant in its place. */
static bool shrink_at(World *w, IrUnit *u, unsigned n, const State *start, How how)
{
    IrUnit *smaller = ir_unit_new();
    IrInsn *i = &smaller->insns[n];
    bool done;

    copy_unit(smaller, u);
    smaller->num_insns--;
    memmove(i, i + 1, (smaller->num_insns - n) * sizeof(*i));
    done = still_fails(w, smaller, start, how);
    if (!done && u->insns[n].dst && !u->insns[n].dst2 && u->insns[n].op != IR_vec &&
        u->insns[n].op != IR_const) {
        copy_unit(smaller, u);
        *i = (IrInsn){ .op = IR_const, .flags = IRF_W64, .dst = u->insns[n].dst, .imm = 5 };
        smaller->is_const[i->dst] = 1;
        smaller->const_of[i->dst] = 5;
        done = still_fails(w, smaller, start, how);
    }
    if (done) {
        copy_unit(u, smaller);
    }
    ir_unit_free(smaller);
    return done;
}

static void minimise(World *w, IrUnit *u, const State *start, How how)
{
    for (bool again = true; again;) {
        again = false;
        for (unsigned n = u->num_insns - 1; n-- > 0;) {
            again |= shrink_at(w, u, n, start, how);
        }
    }
}

static void report(World *w, const IrUnit *raw, const State *start, How how, uint64_t seed)
{
    IrUnit *u = ir_unit_new();
    char *diff;

    copy_unit(u, raw);
    minimise(w, u, start, how);
    diff = run_unit(w, u, start, how);
    g_printerr("seed %" PRIu64 ", %s, %s, %s%s: %s\n", seed,
               how & HOW_INTERP ? "interpreter" : "code", how & HOW_OPT ? "opt" : "no opt",
               how & HOW_LINK ? "link" : "no link", how & HOW_OLD_HOST ? ", old host" : "", diff);
    ir_print(u, stderr);
    for (unsigned n = 0; n < VCPU_MAX_SLOTS; n++) {
        g_printerr("slot %u = 0x%" PRIx64 "\n", n, start->slot[n]);
    }
    for (unsigned n = 0; n < FAKE_VREGS; n++) {
        g_printerr("v%u = 0x%016" PRIx64 "%016" PRIx64 "\n", n, start->v[n][1], start->v[n][0]);
    }
    g_printerr("nzcv = 0x%x, fpcr = 0x%x, fpsr = 0x%x, left = %" PRId64 "\n", start->nzcv,
               start->fpcr, start->fpsr, start->left);
    g_free(diff);
    ir_unit_free(u);
    g_assert_not_reached();
}

/* ---- tests ---- */

static uint64_t any_target(IrGen *g)
{
    uint64_t page = percent(g, 60) ? 0 : below(g, 4) * PAGE_SIZE;

    if (percent(g, 25)) {
        return UNIT_PC;
    }
    return WORLD_BASE + page + below(g, PAGE_SIZE / 4) * 4;
}

static void random_unit(IrUnit *u, uint64_t seed)
{
    IrGen g = { .rng = { seed }, .b = u, .data_base = WORLD_BASE, .data_mask = 0x3fff,
              .wild_percent = 3, .device_percent = 4, .target = any_target };
    unsigned most = rng_percent(&g.rng, 4) ? 150 : 16, insns, n;
    bool local = rng_percent(&g.rng, 50);

    if (rng_below(&g.rng, 1000) == 0) {
        most = IR_MAX_GUEST_INSNS;
    }
    insns = 1 + rng_below(&g.rng, most);
    ir_unit_reset(u, UNIT_PC);
    for (n = 0; n < insns && !u->full; n++) {
        if (local) {
            forget_values(&g);
        }
        random_insn(&g, UNIT_PC + 4 * n);
    }
    random_end(&g, UNIT_PC + 4 * n);
}

static void run_seeds(uint64_t first, uint64_t count)
{
    static const How ways[] = { HOW_INTERP | HOW_OPT, 0, HOW_OPT, HOW_LINK,
                                HOW_LINK | HOW_OPT, HOW_LINK | HOW_OPT | HOW_OLD_HOST };
    IrUnit *u = ir_unit_new();
    State *start = g_new(State, 1);
    World w;

    world_open(&w);
    for (uint64_t seed = first; seed < first + count; seed++) {
        Rng r = { seed ^ 0xabcdef };

        random_unit(u, seed);
        g_assert_cmpstr(ir_verify(u, NULL), ==, NULL);
        state_random(start, &r, u->num_guest_insns);
        if (rng_percent(&r, 3)) {
            tcg_flush_tlb(w.tcg);
        }
        for (unsigned n = 0; n < ARRAY_SIZE(ways); n++) {
            char *diff = run_unit(&w, u, start, ways[n]);

            w.units++;
            if (diff) {
                g_free(diff);
                report(&w, u, start, ways[n], seed);
            }
        }
    }
    g_test_message("%" PRIu64 " runs, %" PRIu64 " bailed out, %" PRIu64 " went to the device",
                   w.units, w.bails, w.device_runs);
    /* The paths without and with bail-outs were both taken. */
    g_assert_cmpuint(w.bails, >, w.units / 100);
    g_assert_cmpuint(w.bails, <, w.units / 2);
    g_assert_cmpuint(w.device_runs, >, w.units / 1000);
    world_close(&w);
    g_free(start);
    ir_unit_free(u);
}

static void test_random(void)
{
    run_seeds(1, SEEDS);
}

int main(int argc, char **argv)
{
    const char *seeds = getenv("X86_BACKEND_SEEDS");   /* "first,count": a longer hunt */
    unsigned long long first, count;

    g_test_init(&argc, &argv, NULL);
    if (!tcg_native_backend) {
        return 77;
    }
    if (seeds && sscanf(seeds, "%llu,%llu", &first, &count) == 2) {
        run_seeds(first, count);
        return 0;
    }
    g_test_add_func("/x86-backend/random", test_random);
    return g_test_run();
}
