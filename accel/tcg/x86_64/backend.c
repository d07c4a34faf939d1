/*
 * The x86-64 back end: shared stubs, the pass over a unit, links.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen.h"
#include <cpuid.h>

#define NUM_CALLEE_SAVED 6
static const uint8_t callee_saved[NUM_CALLEE_SAVED] = { RBX, RBP, R12, R13, R14, R15 };

/* ---- stubs ---- */

GenStubs *gen_stubs(TcgContext *t)
{
    return t->backend_data;
}

/* uint64_t enter(Vcpu *cpu, const void *code), System V ABI. */
static void emit_enter(Asm *a)
{
    for (unsigned n = 0; n < NUM_CALLEE_SAVED; n++) {
        asm_op(a, false, 0x50 | (callee_saved[n] & 7), callee_saved[n]);
    }
    asm_alu_ri(a, true, ALU_SUB, RSP, FRAME_SIZE);
    asm_mov_rr(a, true, RBP, RDI);
    asm_load(a, true, R15, RBP, offsetof(Vcpu, left));
    asm_load(a, true, R14, RBP, offsetof(Vcpu, tlb));
    asm_op_rr(a, false, 0, 0xff, 4, RSI);
}

static void emit_leave(Asm *a)
{
    asm_store(a, true, R15, RBP, offsetof(Vcpu, left));
    asm_alu_ri(a, true, ALU_ADD, RSP, FRAME_SIZE);
    for (unsigned n = NUM_CALLEE_SAVED; n-- > 0;) {
        asm_op(a, false, 0x58 | (callee_saved[n] & 7), callee_saved[n]);
    }
    asm_u8(a, 0xc3);
}

/* Make an access to a device, so that generated code goes on with its value. */
static bool probe_mmio(Vcpu *cpu, const MemSite *site, uint64_t *regs)
{
    TcgContext *t = cpu->tcg;

    if (site->value_reg == RSP) {
        return false;
    }
    cpu->pc = cpu->code_page | site->pc_offset;
    cpu->insn_word = site->insn_word;
    cpu->left = regs[R15] + site->refund;
    if (site->write) {
        t->io_value = regs[site->value_reg];
        if (site->bytes < 8) {
            t->io_value &= (1ull << 8 * site->bytes) - 1;
        }
    }
    if (!mmu_io(cpu, site->bytes, site->write)) {
        return false;
    }
    cpu->insn_word = 0;
    return true;
}

/* What a store stores; false: a store-exclusive, which nobody knows yet whether it stores. */
static bool store_value(const Vcpu *cpu, const MemSite *site, const uint64_t *regs, uint8_t *out)
{
    unsigned half = site->bytes / 2;

    if (site->vec_offset) {
        memcpy(out, (const uint8_t *)cpu + site->vec_offset, site->bytes);
    } else if (site->pair[0] != RSP) {
        memcpy(out, &regs[site->pair[0]], half);
        memcpy(out + half, &regs[site->pair[1]], half);
    } else if (site->value_reg != RSP) {
        memcpy(out, &regs[site->value_reg], site->bytes);
    } else {
        return false;
    }
    return true;
}

/* Make an access that crosses a page; generated code repeats it in the buffer. */
static bool probe_crossing(Vcpu *cpu, const MemSite *site, const uint64_t *regs)
{
    TcgContext *t = cpu->tcg;

    assert(site->bytes <= sizeof(t->crossing));
    return !(site->memflags & MEM_EXCL) &&
           (!site->write || store_value(cpu, site, regs, t->crossing)) &&
           mmu_cross(cpu, regs[site->addr_reg], t->crossing, site->bytes, site->memflags,
                     site->write);
}

/* The interpreter runs the instruction: let it find all state where it belongs. */
static void restore_state(Vcpu *cpu, const MemSite *site, uint64_t *regs)
{
    const uint64_t *spill = regs - FRAME_SAVE / 8;

    for (unsigned n = 0; n < site->num_locs; n++) {
        const SlotLoc *loc = &site->locs[n];

        cpu->slot[loc->slot] = loc->kind == LOC_REG ? regs[loc->where] :
                               loc->kind == LOC_SPILL ? spill[loc->where] : loc->value;
    }
    if (site->flags) {
        gen_flags_redo(cpu, site->flags);
    }
    cpu->pc = cpu->code_page | site->pc_offset;
    cpu->insn_word = site->insn_word;
    regs[R15] += site->refund;
}

/* In a run's first access, RAX' place is whatever it is. */
static bool run_has_entry(const MemSite *site, const uint64_t *regs, const TcgContext *t)
{
    return !site->in_run || regs[RAX] != (uintptr_t)&t->no_entry;
}

/*
 * Called from generated code on a TLB miss. regs is the save area; RCX's place takes the
 * addend, RAX's the first entry of the run's page. False: leave.
 */
static bool probe(Vcpu *cpu, const MemSite *site, uint64_t *regs)
{
    TcgContext *t = cpu->tcg;
    uint64_t vaddr = regs[site->addr_reg], first, addend;
    bool crosses = (vaddr & (PAGE_SIZE - 1)) + site->bytes > PAGE_SIZE, good;

    if (crosses) {
        good = probe_crossing(cpu, site, regs);
        addend = (uintptr_t)t->crossing - vaddr;
    } else {
        addend = mmu_probe(cpu, vaddr, site->bytes, site->memflags, site->write);
        good = addend != PROBE_BAIL;
        if (addend == PROBE_MMIO) {
            good = probe_mmio(cpu, site, regs);
            addend = (uintptr_t)&t->io_value - vaddr;
        }
    }
    if (!good) {
        restore_state(cpu, site, regs);
        return false;
    }
    regs[RCX] = addend;
    regs[R14] = (uintptr_t)cpu->tlb;   /* it may have grown */
    if (crosses && !site->in_run) {
        regs[RAX] = (uintptr_t)&t->no_entry;
    } else if (run_has_entry(site, regs, t)) {
        first = (vaddr - site->from_first) >> (PAGE_BITS - TLB_ENTRY_BITS) & cpu->tlb_mask;
        regs[RAX] = regs[R14] + first;
    }
    return true;
}

static bool probe_saves(unsigned reg)
{
    return reg != RSP && reg != RAX && reg != RCX && reg != RDX;
}

/* The stub returns when the entry at RAX is the one. */
static void emit_try_entry(Asm *a, bool in_run, bool write)
{
    uint8_t *miss;

    asm_alu_rm(a, true, ALU_CMP, RCX, RAX, write ? offsetof(TlbEntry, write_tag)
                                                 : offsetof(TlbEntry, read_tag));
    miss = asm_jcc(a, CC_NE);
    asm_load(a, true, RCX, RAX, offsetof(TlbEntry, addend));
    if (in_run) {
        asm_load(a, true, RAX, RSP, FRAME_SAVE + 8 + 8 * RAX);
    }
    asm_u8(a, 0xc3);
    asm_patch(a, miss, a->p);
}

/*
 * After a look-up that failed: RCX = what was compared, RDX = MemSite, RAX = the page's first
 * entry. In a run: RAX = the access's other end, and its place in the save area = the run's entry.
 * Returns the addend in RCX and an entry of the set of the run's page in RAX. All other general
 * registers but RDX survive, with keep_xmm the copies of vector registers too. The return
 * address lies between RSP and the frame.
 */
static void emit_probe(TcgContext *t, Asm *a, bool in_run, bool write, bool keep_xmm)
{
    const int32_t save = FRAME_SAVE + 8;
    uint8_t *good;

    if (in_run) {
        gen_find_entry(a, false);
        emit_try_entry(a, in_run, write);
    }
    if (t->tlb_way_bits) {
        asm_alu_ri(a, true, ALU_XOR, RAX,
                   sizeof(TlbEntry) << (t->tlb_min_bits - t->tlb_way_bits));
        emit_try_entry(a, in_run, write);
    }
    for (unsigned reg = 0; reg < 16; reg++) {
        if (probe_saves(reg)) {
            asm_store(a, true, reg, RSP, save + 8 * reg);
        }
    }
    if (keep_xmm) {
        gen_xmm_save(a, FRAME_XMM + 8);
    }
    asm_mov_rr(a, true, RDI, RBP);
    asm_mov_rr(a, true, RSI, RDX);
    asm_lea(a, true, RDX, RSP, save);
    asm_alu_ri(a, true, ALU_SUB, RSP, 8);     /* alignment */
    asm_call_abs(a, (const void *)probe);
    asm_alu_ri(a, true, ALU_ADD, RSP, 8);
    asm_op_rr8(a, 0x84, RAX, RAX);            /* TEST AL, AL */
    for (unsigned reg = 0; reg < 16; reg++) {
        if (probe_saves(reg) || reg == RAX || reg == RCX) {
            asm_load(a, true, reg, RSP, save + 8 * reg);
        }
    }
    if (keep_xmm) {
        gen_xmm_restore(a, FRAME_XMM + 8);
    }
    good = asm_jcc(a, CC_NE);
    asm_alu_ri(a, true, ALU_ADD, RSP, 8);     /* the return address */
    asm_mov_ri(a, RAX, EXIT_KIND_BAIL);
    asm_jmp_to(a, gen_stubs(t)->leave);
    asm_patch(a, good, a->p);
    asm_u8(a, 0xc3);
}

static Asm arena_asm(CodeArena *arena)
{
    return (Asm){ .p = arena->rw + arena->used, .end = arena->rw + arena->size,
                  .exec_delta = arena->rx - arena->rw };
}

static uint8_t host_features(void)
{
    unsigned eax, ebx = 0, ecx, edx;

    /* GCC's names do not include SHA: CPUID leaf 7, EBX bit 29. */
    __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx);
    return (__builtin_cpu_supports("sse4.2") ? GEN_HAS_SSE42 : 0) |
           (__builtin_cpu_supports("aes") ? GEN_HAS_AES : 0) |
           (__builtin_cpu_supports("pclmul") ? GEN_HAS_PCLMUL : 0) |
           (ebx >> 29 & 1 ? GEN_HAS_SHA : 0) |
           (__builtin_cpu_supports("fma") ? GEN_HAS_FMA : 0);
}

static bool x86_init(TcgContext *t, CodeArena *arena, Error **errp)
{
    GenStubs *stubs = g_new0(GenStubs, 1);
    Asm a = arena_asm(arena);

    /* Neighbouring pages never share an entry (gen-mem.c). */
    assert(t->tlb_way_bits < t->tlb_min_bits);
    t->backend_data = stubs;
    __builtin_cpu_init();
    stubs->has_lzcnt = __builtin_cpu_supports("lzcnt");
    stubs->features = host_features();
    stubs->enter = asm_exec(&a, a.p);
    emit_enter(&a);
    stubs->leave = asm_exec(&a, a.p);
    emit_leave(&a);
    for (unsigned n = 0; n < 8; n++) {
        bool in_run = n >> 2, write = n >> 1 & 1, keep_xmm = n & 1;

        stubs->probe[in_run][write][keep_xmm] = asm_exec(&a, a.p);
        emit_probe(t, &a, in_run, write, keep_xmm);
    }
    gen_fp_stubs(&a, stubs);
    gen_sse_consts(&a, stubs);
    arena->used = a.p - arena->rw;
    if (a.overflow) {
        error_setg(errp, "the translation cache of %zu bytes is too small", arena->size);
        return false;
    }
    return true;
}

/* ---- units ---- */

/* Behind an instruction with a sync helper, the word is gone unless it is the helper's to say. */
static void clear_word(Gen *g, const IrInsn *i)
{
    if (g->word_stored && ir_op_has_word(i->op) && i->op != IR_exit_main_helper) {
        gen_store_word(g, 0);
        g->word_stored = false;
    }
}

static void gen_insn(Gen *g, const IrInsn *i)
{
    clear_word(g, i);
    gen_run_note(g, i);
    switch (i->op) {
    case IR_insn:
        g->insn_index += g->insn_pc_valid;
        g->insn_pc_valid = true;
        g->insn_pc = i->imm;
        g->insn_word = ir_insn_word(i);
        break;
    case IR_const:
        break;
    case IR_pcrel:
        gen_address(g, gen_def(g, i->dst), i->imm);
        break;
    case IR_get:
        gen_get_slot(g, i->aux, i->dst);
        break;
    case IR_set:
        gen_set_slot(g, i->aux, i->arg[0]);
        break;
    case IR_ld_env:
        gen_ld_env(g, i);
        break;
    case IR_st_env:
        gen_st_env(g, i);
        break;
    case IR_ccmp: case IR_ccmn:
        gen_ccmp(g, i);
        break;
    case IR_get_nzcv:
        gen_get_nzcv(g, i);
        break;
    case IR_set_nzcv:
        gen_set_nzcv(g, i);
        break;
    case IR_sel:
        gen_sel(g, i);
        break;
    case IR_ld: case IR_st: case IR_ld2: case IR_st2:
    case IR_ld_vec: case IR_st_vec: case IR_stx:
        gen_memory(g, i);
        break;
    case IR_call:
        gen_call(g, i);
        break;
    case IR_vec:
        gen_vec(g, i);
        break;
    case IR_fp_vec:
        gen_fp_vec(g, i);
        break;
    case IR_fp: case IR_fp_cmp: case IR_fp_to_int: case IR_fp_from_int:
        gen_fp(g, i);
        break;
    case IR_exit_cond: case IR_exit_nz: case IR_exit_z: case IR_exit_bit:
        gen_side_exit(g, i);
        break;
    case IR_jmp: case IR_jmp_ind: case IR_exit_main: case IR_exit_main_helper:
        gen_final_exit(g, i);
        break;
    default:
        gen_alu(g, i);
        break;
    }
    gen_release(g, i);
}

static bool x86_compile(TcgContext *t, CodeArena *arena, const IrUnit *u, Unit *unit, bool link)
{
    Gen g = { .a = arena_asm(arena), .t = t, .u = u, .unit = unit, .link = link,
              .flags_home = true };
    const uint8_t *entry = asm_exec(&g.a, g.a.p);

    g.val = g_new(GenValue, u->num_values + 1);
    g.use_after = g_malloc_n(u->num_insns, sizeof(*g.use_after));
    g.cold = g_array_new(false, false, sizeof(Cold));
    gen_fp_init(&g);
    g.locs = g_array_new(false, false, sizeof(SlotLoc));
    gen_regs_init(&g);
    gen_loop_entry(&g);
    gen_head(&g);
    for (g.n = 0; g.n < u->num_insns; g.n++) {
        gen_insn(&g, &u->insns[g.n]);
    }
    gen_cold(&g);
    unit->code = entry;
    unit->dead_code = asm_exec(&g.a, g.dead_exit);
    arena->used = ((g.a.p - arena->rw) + 15) & ~(size_t)15;
    g_free(g.val);
    g_free(g.use_after);
    g_array_free(g.cold, true);
    g_array_free(g.locs, true);
    return !g.a.overflow;
}

static uint64_t x86_enter(Vcpu *cpu, const void *code)
{
    typedef uint64_t Enter(Vcpu *, const void *);
    Enter *enter = (Enter *)(uintptr_t)gen_stubs(cpu->tcg)->enter;

    cpu->code_page = cpu->pc & ~(uint64_t)(PAGE_SIZE - 1);
    return enter(cpu, code);
}

static void x86_set_link(CodeArena *arena, ExitRec *exit, const void *code)
{
    ptrdiff_t delta = arena->rx - arena->rw;
    const uint8_t *target = code ? (const uint8_t *)code - delta : exit->unlinked;
    int32_t rel = (int32_t)(target - (exit->jump + 4));

    memcpy(exit->jump, &rel, 4);
}

static void x86_kill(CodeArena *arena, Unit *unit)
{
    uint8_t *entry = arena->rw + ((const uint8_t *)unit->code - arena->rx);
    int32_t rel = (int32_t)((const uint8_t *)unit->dead_code - ((const uint8_t *)unit->code + 5));

    entry[0] = 0xe9;
    memcpy(entry + 1, &rel, 4);
}

static const TcgBackend x86_backend = {
    .name = "x86-64",
    .init = x86_init,
    .compile = x86_compile,
    .enter = x86_enter,
    .set_link = x86_set_link,
    .kill = x86_kill,
};

const TcgBackend *const tcg_native_backend = &x86_backend;
