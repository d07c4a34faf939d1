/*
 * A target for the processor's frame: instructions of 2 and 4 bytes, of which the long ones may
 * cross pages, and a predicate over the instructions that follow (as T32's IT), which is
 * state in the instruction's word. It is the fake target of fake-vcpu.h with other operations.
 *
 * An instruction is one or two halfwords, little-endian:
 *
 *     15     14..12  11..8  7..0
 *     long   op      rd     low          a long one has 16 more bits of its immediate
 *
 * short 0  add   rd += sext(low)             long 0  mov   rd = imm
 *       1  addr  rd += r[low & 15]                1  add   rd += imm
 *       2  ld    rd = [r[low & 15]]               2  ld    rd = [imm]
 *       3  st    [r[low & 15]] = rd               3  st    [imm] = rd
 *       4  bnz   if rd: pc += 2 * sext(low)       4  b     pc += 2 * sext(imm, 11 bits)
 *       5  when  the next 1 + (low & 3)           5  trap  for rd = 0, else nothing
 *                instructions run while rd        6  mode  for rd < 4, else nothing
 *       6  note  a sync helper looks, and         7  add   rd += imm
 *                writes rd
 *       7  br    pc = rd, in the window
 *
 * imm = sext(low << 16 | second halfword). Addresses are of the window of 64 KiB from
 * TARGET_BASE on. In mode 1, all instructions are long, and PCs multiples of 4: of short ones the
 * second halfword means nothing. An exception goes to mode 0, to an address made of what
 * happened so far.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_TEST_TARGET_H
#define TESTS_TEST_TARGET_H

#include "fake-vcpu.h"

#define TARGET_BASE 0x10000ull
#define TARGET_PAGES 16
#define TARGET_RAM 0x100000ull
#define TARGET_DEVICE 0x300000ull
#define TARGET_REGS 16
/* The page table: a descriptor for each page of the window, in the last page of RAM. */
#define TARGET_TABLE (TARGET_RAM + 15 * PAGE_SIZE)

typedef enum TargetOp { OP_ADD, OP_ADDR, OP_LD, OP_ST, OP_BNZ, OP_WHEN, OP_NOTE, OP_BR } TargetOp;
typedef enum TargetLongOp {
    LONG_MOV, LONG_ADD, LONG_LD, LONG_ST, LONG_B, LONG_TRAP, LONG_MODE,
} TargetLongOp;

/* Why an exception was taken. */
typedef enum TargetCause {
    CAUSE_ABORT = 1, CAUSE_ALIGNMENT, CAUSE_TRAP, CAUSE_INTERRUPT,
} TargetCause;

typedef struct TargetInsn {
    bool is_long;
    unsigned op, rd, low;
    int64_t imm;
    unsigned bytes;
} TargetInsn;

static inline uint64_t target_address(uint64_t value)
{
    return TARGET_BASE + (value & (TARGET_PAGES * PAGE_SIZE - 1));
}

static inline int64_t target_sext(uint64_t value, unsigned bits)
{
    return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

static inline unsigned target_bytes(uint32_t mode, unsigned half)
{
    return mode || half >> 15 ? 4 : 2;
}

static inline TargetInsn target_decode(uint32_t mode, unsigned half, unsigned second)
{
    TargetInsn i = { .is_long = half >> 15, .op = half >> 12 & 7, .rd = half >> 8 & 15,
                     .low = half & 0xff, .bytes = target_bytes(mode, half) };

    i.imm = target_sext((uint64_t)i.low << 16 | second, 24);
    return i;
}

/* Assembler: initializers of halfwords. */
#define SHORT(op, rd, low) (uint16_t)((op) << 12 | (rd) << 8 | ((low) & 0xff))
#define LONG(op, rd, imm) (uint16_t)(0x8000 | (op) << 12 | (rd) << 8 | ((imm) >> 16 & 0xff)), \
                          (uint16_t)((imm) & 0xffff)

/* ---- the word: the predicate is state, the rest says something about the instruction ---- */

#define WORD_STATE 0xffu        /* register << 4 | instructions left, or 0 */

static inline uint32_t target_word(const TargetInsn *i, uint32_t state)
{
    return state | i->rd << 8 | i->op << 12 | (uint32_t)i->is_long << 15 | i->bytes << 16;
}

static inline uint32_t target_next_state(uint32_t state)
{
    return (state & 15) > 1 ? state - 1 : 0;
}

static inline uint32_t target_when(const TargetInsn *i)
{
    return i->rd << 4 | (1 + (i->low & 3));
}

/* ---- exceptions ---- */

/* What an exception leaves besides the PC, in env[]. */
enum { ENV_PC, ENV_WORD, ENV_ADDRESS, ENV_CAUSE, ENV_COUNT };

static inline uint64_t target_vector(uint64_t trace)
{
    return TARGET_BASE + (trace >> 8 & 0x3ffe);
}

static void target_exception(FakeCpu *cpu, TargetCause cause, uint64_t vaddr, uint32_t fault)
{
    Vcpu *vcpu = &cpu->vcpu;

    fake_note(cpu, cause << 8 | fault, vaddr);
    fake_note(cpu, vcpu->insn_word, vcpu->pc);
    cpu->env[ENV_PC] = vcpu->pc;
    cpu->env[ENV_WORD] = vcpu->insn_word;
    cpu->env[ENV_ADDRESS] = vaddr;
    cpu->env[ENV_CAUSE] = cause;
    cpu->env[ENV_COUNT]++;
    cpu->mode = 0;
    vcpu->pc = target_vector(cpu->trace);
    vcpu->insn_word = 0;
    vcpu->exit_request = 1;
    vcpu_space_changed(vcpu);
}

static void target_raise_abort(Vcpu *vcpu, uint64_t vaddr, MmuAccess access, uint32_t fault,
                               bool unpriv)
{
    target_exception(fake_cpu(vcpu), CAUSE_ABORT, vaddr, fault | access << 4);
}

static void target_raise_alignment(Vcpu *vcpu, uint64_t vaddr, MmuAccess access)
{
    target_exception(fake_cpu(vcpu), CAUSE_ALIGNMENT, vaddr, access << 4);
}

static bool target_take_interrupt(Vcpu *vcpu)
{
    vcpu->irq_pending = 0;
    target_exception(fake_cpu(vcpu), CAUSE_INTERRUPT, 0, 0);
    return true;
}

/* ---- helpers ---- */

/* Reads the word that it was called with, and writes rd; one time in four it wants out. */
static void target_note(Vcpu *vcpu)
{
    FakeCpu *cpu = fake_cpu(vcpu);
    uint32_t word = vcpu->insn_word;
    unsigned rd = word >> 8 & 15;

    fake_note(cpu, word, vcpu->slot[rd]);
    fake_note(cpu, 0x2000, vcpu->pc);
    vcpu->slot[rd] += cpu->trace & 0xff;
    if ((vcpu->slot[rd] & 3) == 3) {
        vcpu->pc += word >> 16;
        vcpu->insn_word = target_next_state(word & WORD_STATE);
        vcpu->exit_request = 1;
    }
}

static void target_trap(Vcpu *vcpu)
{
    target_exception(fake_cpu(vcpu), CAUSE_TRAP, 0, 0);
}

/* Asks for no exit: the unit ends behind it. */
static void target_change_mode(Vcpu *vcpu)
{
    FakeCpu *cpu = fake_cpu(vcpu);

    cpu->mode ^= 1;
    vcpu->pc += vcpu->insn_word >> 16;
    vcpu->insn_word = target_next_state(vcpu->insn_word & WORD_STATE);
    vcpu_space_changed(vcpu);
}

#define TARGET_HELPER(name_) \
    static const IrHelper helper_##name_ = { #name_, (void (*)(void))target_##name_, 0, \
                                             IR_HELPER_SYNC | IR_HELPER_VOID }
TARGET_HELPER(note);
TARGET_HELPER(trap);
TARGET_HELPER(change_mode);

/* ---- the front end ---- */

typedef struct TargetTranslation {
    IrBuilder *b;
    uint64_t pc;                /* of the next instruction */
    uint32_t state;             /* that the next one begins with */
    bool ended;
} TargetTranslation;

static void call(TargetTranslation *s, const IrHelper *h)
{
    ir_call(s->b, h, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}

static void call_and_end(TargetTranslation *s, const IrHelper *h)
{
    call(s, h);
    ir_exit_main_helper(s->b);
    s->ended = true;
}

/* A branch ends what a predicate covers. */
static void jump(TargetTranslation *s, uint64_t pc)
{
    s->b->exit_state = 0;
    ir_jmp(s->b, pc);
    s->ended = true;
}

static IrVal window(IrBuilder *b, IrVal value)
{
    return ir_add(b, W64, ir_and(b, W64, value, ir_const(b, TARGET_PAGES * PAGE_SIZE - 1)),
                  ir_const(b, TARGET_BASE));
}

static void translate_short(TargetTranslation *s, const TargetInsn *i, uint64_t pc)
{
    IrBuilder *b = s->b;
    unsigned rm = i->low & 15;

    switch (i->op) {
    case OP_ADD:
        ir_set(b, i->rd, ir_add(b, W64, ir_get(b, i->rd),
                                ir_const(b, (uint64_t)target_sext(i->low, 8))));
        break;
    case OP_ADDR:
        ir_set(b, i->rd, ir_add(b, W64, ir_get(b, i->rd), ir_get(b, rm)));
        break;
    case OP_LD:
        ir_set(b, i->rd, ir_ld(b, MEM_64, window(b, ir_get(b, rm))));
        break;
    case OP_ST:
        ir_st(b, MEM_64, window(b, ir_get(b, rm)), ir_get(b, i->rd));
        break;
    case OP_BNZ:
        b->exit_state = 0;
        ir_exit_nz(b, W64, ir_get(b, i->rd), pc + 2 * (uint64_t)target_sext(i->low, 8));
        break;
    case OP_WHEN:
        s->state = target_when(i);
        break;
    case OP_NOTE:
        call(s, &helper_note);
        break;
    default:
        b->exit_state = 0;
        ir_jmp_ind(b, window(b, ir_get(b, i->rd)));
        s->ended = true;
        break;
    }
}

static void translate_long(TargetTranslation *s, const TargetInsn *i, uint64_t pc)
{
    IrBuilder *b = s->b;

    switch (i->op) {
    case LONG_MOV:
        ir_set(b, i->rd, ir_const(b, (uint64_t)i->imm));
        break;
    case LONG_LD:
        ir_set(b, i->rd, ir_ld(b, MEM_64, ir_const(b, target_address(i->imm))));
        break;
    case LONG_ST:
        ir_st(b, MEM_64, ir_const(b, target_address(i->imm)), ir_get(b, i->rd));
        break;
    case LONG_B:
        jump(s, pc + 2 * (uint64_t)target_sext(i->imm, 11));
        break;
    case LONG_TRAP:
        if (i->rd == 0) {
            call_and_end(s, &helper_trap);
        }
        break;
    case LONG_MODE:
        if (i->rd < 4) {
            call_and_end(s, &helper_change_mode);
        }
        break;
    default:
        ir_set(b, i->rd, ir_add(b, W64, ir_get(b, i->rd), ir_const(b, (uint64_t)i->imm)));
        break;
    }
}

static void translate_insn(TargetTranslation *s, const TargetInsn *i)
{
    uint32_t state = s->state, next = target_next_state(state);
    uint64_t pc = s->pc;

    ir_insn(s->b, pc, i->bytes, target_word(i, state));
    s->pc += i->bytes;
    s->state = s->b->exit_state = next;
    if (state) {
        ir_exit_z(s->b, W64, ir_get(s->b, state >> 4), s->pc);
    }
    if (i->is_long) {
        translate_long(s, i, pc);
    } else {
        translate_short(s, i, pc);
    }
    s->b->exit_state = s->state;
}

static void target_translate(Vcpu *vcpu, IrBuilder *b, uint64_t pc, uint32_t mode,
                             const uint8_t *code, unsigned code_bytes, unsigned max_insns)
{
    TargetTranslation s = { .b = b, .pc = pc, .state = b->state };

    for (unsigned n = 0; !s.ended; n++) {
        unsigned left = code_bytes - (s.pc - pc), half, second = 0;
        const uint8_t *at = code + (s.pc - pc);
        TargetInsn i;

        if (n == max_insns || left < 2 || b->full || (n && vcpu_stop_before(vcpu, s.pc)) ||
            target_bytes(mode, at[0] | at[1] << 8) > left) {
            ir_jmp(b, s.pc);
            return;
        }
        half = at[0] | at[1] << 8;
        if (target_bytes(mode, half) == 4) {
            second = at[2] | at[3] << 8;
        }
        i = target_decode(mode, half, second);
        translate_insn(&s, &i);
    }
}

static uint8_t target_pc_align_mask(uint32_t mode)
{
    return mode ? 3 : 1;
}

static unsigned target_insn_bytes(uint32_t mode, const uint8_t *code)
{
    return target_bytes(mode, code[0] | code[1] << 8);
}

/* ---- address translation ---- */

/* Any descriptor means something; most are valid. */
#define DESC_INVALID 3u
#define DESC_WRITE 4u
#define DESC_EXEC 0x18u
/* Upper half of the descriptor of a page that is a device's; no random one is. */
#define DESC_DEVICE 0xdece0000ull
#define FAULT_INVALID 1
#define FAULT_RIGHTS 2

static inline uint32_t target_walk_desc(uint64_t desc, MmuAccess access, uint64_t *phys)
{
    *phys = TARGET_RAM + (desc >> PAGE_BITS) % TARGET_PAGES * PAGE_SIZE;
    if ((desc & 3) == DESC_INVALID) {
        return FAULT_INVALID;
    }
    if ((access == MMU_WRITE && !(desc & DESC_WRITE)) ||
        (access == MMU_FETCH && !(desc & DESC_EXEC))) {
        return FAULT_RIGHTS;
    }
    return 0;
}

static inline uint64_t target_desc_address(uint64_t vaddr)
{
    return TARGET_TABLE + 8 * ((vaddr - TARGET_BASE) >> PAGE_BITS);
}

static inline bool target_in_window(uint64_t vaddr)
{
    return vaddr >= TARGET_BASE && vaddr < TARGET_BASE + TARGET_PAGES * PAGE_SIZE;
}

static bool target_walk(FakeCpu *cpu, uint64_t vaddr, MmuAccess access, bool unpriv,
                        MmuResult *out)
{
    uint64_t desc;

    out->fault = FAULT_INVALID;
    if (!target_in_window(vaddr)) {
        return false;
    }
    g_assert_true(vcpu_phys_read64(&cpu->vcpu, target_desc_address(vaddr), &desc));
    out->step[out->num_steps++] = (MmuStep){ target_desc_address(vaddr), PAGE_BITS };
    out->fault = target_walk_desc(desc, access, &out->phys);
    if (desc >> 32 == DESC_DEVICE) {
        out->phys = TARGET_DEVICE;
    }
    out->attrs = TLB_VALID | TLB_READ | (desc & DESC_WRITE ? TLB_WRITE : 0) |
                 (desc & DESC_EXEC ? TLB_EXEC : 0);
    return !out->fault;
}

/* ---- the machine: one CPU, RAM ---- */

#define GOOD (DESC_WRITE | DESC_EXEC)

static const TcgConfig shapes[] = {
    { .interp = true, .unit_insns = 1 }, { .interp = true, .unit_insns = 7 },
    { .interp = true, .unit_insns = 64, .no_opt = true }, { .unit_insns = 1 }, { .unit_insns = 7 },
    { .unit_insns = 64 }, { .unit_insns = 64, .no_link = true },
    { .unit_insns = 7, .no_opt = true, .no_link = true },
    { .unit_insns = 64, .cache_bytes = 64 << 10 }, { .unit_insns = 64, .tlb_chaos = 77 },
};

#define FOR_EACH_SHAPE(shape) \
    for (const TcgConfig *shape = shapes; shape < shapes + ARRAY_SIZE(shapes); shape++)

typedef struct TargetMachine {
    Machine *m;
    TcgContext *tcg;
    FakeCpu *cpu;
    Vcpu *vcpu;
    VcpuOps ops;
    int64_t icount;
} TargetMachine;

static inline void target_write(TargetMachine *t, uint64_t phys, const void *bytes, size_t count)
{
    g_assert_true(memory_write(t->m->memory, phys, bytes, count));
}

static inline uint64_t target_desc(uint64_t phys, uint64_t rights)
{
    return (phys - TARGET_RAM) | rights;
}

static inline void target_map(TargetMachine *t, uint64_t vaddr, uint64_t desc)
{
    target_write(t, target_desc_address(vaddr), &desc, 8);
}

static inline void target_open(TargetMachine *t, const TcgConfig *config)
{
    TcgConfig c = *config;
    Error *err = NULL;

    *t = (TargetMachine){ .m = machine_new(NULL), .ops = fake_ops };
    t->ops.translate = target_translate;
    t->ops.insn_state = WORD_STATE;
    t->ops.pc_align_mask = target_pc_align_mask;
    t->ops.insn_bytes = target_insn_bytes;
    t->ops.raise_abort = target_raise_abort;
    t->ops.raise_alignment = target_raise_alignment;
    t->ops.take_interrupt = target_take_interrupt;
    memory_add_ram(t->m->memory, "ram", TARGET_RAM, TARGET_PAGES * PAGE_SIZE, false, NULL);
    clock_use_icount(t->m->clock, 0);
    c.cache_bytes = c.cache_bytes ? c.cache_bytes : 8 << 20;
    t->tcg = tcg_new(t->m, &c, &err);
    g_assert_nonnull(t->tcg);
    t->cpu = fake_cpu_new(t->m);
    t->cpu->walk = target_walk;
    t->vcpu = &t->cpu->vcpu;
    t->vcpu->ops = &t->ops;
    t->vcpu->pc = TARGET_BASE;
    for (unsigned n = 0; n < TARGET_PAGES; n++) {
        target_map(t, TARGET_BASE + n * PAGE_SIZE,
                   target_desc(TARGET_RAM + n * PAGE_SIZE, DESC_WRITE | DESC_EXEC));
    }
    tcg_add_vcpu(t->tcg, t->vcpu);
}

static inline void target_close(TargetMachine *t)
{
    tcg_free(t->tcg);
    free(t->cpu);
    machine_free(t->m);
}

/* At most `insns` instructions; stops as tcg_run() does. */
static inline TcgStop target_run(TargetMachine *t, int64_t insns)
{
    TcgStop stop;

    t->vcpu->left = insns;
    clock_set_slice(t->m->clock, t->icount + insns, &t->vcpu->left);
    stop = tcg_run(t->tcg, t->vcpu);
    t->icount += insns - t->vcpu->left;
    t->vcpu->left = 0;
    clock_set_slice(t->m->clock, t->icount, &t->vcpu->left);
    return stop;
}

#endif
