/*
 * The A64 translate loop: guest instructions of one page to one unit of IR,
 * dispatched to the chapters by the main encoding table (DDI 0487 C4.1).
 *
 * A unit follows unconditional branches within its page and falls through
 * conditional ones, which become side exits; it never holds an address twice.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/translate.h"

#include "target/arm/helpers.h"
#include "target/arm/syndrome.h"
#include "util/bitops.h"

#define GUEST_PAGE 4096u
#define INSN_BYTES 4u

/*
 * What an access with a misaligned SP as base gets for an address: bits 55..48
 * are neither all zero nor all one, so that it is outside every address space.
 */
#define NO_ADDRESS 0x0080000000000000ull

/* Instructions are little-endian whatever the data endianness. */
static uint32_t load_insn(const uint8_t *code)
{
    return code[0] | code[1] << 8 | code[2] << 16 | (uint32_t)code[3] << 24;
}

/* ---- the vocabulary of the chapters ---- */

IrVal a64_read_low(DisasContext *s, unsigned n)
{
    return n == 31 ? ir_const(s->b, 0) : ir_get(s->b, n);
}

IrVal a64_read(DisasContext *s, unsigned n, IrWidth w)
{
    IrVal v = a64_read_low(s, n);

    return w == W64 || n == 31 ? v : ir_zext(s->b, 32, v);
}

void a64_write(DisasContext *s, unsigned n, IrVal v)
{
    if (n != 31) {
        ir_set(s->b, n, v);
    }
}

IrVal a64_read_sp(DisasContext *s, unsigned n, IrWidth w)
{
    IrVal v = ir_get(s->b, n == 31 ? SLOT_SP : n);

    return w == W64 ? v : ir_zext(s->b, 32, v);
}

void a64_write_sp(DisasContext *s, unsigned n, IrVal v)
{
    if (n == 31) {
        s->sp_aligned = false;
        n = SLOT_SP;
    }
    ir_set(s->b, n, v);
}

IrVal a64_check_base(DisasContext *s, unsigned n, IrVal addr)
{
    IrVal low;

    if (n != 31 || s->sp_aligned || !(s->mode & MODE_SP_ALIGN)) {
        return addr;
    }
    /* The fault that follows is turned into the SP alignment fault. */
    s->sp_aligned = true;
    low = ir_and(s->b, W64, ir_get(s->b, SLOT_SP), ir_const(s->b, 15));
    return ir_selnz(s->b, low, ir_const(s->b, NO_ADDRESS), addr);
}

IrVal a64_read_base(DisasContext *s, unsigned n)
{
    return a64_check_base(s, n, a64_read_sp(s, n, W64));
}

void a64_write_back(DisasContext *s, unsigned n, IrVal base, int64_t moved)
{
    bool aligned = s->sp_aligned && moved % 16 == 0;

    a64_write_sp(s, n, base);
    if (n == 31) {
        s->sp_aligned = aligned;
    }
}

/* ---- data accesses ---- */

/* The parts of a memop. */
#define MEM_SIZE 7u
#define MEM_SIGNED (MEM_SIGNED32 | MEM_SIGNED64)

static bool big_endian(const DisasContext *s)
{
    return s->mode & MODE_BIG_ENDIAN;
}

/* The low 1 << size bytes in the other order, zero-extended. */
static IrVal swapped(DisasContext *s, unsigned size, IrVal v)
{
    switch (size) {
    case MEM_8:
        return v;
    case MEM_16:
        return ir_shr(s->b, W32, ir_bswap(s->b, W32, v), ir_const(s->b, 16));
    default:
        return ir_bswap(s->b, size == MEM_64 ? W64 : W32, v);
    }
}

/* What was loaded with memop less its sign extension. */
static IrVal from_big_endian(DisasContext *s, unsigned memop, IrVal v)
{
    unsigned size = memop & MEM_SIZE;

    v = swapped(s, size, v);
    if (memop & MEM_SIGNED) {
        v = ir_sext(s->b, memop & MEM_SIGNED64 ? W64 : W32, 8 << size, v);
    }
    return v;
}

IrVal a64_load(DisasContext *s, unsigned memop, IrVal addr)
{
    if (!big_endian(s)) {
        return ir_ld(s->b, memop, addr);
    }
    return from_big_endian(s, memop, ir_ld(s->b, memop & ~MEM_SIGNED, addr));
}

static IrVal to_memory(DisasContext *s, unsigned memop, IrVal v)
{
    return big_endian(s) ? swapped(s, memop & MEM_SIZE, v) : v;
}

void a64_store(DisasContext *s, unsigned memop, IrVal addr, IrVal v)
{
    ir_st(s->b, memop, addr, to_memory(s, memop, v));
}

void a64_load2(DisasContext *s, unsigned memop, IrVal addr, IrVal *first, IrVal *second)
{
    if (!big_endian(s)) {
        ir_ld2(s->b, memop, addr, first, second);
        return;
    }
    ir_ld2(s->b, memop & ~MEM_SIGNED, addr, first, second);
    *first = from_big_endian(s, memop, *first);
    *second = from_big_endian(s, memop, *second);
}

void a64_store2(DisasContext *s, unsigned memop, IrVal addr, IrVal first, IrVal second)
{
    ir_st2(s->b, memop, addr, to_memory(s, memop, first), to_memory(s, memop, second));
}

IrVal a64_store_exclusive(DisasContext *s, unsigned memop, IrVal addr, IrVal v, IrVal v2)
{
    return ir_stx(s->b, memop, addr, to_memory(s, memop, v),
                  v2.id ? to_memory(s, memop, v2) : v2);
}

/* The bytes of a whole register are reversed: its upper half comes first. */
void a64_load_vec(DisasContext *s, unsigned memop, IrVal addr, unsigned vt)
{
    unsigned size = memop & MEM_SIZE, flags = memop & ~MEM_SIZE;
    IrVal low, high;

    if (!big_endian(s)) {
        ir_ld_vec(s->b, memop, addr, arm_v_offset(vt));
        return;
    }
    if (size == MEM_128) {
        a64_load2(s, MEM_64 | flags, addr, &high, &low);
    } else {
        low = a64_load(s, memop, addr);
        high = ir_const(s->b, 0);
    }
    ir_st_env(s->b, 8, arm_v_offset(vt), low);
    ir_st_env(s->b, 8, arm_v_offset(vt) + 8, high);
}

void a64_store_vec(DisasContext *s, unsigned memop, IrVal addr, unsigned vt)
{
    unsigned size = memop & MEM_SIZE, flags = memop & ~MEM_SIZE;
    IrVal low;

    if (!big_endian(s)) {
        ir_st_vec(s->b, memop, addr, arm_v_offset(vt));
        return;
    }
    low = ir_ld_env(s->b, 8, arm_v_offset(vt));
    if (size == MEM_128) {
        a64_store2(s, MEM_64 | flags, addr, ir_ld_env(s->b, 8, arm_v_offset(vt) + 8), low);
    } else {
        a64_store(s, memop, addr, low);
    }
}

void a64_watch(DisasContext *s, unsigned memop, unsigned count, bool pair, IrVal addr, bool store)
{
    uint32_t access = mem_bytes(memop) << WATCH_BYTES_SHIFT | count << WATCH_COUNT_SHIFT;

    if (!(s->mode & (memop & MEM_UNPRIV ? MODE_WATCH_UNPRIV : MODE_WATCH))) {
        return;
    }
    access |= store ? WATCH_WRITE : 0;
    access |= memop & MEM_UNPRIV ? WATCH_UNPRIV : 0;
    if (memop & MEM_ALIGNED) {
        access |= pair ? WATCH_PAIR_ALIGNED : WATCH_ALIGNED;
    }
    ir_call(s->b, &helper_watchpoint, addr, ir_const(s->b, access), IR_NONE, IR_NONE);
}

/* ---- exceptions ---- */

void a64_exception(DisasContext *s, uint32_t syndrome_value)
{
    ir_call(s->b, &helper_exception, ir_const(s->b, syndrome_value), IR_NONE, IR_NONE, IR_NONE);
    ir_exit_main_helper(s->b);
    s->ended = true;
}

void a64_undefined(DisasContext *s)
{
    a64_exception(s, syndrome(EC_UNKNOWN, 0));
}

bool a64_fp_access(DisasContext *s)
{
    if (s->mode & MODE_FP_TRAP) {
        a64_exception(s, syndrome_fp_access());
        return false;
    }
    return true;
}

bool a64_sp_misaligned_access(ArmCpu *cpu)
{
    uint8_t code[INSN_BYTES];
    uint32_t insn;

    if (!(cpu->vcpu.slot[SLOT_SP] & 15) ||
        !(cpu->vcpu.ops->mode(&cpu->vcpu) & MODE_SP_ALIGN) ||
        !vcpu_peek(&cpu->vcpu, cpu->vcpu.pc, code, sizeof(code))) {
        return false;
    }
    /* Loads and stores (op0 = x1x0) but the literal ones have their base in Rn. */
    insn = load_insn(code);
    return extract32(insn, 25, 1) == 0 && extract32(insn, 27, 1) == 1 &&
           (insn & 0x3b000000) != 0x18000000 && extract32(insn, 5, 5) == 31;
}

uint64_t a64_store_fault_address(ArmCpu *cpu, uint64_t vaddr)
{
    uint8_t code[INSN_BYTES];
    uint32_t insn;

    if ((vaddr & 63) != DC_ZVA_PROBE ||
        !vcpu_peek(&cpu->vcpu, cpu->vcpu.pc, code, sizeof(code))) {
        return vaddr;
    }
    insn = load_insn(code);
    if ((insn & 0xffffffe0) != 0xd50b7420) {
        return vaddr;
    }
    return extract32(insn, 0, 5) == 31 ? 0 : cpu->vcpu.slot[extract32(insn, 0, 5)];
}

/* ---- the loop ---- */

/* Advanced SIMD loads and stores of structures: 0x00 110x at bits 31 and 29..24. */
static bool is_structure(uint32_t insn)
{
    return (insn & 0xbe000000) == 0x0c000000;
}

static bool dispatch(DisasContext *s, uint32_t insn)
{
    switch (extract32(insn, 25, 4)) {
    case 0x8:
    case 0x9:
        return a64_dpimm(s, insn);
    case 0xa:
    case 0xb:
        return a64_branch(s, insn);
    case 0x4:
    case 0x6:
    case 0xc:
    case 0xe:
        return is_structure(insn) ? a64_simd_ldst(s, insn) : a64_ldst(s, insn);
    case 0x5:
    case 0xd:
        return a64_dpreg(s, insn);
    case 0x7:
    case 0xf:
        return a64_fp(s, insn) || a64_simd(s, insn);
    default:
        return false;
    }
}

static bool ends_or_branches(uint32_t insn)
{
    return extract32(insn, 26, 3) == 5;
}

static void clear_pstate_ss(DisasContext *s)
{
    ir_st_env(s->b, 1, offsetof(ArmCpu, s.ss), ir_const(s->b, 0));
}

/* Before an instruction that may have a breakpoint. */
static void check_breakpoint(DisasContext *s)
{
    uint32_t offset = s->mode >> MODE_BREAKPOINT_OFFSET_SHIFT & (GUEST_PAGE / INSN_BYTES - 1);

    if ((s->mode & MODE_BREAKPOINT_ANY) ||
        ((s->mode & MODE_BREAKPOINT) && offset == s->pc % GUEST_PAGE / INSN_BYTES)) {
        ir_call(s->b, &helper_breakpoint, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    }
}

/*
 * Software step, active (DDI 0487 D2.12): when PSTATE.SS is already clear the step
 * exception comes before the instruction, else the instruction is run and clears it.
 * Branches and exceptions clear it first, since nothing can follow them; they do not
 * access memory. An instruction that faults or is undefined leaves it set.
 */
static void translate_step(DisasContext *s, uint32_t insn)
{
    ir_call(s->b, &helper_software_step, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    check_breakpoint(s);
    if (ends_or_branches(insn)) {
        clear_pstate_ss(s);
    }
    if (!dispatch(s, insn)) {
        a64_undefined(s);
    }
    if (!s->ended) {
        if (!ends_or_branches(insn)) {
            clear_pstate_ss(s);
        }
        ir_exit_main(s->b, s->branched ? s->pc : s->pc + INSN_BYTES);
        s->ended = true;
    }
}

/* States in which no instruction runs normally; true when the unit has been ended. */
static bool translate_abnormal(DisasContext *s, const uint8_t *code)
{
    if (s->mode & MODE_SS) {
        /* Software step exceptions have priority over Illegal State. */
        ir_insn(s->b, s->pc, INSN_BYTES, 0);
        if (s->mode & MODE_IL) {
            ir_call(s->b, &helper_software_step, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
            check_breakpoint(s);
            a64_exception(s, syndrome(EC_ILLEGAL_STATE, 0));
        } else {
            translate_step(s, load_insn(code));
        }
    } else if (s->mode & MODE_IL) {
        ir_insn(s->b, s->pc, INSN_BYTES, 0);
        check_breakpoint(s);
        a64_exception(s, syndrome(EC_ILLEGAL_STATE, 0));
    }
    return s->ended;
}

/* What of a page a unit has seen. */
typedef struct PageView {
    uint64_t base;              /* virtual address of the first byte that may be read */
    unsigned bytes;
    const uint8_t *code;        /* of base */
    uint32_t visited[GUEST_PAGE / INSN_BYTES / 32];
} PageView;

/*
 * `code_bytes` are left on the page from pc on. When they reach exactly to its
 * end, the bytes before pc are there as well, so that backward branches can be followed.
 */
static void view_init(PageView *v, uint64_t pc, const uint8_t *code, unsigned code_bytes)
{
    unsigned before = pc % GUEST_PAGE;

    if (before + code_bytes != GUEST_PAGE) {
        before = 0;
    }
    *v = (PageView){ .base = pc - before, .bytes = before + code_bytes, .code = code - before };
}

/* True the first time that pc, on the page, is asked for. */
static bool view_visit(PageView *v, uint64_t pc)
{
    uint64_t offset = pc - v->base;
    unsigned n = offset / INSN_BYTES;

    if (offset > v->bytes - INSN_BYTES || (v->visited[n / 32] & BIT(n % 32))) {
        return false;
    }
    v->visited[n / 32] |= BIT(n % 32);
    return true;
}

void a64_translate(Vcpu *cpu, IrBuilder *b, uint64_t pc, uint32_t mode, const uint8_t *code,
                   unsigned code_bytes, unsigned max_insns)
{
    DisasContext s = { .b = b, .cpu = arm_cpu(cpu), .pc = pc, .mode = mode };
    PageView view;

    assert(max_insns > 0 && pc % INSN_BYTES == 0);
    b->mem_flags = mode & MODE_MMU_OFF ? MEM_DIRECT_ALIGNED : 0;
    if (translate_abnormal(&s, code)) {
        return;
    }
    view_init(&view, pc, code, code_bytes);
    for (unsigned n = 0; !s.ended; n++) {
        uint32_t insn;

        if (n == max_insns || b->full || (n > 0 && vcpu_stop_before(cpu, s.pc)) ||
            !view_visit(&view, s.pc)) {
            ir_jmp(b, s.pc);
            return;
        }
        insn = load_insn(view.code + (s.pc - view.base));
        ir_insn(b, s.pc, INSN_BYTES, 0);
        check_breakpoint(&s);
        s.branched = false;
        if (!dispatch(&s, insn)) {
            a64_undefined(&s);
        } else if (!s.branched) {
            s.pc += INSN_BYTES;
        }
    }
}
