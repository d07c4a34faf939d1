/*
 * Guest memory: the inline look-up in the data TLB, the access, and the record
 * that lets the slow path give up and restore the state.
 *
 *     mov  eax, addr;  shr eax, 6;  and eax, [mask];  add rax, r14
 *     lea  rcx, [addr + bytes - 1];  and rcx, -4096;  cmp rcx, [rax + tag];  jne slow
 *     mov  rcx, [rax + addend]
 *     mov  value, [rcx + addr]
 *
 * An access that crosses the page compares the wrong page and goes slow. Slow means: a stub that
 * looks at the page's second entry (RAX and RCX are as the look-up left them) and then calls
 * mmu_probe(), or mmu_cross(), which makes the access for generated code to repeat it in a
 * buffer. The stub is not in the unit's cold code: one access in some hundred comes there, and
 * what the code's size costs is measured in whole boots.
 *
 * Accesses at constant distances from one register are mostly on one page. Those that follow
 * the first one, with nothing between that needs RAX, are a *run* with it and leave out the first
 * line: they compare with the entry that it found. This is right, because
 *
 * 1. The first access is whole on its page P, or RAX is an entry that nothing equals, or the slow
 *    path has left the unit.
 * 2. RAX is an entry of P's set. The numbers of all pages of a set are even, or all are
 *    odd, so an entry there may be P's, but not that of a page next to P.
 * 3. An access behind the first one compares its end, one before it (which ends before the first
 *    one does) its start. Either is on P or on the page next to it, so equal means P, and
 *    then the access's other end, which lies between it and the first access, is on P, too.
 *
 * When they differ, the run's own stub looks the access up anew: it finds the entry by the end that
 * was not compared, so one that crosses fails again. Behind it, RAX is as before.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen.h"

static unsigned access_bytes(const IrInsn *i)
{
    bool pair = i->op == IR_ld2 || i->op == IR_st2 || (i->op == IR_stx && i->arg[2]);

    return mem_bytes(i->aux) << pair;
}

static bool is_write(const IrInsn *i)
{
    return i->op == IR_st || i->op == IR_st2 || i->op == IR_st_vec || i->op == IR_stx;
}

static MemSite *new_site(Gen *g, const IrInsn *i, HostReg addr, HostReg value)
{
    unsigned first = g->locs->len, count = gen_capture(g);
    MemSite *site = tcg_meta_alloc(g->t, sizeof(*site) + count * sizeof(SlotLoc));

    site->pc_offset = g->insn_pc & (PAGE_SIZE - 1);
    site->refund = g->u->num_guest_insns - g->insn_index;
    site->insn_word = g->insn_word;
    site->memflags = (i->aux & ~7u) | (i->op == IR_stx ? MEM_EXCL : 0);
    site->bytes = access_bytes(i);
    site->write = is_write(i);
    site->addr_reg = addr;
    site->value_reg = value;
    site->pair[0] = site->pair[1] = RSP;
    site->in_run = false;
    site->from_first = 0;
    site->vec_offset = i->op == IR_st_vec ? i->imm : 0;
    site->flags = g->flags_home ? NULL : g->flags_recipe;
    site->num_locs = count;
    if (count) {
        memcpy(site->locs, &g_array_index(g->locs, SlotLoc, first), count * sizeof(SlotLoc));
    }
    g_array_set_size(g->locs, first);
    return site;
}

/* ---- runs ---- */

/* A constant that no instruction has as an operand. */
static bool is_wide_const(const Gen *g, const IrInsn *i, unsigned arg)
{
    int32_t imm;

    return g->u->is_const[i->arg[arg]] && !gen_imm32(g, i->arg[arg], i->flags & IRF_W64, &imm);
}

/* Whether RAX is as before behind the instruction. Accesses and gen-flags.c see to it themselves. */
static bool keeps_rax(const Gen *g, const IrInsn *i)
{
    switch (i->op) {
    case IR_add: case IR_sub: case IR_and: case IR_or: case IR_xor:
        return !is_wide_const(g, i, 0) && !is_wide_const(g, i, 1);
    case IR_insn: case IR_const: case IR_get: case IR_set: case IR_ld_env:
    case IR_st_env: case IR_shl: case IR_shr: case IR_sar: case IR_ror: case IR_mul: case IR_extr:
    case IR_not: case IR_neg: case IR_bswap: case IR_zext: case IR_sext: case IR_extract:
    case IR_sextract: case IR_selnz: case IR_exit_cond: case IR_exit_nz: case IR_exit_z:
    case IR_exit_bit:
        return true;
    default:
        return ir_op_has(i->op, 'M') && i->op != IR_stx;
    }
}

void gen_run_note(Gen *g, const IrInsn *i)
{
    uint64_t c;

    if (!keeps_rax(g, i)) {
        g->run.root = 0;
    }
    if ((i->op == IR_add || i->op == IR_sub) && (i->flags & IRF_W64) &&
        gen_is_const(g, i->arg[1], &c)) {
        const GenValue *x = &g->val[i->arg[0]];

        g->val[i->dst].root = x->root;
        g->val[i->dst].distance = x->distance + (i->op == IR_add ? c : -c);
    }
}

/* Whether the access goes on with the run, see the top of the file. */
static bool in_run(const Gen *g, const IrInsn *i, int16_t *from_first)
{
    const GenValue *addr = &g->val[i->arg[0]];
    int64_t from = (int64_t)(addr->distance - g->run.distance);
    unsigned bytes = access_bytes(i);

    if (!g->run.root || addr->root != g->run.root || (i->aux & MEM_UNPRIV) || i->op == IR_stx ||
        from < -(int64_t)PAGE_SIZE || from > (int64_t)(PAGE_SIZE - bytes) ||
        (from < 0 && from + bytes > g->run.bytes)) {
        return false;
    }
    *from_first = from;
    return true;
}

static void begin_run(Gen *g, const IrInsn *i)
{
    const GenValue *addr = &g->val[i->arg[0]];

    g->run = (MemRun){ .root = i->aux & MEM_UNPRIV || i->op == IR_stx ? 0 : addr->root,
                       .distance = addr->distance, .bytes = access_bytes(i) };
}

/* ---- the look-up ---- */

void gen_find_entry(Asm *a, bool unpriv)
{
    asm_shift_i(a, false, SHIFT_SHR, RAX, PAGE_BITS - TLB_ENTRY_BITS);
    if (unpriv) {
        asm_alu_rm(a, false, ALU_AND, RAX, RBP, offsetof(Vcpu, tlb_mask_unpriv));
        asm_alu_rm(a, true, ALU_ADD, RAX, RBP, offsetof(Vcpu, tlb_unpriv));
    } else {
        asm_alu_rm(a, false, ALU_AND, RAX, RBP, offsetof(Vcpu, tlb_mask));
        asm_alu_rr(a, true, ALU_ADD, RAX, R14);
    }
}

/* Leaves the addend in RCX, and RAX for the run. value: see MemSite. */
static MemSite *lookup(Gen *g, const IrInsn *i, HostReg addr, HostReg value)
{
    Asm *a = &g->a;
    unsigned bytes = access_bytes(i);
    int32_t page_mask = -(int32_t)PAGE_SIZE;
    Cold cold = { .kind = COLD_MEM, .keep_xmm = gen_xmm_any(g) };

    assert(g->flags_home || g->flags_recipe);
    cold.site = new_site(g, i, addr, value);
    cold.in_run = cold.site->in_run = in_run(g, i, &cold.site->from_first);
    if (!cold.in_run) {
        begin_run(g, i);
        asm_mov_rr(a, false, RAX, addr);
        gen_find_entry(a, i->aux & MEM_UNPRIV);
    }
    if (i->aux & (MEM_ALIGNED | MEM_DIRECT_ALIGNED)) {
        asm_mov_rr(a, true, RCX, addr);
        page_mask |= bytes - 1;
    } else if (bytes > 1 && cold.site->from_first >= 0) {
        asm_lea(a, true, RCX, addr, bytes - 1);
    } else {
        asm_mov_rr(a, true, RCX, addr);
    }
    asm_alu_ri(a, true, ALU_AND, RCX, page_mask);
    asm_alu_rm(a, true, ALU_CMP, RCX, RAX, is_write(i) ? offsetof(TlbEntry, write_tag)
                                                       : offsetof(TlbEntry, read_tag));
    cold.jump = asm_jcc(a, CC_NE);
    asm_load(a, true, RCX, RAX, offsetof(TlbEntry, addend));
    cold.back = a->p;
    g_array_append_val(g->cold, cold);
    gen_flags_clobbered(g);
    return cold.site;
}

static void load_element(Gen *g, unsigned memop, HostReg dst, HostReg addr, int disp)
{
    bool is_signed = memop & (MEM_SIGNED32 | MEM_SIGNED64), w = memop & MEM_SIGNED64;

    switch (memop & 7) {
    case MEM_8:
        asm_op_rmx(&g->a, w, 0, is_signed ? 0x0fbe : 0x0fb6, dst, RCX, addr, disp, false);
        break;
    case MEM_16:
        asm_op_rmx(&g->a, w, 0, is_signed ? 0x0fbf : 0x0fb7, dst, RCX, addr, disp, false);
        break;
    case MEM_32:
        asm_op_rmx(&g->a, w, 0, w ? 0x63 : 0x8b, dst, RCX, addr, disp, false);
        break;
    default:
        asm_op_rmx(&g->a, true, 0, 0x8b, dst, RCX, addr, disp, false);
        break;
    }
}

static void store_element(Gen *g, unsigned memop, HostReg src, HostReg addr, int disp)
{
    switch (memop & 7) {
    case MEM_8:
        asm_op_rmx(&g->a, false, 0, 0x88, src, RCX, addr, disp, true);
        break;
    case MEM_16:
        asm_op_rmx(&g->a, false, 0x66, 0x89, src, RCX, addr, disp, false);
        break;
    case MEM_32:
        asm_op_rmx(&g->a, false, 0, 0x89, src, RCX, addr, disp, false);
        break;
    default:
        asm_op_rmx(&g->a, true, 0, 0x89, src, RCX, addr, disp, false);
        break;
    }
}

static void gen_load(Gen *g, const IrInsn *i)
{
    HostReg addr = gen_use(g, i->arg[0]), dst, dst2 = RDX;
    unsigned bytes = mem_bytes(i->aux);

    /* Results get registers before the look-up: an eviction must not come between
     * the state map and the access. They differ from the address. */
    dst = gen_def(g, i->dst);
    if (i->op == IR_ld2) {
        dst2 = gen_def(g, i->dst2);
    }
    lookup(g, i, addr, i->op == IR_ld ? RAX : RSP);
    load_element(g, i->aux, dst, addr, 0);
    if (i->op == IR_ld2) {
        load_element(g, i->aux, dst2, addr, bytes);
    }
    if (i->aux & MEM_EXCL) {
        asm_store(&g->a, true, addr, RBP, offsetof(Vcpu, excl_addr));
        asm_store(&g->a, true, dst, RBP, offsetof(Vcpu, excl_val));
        if (i->op == IR_ld2) {
            asm_store(&g->a, true, dst2, RBP, offsetof(Vcpu, excl_val) + 8);
        } else {
            asm_store_i32(&g->a, RBP, offsetof(Vcpu, excl_val) + 8, 0);
        }
    }
}

static void gen_store(Gen *g, const IrInsn *i)
{
    HostReg addr = gen_use(g, i->arg[0]), v = gen_use(g, i->arg[1]), v2 = RDX;
    MemSite *site;

    if (i->op == IR_st2) {
        v2 = gen_use(g, i->arg[2]);
    }
    site = lookup(g, i, addr, i->op == IR_st ? v : RSP);
    if (i->op == IR_st2) {
        site->pair[0] = v;
        site->pair[1] = v2;
    }
    store_element(g, i->aux, v, addr, 0);
    if (i->op == IR_st2) {
        store_element(g, i->aux, v2, addr, mem_bytes(i->aux));
    }
}

static void compare_element(Gen *g, unsigned memop, HostReg addr, unsigned index)
{
    load_element(g, memop & 7, RAX, addr, index * mem_bytes(memop));
    asm_alu_rm(&g->a, true, ALU_CMP, RAX, RBP, offsetof(Vcpu, excl_val) + 8 * index);
}

/* See do_store_exclusive() in the interpreter for the order of things. */
static void gen_store_exclusive(Gen *g, const IrInsn *i)
{
    Asm *a = &g->a;
    HostReg addr = gen_use(g, i->arg[0]), v = gen_use(g, i->arg[1]), v2 = RDX, status;
    uint8_t *other_addr, *other_value, *other_value2 = NULL;
    bool pair = i->arg[2] != 0;

    if (pair) {
        v2 = gen_use(g, i->arg[2]);
    }
    status = gen_def(g, i->dst);
    asm_mov_ri(a, status, 1);
    asm_alu_rm(a, true, ALU_CMP, addr, RBP, offsetof(Vcpu, excl_addr));
    other_addr = asm_jcc(a, CC_NE);
    lookup(g, i, addr, RSP);
    compare_element(g, i->aux, addr, 0);
    other_value = asm_jcc(a, CC_NE);
    if (pair) {
        compare_element(g, i->aux, addr, 1);
        other_value2 = asm_jcc(a, CC_NE);
    }
    store_element(g, i->aux, v, addr, 0);
    if (pair) {
        store_element(g, i->aux, v2, addr, mem_bytes(i->aux));
    }
    asm_mov_ri(a, status, 0);
    asm_patch(a, other_addr, a->p);
    asm_patch(a, other_value, a->p);
    if (pair) {
        asm_patch(a, other_value2, a->p);
    }
    asm_store_i32(a, RBP, offsetof(Vcpu, excl_addr), -1);
}

static void gen_load_vec(Gen *g, const IrInsn *i)
{
    Asm *a = &g->a;
    HostReg addr = gen_use(g, i->arg[0]);
    unsigned bytes = mem_bytes(i->aux), x;

    lookup(g, i, addr, RSP);
    x = gen_xmm_define(g, i->imm, MAX(bytes, 4));
    switch (i->aux & 7) {
    case MEM_128:
        asm_op_rmx(a, false, 0xf3, 0x0f6f, x, RCX, addr, 0, false);   /* MOVDQU */
        break;
    case MEM_64:
        asm_op_rmx(a, false, 0xf3, 0x0f7e, x, RCX, addr, 0, false);   /* MOVQ */
        break;
    case MEM_32:
        asm_op_rmx(a, false, 0x66, 0x0f6e, x, RCX, addr, 0, false);   /* MOVD */
        break;
    default:
        load_element(g, i->aux & 7, RDX, addr, 0);
        asm_op_rr(a, false, 0x66, 0x0f6e, x, RDX);
        break;
    }
    asm_op_rm(a, false, 0x66, 0x0f7f, x, RBP, i->imm);                /* MOVDQA */
}

static void gen_store_vec(Gen *g, const IrInsn *i)
{
    Asm *a = &g->a;
    HostReg addr = gen_use(g, i->arg[0]);

    lookup(g, i, addr, RSP);
    if ((i->aux & 7) == MEM_128) {
        asm_op_rm(a, false, 0x66, 0x0f6f, 0, RBP, i->imm);
        asm_op_rmx(a, false, 0xf3, 0x0f7f, 0, RCX, addr, 0, false);
    } else {
        asm_load(a, true, RDX, RBP, i->imm);
        store_element(g, i->aux, RDX, addr, 0);
    }
}

void gen_memory(Gen *g, const IrInsn *i)
{
    switch (i->op) {
    case IR_ld: case IR_ld2: gen_load(g, i); break;
    case IR_st: case IR_st2: gen_store(g, i); break;
    case IR_stx: gen_store_exclusive(g, i); break;
    case IR_ld_vec: gen_load_vec(g, i); break;
    default: gen_store_vec(g, i); break;
    }
}

/* ---- CPU state by offset ---- */

void gen_ld_env(Gen *g, const IrInsn *i)
{
    HostReg dst = gen_def(g, i->dst);

    switch (i->aux) {
    case 1: asm_op_rm(&g->a, false, 0, 0x0fb6, dst, RBP, i->imm); break;
    case 2: asm_op_rm(&g->a, false, 0, 0x0fb7, dst, RBP, i->imm); break;
    case 4: asm_load(&g->a, false, dst, RBP, i->imm); break;
    default: asm_load(&g->a, true, dst, RBP, i->imm); break;
    }
}

void gen_st_env(Gen *g, const IrInsn *i)
{
    int32_t imm;
    HostReg v;

    gen_xmm_forget(g, i->imm);
    if (i->aux == 8 && gen_imm32(g, i->arg[0], true, &imm)) {
        asm_store_i32(&g->a, RBP, i->imm, imm);
        return;
    }
    v = gen_use(g, i->arg[0]);
    switch (i->aux) {
    case 1: asm_op_rm8(&g->a, 0x88, v, RBP, i->imm); break;
    case 2: asm_op_rm(&g->a, false, 0x66, 0x89, v, RBP, i->imm); break;
    case 4: asm_store(&g->a, false, v, RBP, i->imm); break;
    default: asm_store(&g->a, true, v, RBP, i->imm); break;
    }
}
