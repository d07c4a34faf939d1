/*
 * Random IR that keeps the rules of accel/tcg/ir.h, for the fake target of
 * fake-vcpu.h. Values live across guest instructions when the caller does not
 * forget them, so that long units force spills.
 *
 * The world that addresses are made for, identity-mapped where nothing else is said:
 *
 *   0x10000 .. 0x12fff  RAM          0x18000  ROM
 *   0x13000             RAM; with an odd ASID what is at 0x17000
 *   0x14000             RAM          0x19000  MMIO
 *   0x15000             RAM, not writable by the guest
 *   0x16000             RAM, no unprivileged access
 *   0x17000             RAM          0x1a000  mapped, but nothing there
 *   0x1b000             RAM, Device  0x1c000 ...  not mapped
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_IR_RANDOM_H
#define TESTS_IR_RANDOM_H

#include "fake-vcpu.h"
#include "ir-random-fp.h"

#define WORLD_BASE 0x10000ull
#define WORLD_RAM 0x10000ull
#define WORLD_RAM_SIZE 0x8000u
#define WORLD_ROM 0x18000ull
#define WORLD_MMIO 0x19000ull
#define WORLD_DEVICE_RAM 0x1b000ull

#define POOL 60

typedef struct IrGen {
    Rng rng;
    IrBuilder *b;
    IrVal pool[POOL];           /* a ring of values that may be used */
    unsigned pool_len, pool_next;
    uint64_t data_base;         /* where most accesses go ... */
    uint64_t data_mask;
    unsigned wild_percent;      /* ... and how many go anywhere, ... */
    unsigned code_percent;      /* ... or to where jumps go (random_end()), ... */
    unsigned device_percent;    /* ... or to the device */
    bool many_accesses;         /* more than one guest access an instruction */
    bool fixed_space;           /* the address space changes at the end of units alone */
    uint64_t (*target)(struct IrGen *g);  /* of a jump */
} IrGen;

static inline unsigned below(IrGen *g, unsigned n)
{
    return rng_below(&g->rng, n);
}

static inline bool percent(IrGen *g, unsigned p)
{
    return rng_percent(&g->rng, p);
}

static inline IrVal keep(IrGen *g, IrVal v)
{
    g->pool[g->pool_next] = v;
    g->pool_next = (g->pool_next + 1) % POOL;
    g->pool_len = MIN(g->pool_len + 1, POOL);
    return v;
}

static inline void forget_values(IrGen *g)
{
    g->pool_len = g->pool_next = 0;
}

/* Mostly few slots, so that they are read and written again. */
static inline unsigned any_slot(IrGen *g)
{
    return percent(g, 70) ? below(g, 8) : below(g, VCPU_MAX_SLOTS);
}

static inline IrVal any(IrGen *g)
{
    unsigned kind = below(g, 100);

    if (kind < 18) {
        return keep(g, ir_const(g->b, rng_value(&g->rng)));
    }
    if (kind < 45 || !g->pool_len) {
        return keep(g, ir_get(g->b, any_slot(g)));
    }
    if (kind < 70) {
        return g->pool[(g->pool_next + POOL - 1 - below(g, MIN(g->pool_len, 4))) % POOL];
    }
    return g->pool[below(g, g->pool_len)];
}

static inline unsigned any_cond(IrGen *g)
{
    return below(g, COND_AL + 1);
}

static inline uint32_t env_offset(IrGen *g, unsigned bytes)
{
    /* Vector registers, too: scalars are their low parts. */
    if (percent(g, 40)) {
        return offsetof(FakeCpu, v) + below(g, FAKE_VREGS * 16 / bytes) * bytes;
    }
    return offsetof(FakeCpu, env) + below(g, FAKE_ENV_WORDS * 8 / bytes) * bytes;
}

static inline uint32_t v_offset(IrGen *g)
{
    return offsetof(FakeCpu, v) + 16 * below(g, FAKE_VREGS);
}

/* ---- arithmetic ---- */

static inline IrVal random_two(IrGen *g, IrWidth w)
{
    typedef IrVal Binary(IrBuilder *, IrWidth, IrVal, IrVal);
    static Binary *const ops[] = {
        ir_add, ir_add, ir_sub, ir_and, ir_or, ir_xor, ir_andc, ir_shl, ir_shr, ir_sar, ir_ror,
        ir_mul, ir_udiv, ir_sdiv, ir_adc, ir_sbc,
    };
    IrVal x = any(g), y = percent(g, 8) ? x : any(g);

    return ops[below(g, ARRAY_SIZE(ops))](g->b, w, x, y);
}

static inline IrVal random_one(IrGen *g, IrWidth w)
{
    unsigned bits = w == W64 ? 64 : 32, lsb = below(g, bits), len = 1 + below(g, bits - lsb);
    static const uint8_t sizes[] = { 8, 16, 32 };
    IrVal x = any(g);

    switch (below(g, 10)) {
    case 0: return ir_not(g->b, w, x);
    case 1: return ir_neg(g->b, w, x);
    case 2: return ir_clz(g->b, w, x);
    case 3: return ir_rbit(g->b, w, x);
    case 4: return ir_bswap(g->b, w, x);
    case 5: return ir_zext(g->b, sizes[below(g, 3)], x);
    case 6: return ir_sext(g->b, w, sizes[below(g, 3)], x);
    case 7: return ir_extract(g->b, w, x, lsb, len);
    case 8: return ir_sextract(g->b, w, x, lsb, len);
    default: return ir_deposit(g->b, w, x, any(g), lsb, len);
    }
}

static inline IrVal random_other(IrGen *g, IrWidth w)
{
    static const uint8_t env_bytes[] = { 1, 2, 4, 8 };
    unsigned bytes = env_bytes[below(g, 4)];
    IrVal x = any(g), y = any(g);

    switch (below(g, 9)) {
    case 0: return ir_umulh(g->b, x, y);
    case 1: return ir_smulh(g->b, x, y);
    case 2: return ir_extr(g->b, w, x, y, below(g, w == W64 ? 64 : 32));
    case 3: return ir_cmp(g->b, w, below(g, CMP_GTS + 1), x, y);
    case 4: return ir_selnz(g->b, any(g), x, y);
    case 5: return ir_get_nzcv(g->b);
    case 6: return ir_ld_env(g->b, bytes, env_offset(g, bytes));
    case 7:
        if (percent(g, 40)) {
            x = ir_const(g->b, 1);
            y = ir_const(g->b, 0);
        }
        return ir_sel(g->b, w, any_cond(g), x, y);
    default: return ir_sel(g->b, w, any_cond(g), x, y);
    }
}

/* The operation emitted last once more, or one that differs a little. */
static inline IrVal random_again(IrGen *g)
{
    IrInsn again = g->b->insns[g->b->num_insns - 1], *i;
    IrVal v = ir_not(g->b, W64, (IrVal){ again.dst });

    i = &g->b->insns[g->b->num_insns - 1];
    *i = again;
    i->dst = v.id;
    if (percent(g, 50)) {
        switch (again.op) {
        case IR_cmp:
            i->aux ^= 1;
            break;
        case IR_extract: case IR_sextract: case IR_deposit:
            i->aux = (i->aux & 0xff) | 1 << 8;
            break;
        case IR_extr:
            i->aux /= 2;
            break;
        case IR_selnz:
            i->arg[1] = i->arg[2];
            break;
        default:
            break;
        }
    }
    return v;
}

/* Changes no state: may stand before a guest access. */
static inline void random_value(IrGen *g)
{
    IrWidth w = percent(g, 60) ? W64 : W32;
    unsigned kind = below(g, 10);

    keep(g, kind < 5 ? random_two(g, w) : kind < 8 ? random_one(g, w) : random_other(g, w));
    if (percent(g, 8)) {
        keep(g, random_again(g));
    }
}

static inline void random_flags(IrGen *g)
{
    typedef IrVal Binary(IrBuilder *, IrWidth, IrVal, IrVal);
    static Binary *const ops[] = {
        ir_adds, ir_subs, ir_subs, ir_ands, ir_andcs, ir_adcs, ir_sbcs,
    };
    IrWidth w = percent(g, 60) ? W64 : W32;
    IrVal x = any(g), y = percent(g, 5) ? x : any(g), r;

    switch (below(g, 10)) {
    case 0:
        ir_ccmp(g->b, w, any_cond(g), x, y, below(g, 16));
        break;
    case 1:
        ir_ccmn(g->b, w, any_cond(g), x, y, below(g, 16));
        break;
    case 2:
        ir_set_nzcv(g->b, x);
        break;
    default:
        r = ops[below(g, ARRAY_SIZE(ops))](g->b, w, x, y);
        /* Often nobody wants the result: compare and test. */
        if (percent(g, 60)) {
            keep(g, r);
        }
        break;
    }
}

/* ---- guest memory ---- */

static inline IrVal random_addr(IrGen *g, unsigned bytes)
{
    bool wild = percent(g, g->wild_percent), code = percent(g, g->code_percent);
    uint64_t mask = wild ? 0xffff : code ? 0x11ff : g->data_mask;
    uint64_t base = wild || code ? WORLD_BASE : g->data_base;
    IrVal a;

    if (percent(g, g->device_percent)) {
        mask = 0xff8;
        base = WORLD_MMIO;
    }
    if (percent(g, 85)) {
        mask &= ~(uint64_t)(bytes - 1);
    }
    if (percent(g, 5)) {
        base |= 0x5a00000000000000;
    }
    a = ir_and(g->b, W64, any(g), ir_const(g->b, mask));
    return ir_add(g->b, W64, a, ir_const(g->b, base));
}

static inline unsigned random_memflags(IrGen *g)
{
    return (percent(g, 15) ? MEM_ALIGNED : 0) | (percent(g, 8) ? MEM_UNPRIV : 0);
}

static inline void random_load(IrGen *g)
{
    unsigned memop = below(g, 4), flags = random_memflags(g);

    if (memop < MEM_64 && percent(g, 40)) {
        flags |= percent(g, 50) || memop == MEM_32 ? MEM_SIGNED64 : MEM_SIGNED32;
    } else if (percent(g, 15)) {
        flags |= MEM_EXCL;
    }
    keep(g, ir_ld(g->b, memop | flags, random_addr(g, mem_bytes(memop))));
}

static inline void random_load_pair(IrGen *g)
{
    unsigned memop = percent(g, 60) ? MEM_64 : MEM_32, flags = random_memflags(g);
    IrVal first, second;

    flags |= percent(g, 20) ? MEM_EXCL : memop == MEM_32 && percent(g, 30) ? MEM_SIGNED64 : 0;
    ir_ld2(g->b, memop | flags, random_addr(g, 2 * mem_bytes(memop)), &first, &second);
    if (percent(g, 90)) {
        keep(g, first);
    }
    if (percent(g, 90)) {
        keep(g, second);
    }
}

/* The address of the monitor, as often as not, so that stores succeed. */
static inline void random_store_exclusive(IrGen *g)
{
    bool pair = percent(g, 30);
    unsigned memop = pair ? MEM_32 + below(g, 2) : below(g, 4);
    IrVal addr;

    if (percent(g, 70)) {
        addr = ir_ld_env(g->b, 8, offsetof(FakeCpu, vcpu.excl_addr));
    } else {
        addr = random_addr(g, mem_bytes(memop) << pair);
    }
    keep(g, ir_stx(g->b, memop | (percent(g, 50) ? MEM_ALIGNED : 0), addr, any(g),
                   pair ? any(g) : IR_NONE));
}

/* False when no other access may follow in the instruction: it could not be run again. */
static inline bool random_access(IrGen *g)
{
    unsigned memop = below(g, 4), pair = percent(g, 60) ? MEM_64 : MEM_32;

    switch (below(g, 12)) {
    case 0: case 1: case 2:
        random_load(g);
        break;
    case 3:
        random_load_pair(g);
        break;
    case 4: case 5: case 6:
        ir_st(g->b, memop | random_memflags(g), random_addr(g, mem_bytes(memop)), any(g));
        break;
    case 7: case 8:
        ir_st2(g->b, pair | random_memflags(g), random_addr(g, 2 * mem_bytes(pair)), any(g),
               any(g));
        break;
    case 9:
        ir_ld_vec(g->b, below(g, 5) | random_memflags(g), random_addr(g, 16), v_offset(g));
        break;
    case 10:
        ir_st_vec(g->b, below(g, 5) | random_memflags(g), random_addr(g, 16), v_offset(g));
        break;
    default:
        random_store_exclusive(g);
        return false;
    }
    return true;
}

/* ---- helpers ---- */

/* A helper may change every register that the ABI lets it change; see that it does. */
static inline void clobber_registers(void)
{
#if defined(__x86_64__)
    __asm__ volatile("mov $0x5a5a5a5a, %%eax; mov %%rax, %%rcx; mov %%rax, %%rdx;"
                     "mov %%rax, %%rsi; mov %%rax, %%rdi; mov %%rax, %%r8; mov %%rax, %%r9;"
                     "mov %%rax, %%r10; mov %%rax, %%r11; cmp $0, %%eax"
                     ::: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc");
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; movdqa %%xmm0, %%xmm1; movdqa %%xmm0, %%xmm2;"
                     "movdqa %%xmm0, %%xmm3; movdqa %%xmm0, %%xmm4; movdqa %%xmm0, %%xmm5;"
                     "movdqa %%xmm0, %%xmm6; movdqa %%xmm0, %%xmm7; movdqa %%xmm0, %%xmm8;"
                     "movdqa %%xmm0, %%xmm9; movdqa %%xmm0, %%xmm10; movdqa %%xmm0, %%xmm11;"
                     "movdqa %%xmm0, %%xmm12; movdqa %%xmm0, %%xmm13; movdqa %%xmm0, %%xmm14;"
                     "movdqa %%xmm0, %%xmm15"
                     ::: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                     "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
#endif
}

static uint64_t plain4(Vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    clobber_registers();
    return fake_mix(fake_mix(fake_mix(fake_mix(4, a), b), c), d);
}

static uint64_t plain3(Vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c)
{
    clobber_registers();
    return fake_mix(fake_mix(fake_mix(3, a), b), c);
}

static uint64_t plain2(Vcpu *vcpu, uint64_t a, uint64_t b)
{
    clobber_registers();
    return fake_mix(fake_mix(2, a), b);
}

static uint64_t plain1(Vcpu *vcpu, uint64_t a)
{
    clobber_registers();
    return fake_mix(1, a);
}

/* Has an effect on state that is no slot; no result. */
static void plain_void(Vcpu *vcpu, uint64_t a)
{
    FakeCpu *cpu = fake_cpu(vcpu);

    clobber_registers();
    cpu->env[FAKE_ENV_WORDS - 1] += a ^ cpu->v[a & 3].d[1];
    cpu->v[a >> 2 & 3].d[a & 1] -= a;
}

static void sync_look(FakeCpu *cpu, uint64_t a, uint64_t b)
{
    uint64_t h = fake_mix(fake_mix(cpu->vcpu.pc, a), b);

    for (unsigned n = 0; n < VCPU_MAX_SLOTS; n++) {
        h = fake_mix(h, cpu->vcpu.slot[n]);
    }
    for (unsigned n = 0; n < FAKE_VREGS; n++) {
        h = fake_mix(fake_mix(h, cpu->v[n].d[0]), cpu->v[n].d[1]);
    }
    h = fake_mix(h, cpu->fpsr);
    fake_note(cpu, h, nzcv_unpack(cpu->vcpu.nzcv));
    clobber_registers();
}

/* Reads everything, writes slots and flags; wants out for one value of a in four. */
static uint64_t sync_change(Vcpu *vcpu, uint64_t a, uint64_t b)
{
    FakeCpu *cpu = fake_cpu(vcpu);

    sync_look(cpu, a, b);
    vcpu->slot[a & 7] = b;
    vcpu->slot[b & 31] ^= a;
    vcpu->nzcv = nzcv_pack((uint32_t)(a ^ b) & 0xf0000000u);
    cpu->v[a >> 4 & 3].d[b & 1] = a;
    /* Rounding modes and flush to zero, now and then. */
    cpu->fpcr = (b & 0xf00) == 0 ? (uint32_t)b & IR_FPCR_MODE : 0;
    if ((a & 3) == 3) {
        vcpu->pc += 4;
        vcpu->exit_request = 1;
    }
    return a ^ b ^ cpu->trace;
}

/* Another address space. Where instructions come from may change: the unit has to end. */
static void sync_space(Vcpu *vcpu, uint64_t a)
{
    FakeCpu *cpu = fake_cpu(vcpu);

    sync_look(cpu, a, 0);
    cpu->key.asid = cpu->unpriv_key.asid = a & 7;
    fake_space_changed(cpu);
}

/* Where to go on is in the helper's hand, as in an exception return. */
static void sync_jump(Vcpu *vcpu, uint64_t pc)
{
    sync_look(fake_cpu(vcpu), pc, 1);
    vcpu->pc = pc;
}

static const IrHelper helper_plain4 = { "plain4", (void (*)(void))plain4, 4, 0 };
static const IrHelper helper_plain3 = { "plain3", (void (*)(void))plain3, 3, IR_HELPER_PURE };
static const IrHelper helper_plain2 = { "plain2", (void (*)(void))plain2, 2, IR_HELPER_PURE };
static const IrHelper helper_plain1 = { "plain1", (void (*)(void))plain1, 1, 0 };
static const IrHelper helper_plain_void = { "plain_void", (void (*)(void))plain_void, 1,
                                            IR_HELPER_VOID };
static const IrHelper helper_sync_change = { "sync_change", (void (*)(void))sync_change, 2,
                                             IR_HELPER_SYNC };
static const IrHelper helper_sync_space = { "sync_space", (void (*)(void))sync_space, 1,
                                            IR_HELPER_SYNC | IR_HELPER_VOID };
static const IrHelper helper_sync_jump = { "sync_jump", (void (*)(void))sync_jump, 1,
                                           IR_HELPER_SYNC | IR_HELPER_VOID };

static inline void random_plain_call(IrGen *g)
{
    switch (below(g, 5)) {
    case 0: keep(g, ir_call(g->b, &helper_plain4, any(g), any(g), any(g), any(g))); break;
    case 1: keep(g, ir_call(g->b, &helper_plain3, any(g), any(g), any(g), IR_NONE)); break;
    case 2: keep(g, ir_call(g->b, &helper_plain2, any(g), any(g), IR_NONE, IR_NONE)); break;
    case 3: keep(g, ir_call(g->b, &helper_plain1, any(g), IR_NONE, IR_NONE, IR_NONE)); break;
    default: ir_call(g->b, &helper_plain_void, any(g), IR_NONE, IR_NONE, IR_NONE); break;
    }
}

static inline void random_sync_call(IrGen *g)
{
    if (g->fixed_space || percent(g, 75)) {
        keep(g, ir_call(g->b, &helper_sync_change, any(g), any(g), IR_NONE, IR_NONE));
    } else {
        ir_call(g->b, &helper_sync_space, any(g), IR_NONE, IR_NONE, IR_NONE);
    }
}

/* ---- vector operations: one that no back end knows, two that it may inline ---- */

static void vec_weird(void *d, const void *a, const void *b, uint32_t desc)
{
    uint64_t x[2], y[2];

    memcpy(x, a, 16);
    memcpy(y, b, 16);
    clobber_registers();
    x[0] = fake_mix(x[0], y[1]) + vec_desc_imm(desc);
    x[1] = vec_desc_bytes(desc) == 16 ? fake_mix(x[1], y[0]) : 0;
    memcpy(d, x, 16);
}

static void vec_xor(void *d, const void *a, const void *b, uint32_t desc)
{
    uint64_t x[2], y[2];

    memcpy(x, a, 16);
    memcpy(y, b, 16);
    x[0] ^= y[0];
    x[1] = vec_desc_bytes(desc) == 16 ? x[1] ^ y[1] : 0;
    memcpy(d, x, 16);
}

static void vec_add(void *d, const void *a, const void *b, uint32_t desc)
{
    unsigned bits = 8u << vec_desc_esize(desc);
    uint64_t mask = UINT64_MAX >> (64 - bits), x[2], y[2], r[2] = { 0, 0 };

    memcpy(x, a, 16);
    memcpy(y, b, 16);
    for (unsigned at = 0; at < 8 * vec_desc_bytes(desc); at += bits) {
        unsigned n = at / 64, shift = at % 64;

        r[n] |= (((x[n] >> shift) + (y[n] >> shift)) & mask) << shift;
    }
    memcpy(d, r, 16);
}

static const IrVecHelper helper_vec_weird = { "vec_weird", vec_weird, IRV_NONE };
static const IrVecHelper helper_vec_xor = { "vec_xor", vec_xor, IRV_XOR };
static const IrVecHelper helper_vec_add = { "vec_add", vec_add, IRV_ADD };

static inline void random_vec(IrGen *g)
{
    static const IrVecHelper *const ops[] = { &helper_vec_weird, &helper_vec_xor,
                                              &helper_vec_add };
    uint32_t d = v_offset(g), a = v_offset(g), b = v_offset(g);

    ir_vec(g->b, ops[below(g, 3)], d, a, b,
           vec_desc(percent(g, 50) ? 16 : 8, below(g, 4), (int32_t)below(g, 200) - 100));
}

static inline void random_fp_vec(IrGen *g)
{
    uint32_t d = v_offset(g), a = v_offset(g), b = v_offset(g);
    bool is_double = percent(g, 50);
    unsigned bytes = percent(g, 70) ? 16 : percent(g, 50) || is_double ? 8 : 4;

    ir_fp_vec(g->b, is_double ? &fp_vec_d[below(g, ARRAY_SIZE(fp_vec_d))]
                              : &fp_vec_s[below(g, ARRAY_SIZE(fp_vec_s))],
              d, a, b, vec_desc(bytes, is_double ? 3 : 2, below(g, is_double ? 2 : 4)));
}

static inline void random_fp(IrGen *g)
{
    uint32_t d = v_offset(g), a = v_offset(g), b = v_offset(g), c = v_offset(g);

    switch (below(g, 12)) {
    case 0: case 1: ir_fp(g->b, &fp_one[below(g, ARRAY_SIZE(fp_one))], d, a, 0, 0); break;
    case 2: ir_fp(g->b, &fp_three[below(g, 2)], d, a, b, c); break;
    case 3: keep(g, ir_fp_to_int(g->b, &fp_to_int[below(g, 2)], a)); break;
    case 4: ir_fp_from_int(g->b, &fp_from_int, d, any(g)); break;
    case 5: ir_fp_cmp(g->b, &fp_compare[below(g, 2)], a, percent(g, 80) ? b : 0); break;
    default: ir_fp(g->b, &fp_two[below(g, ARRAY_SIZE(fp_two))], d, a, b, 0); break;
    }
}

/* ---- whole instructions ---- */

static inline void random_side_exit(IrGen *g)
{
    IrWidth w = percent(g, 50) ? W64 : W32;
    uint64_t pc = g->target(g);

    switch (below(g, 6)) {
    case 0: case 1: case 2: ir_exit_cond(g->b, below(g, COND_AL), pc); break;
    case 3: ir_exit_nz(g->b, w, any(g), pc); break;
    case 4: ir_exit_z(g->b, w, any(g), pc); break;
    default: ir_exit_bit(g->b, any(g), below(g, 64), percent(g, 50), pc); break;
    }
}

static inline void random_effect(IrGen *g)
{
    static const uint8_t env_bytes[] = { 1, 2, 4, 8 };
    unsigned kind = below(g, 100), bytes = env_bytes[below(g, 4)];

    if (kind < 35) {
        random_value(g);
    } else if (kind < 65) {
        ir_set(g->b, any_slot(g), any(g));
    } else if (kind < 83) {
        random_flags(g);
    } else if (kind < 87) {
        ir_st_env(g->b, bytes, env_offset(g, bytes), any(g));
    } else if (kind < 90) {
        random_plain_call(g);
    } else if (kind < 92) {
        random_vec(g);
    } else if (kind < 94) {
        random_fp_vec(g);
    } else if (kind < 97) {
        random_fp(g);
    } else if (kind < 99) {
        random_side_exit(g);
    } else {
        random_sync_call(g);
    }
}

/* All but a final exit. */
static inline void random_insn(IrGen *g, uint64_t pc)
{
    unsigned accesses = percent(g, 35) ? 1 : 0;

    ir_insn(g->b, pc, 4, 0);
    for (unsigned n = below(g, 3); n-- > 0;) {
        random_value(g);
    }
    if (accesses && g->many_accesses) {
        accesses += below(g, 3) == 0;
    }
    while (accesses-- > 0 && random_access(g)) {
    }
    for (unsigned n = below(g, 6); n-- > 0;) {
        random_effect(g);
    }
}

/* A final exit; mostly a jump to next_pc. */
static inline void random_end(IrGen *g, uint64_t next_pc)
{
    switch (below(g, 10)) {
    case 0: case 1: case 2:
        ir_jmp(g->b, next_pc);
        break;
    case 3: case 4:
        ir_jmp(g->b, g->target(g));
        break;
    case 5: case 6: case 7:
        ir_jmp_ind(g->b, ir_add(g->b, W64, ir_and(g->b, W64, any(g), ir_const(g->b, 0x11c0)),
                                ir_const(g->b, WORLD_BASE)));
        break;
    case 8:
        if (percent(g, 40)) {
            ir_call(g->b, &helper_sync_space, any(g), IR_NONE, IR_NONE, IR_NONE);
        }
        ir_exit_main(g->b, g->target(g));
        break;
    default:
        ir_call(g->b, &helper_sync_jump, ir_const(g->b, g->target(g)), IR_NONE, IR_NONE,
                IR_NONE);
        ir_exit_main_helper(g->b);
        break;
    }
}

/* ---- the world ---- */

static inline bool world_walk(FakeCpu *cpu, uint64_t vaddr, MmuAccess access, bool unpriv,
                              MmuResult *out)
{
    uint64_t page = vaddr & ~(uint64_t)(PAGE_SIZE - 1);

    out->phys = page;
    out->attrs = TLB_VALID | TLB_READ | TLB_WRITE | TLB_EXEC;
    out->fault = 7;
    if (page < WORLD_BASE || page >= 0x1c000) {
        return false;
    }
    if (page == 0x15000) {
        out->attrs &= ~(uint32_t)TLB_WRITE;
        out->fault = 15;
        return access != MMU_WRITE;
    }
    if (page == 0x13000 && (cpu->key.asid & 1)) {
        out->phys = 0x17000;
    }
    if (page == 0x16000 && unpriv) {
        out->fault = 14;
        return false;
    }
    if (page == WORLD_DEVICE_RAM || page == WORLD_MMIO) {
        out->attrs |= TLB_DEVICE;
    }
    return true;
}

static inline void world_init(Machine *m, const MmioOps *mmio, void *opaque)
{
    MemoryMap *map = m->memory;

    memory_add_ram(map, "ram", WORLD_RAM, WORLD_RAM_SIZE, false, NULL);
    memory_add_ram(map, "rom", WORLD_ROM, PAGE_SIZE, true, NULL);
    memory_add_mmio(map, "mmio", WORLD_MMIO, PAGE_SIZE, mmio, opaque);
    memory_add_ram(map, "device-ram", WORLD_DEVICE_RAM, PAGE_SIZE, false, NULL);
}

#endif
