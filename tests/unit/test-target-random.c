/*
 * Random programs of the target of test-target.h, in every shape of execution, beside a model of it
 * that runs one instruction after the other and knows nothing of units, links and caches. In
 * between, code and page tables change, interrupts come, and breakpoints come and go.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "test-target.h"

/* ---- the model ---- */

typedef struct Model {
    uint8_t ram[TARGET_PAGES * PAGE_SIZE];
    uint64_t r[TARGET_REGS], pc, trace;
    uint64_t env[FAKE_ENV_WORDS];
    uint32_t state, mode;
    bool irq;
    int64_t icount;
} Model;

static void model_note(Model *m, uint64_t what, uint64_t value)
{
    m->trace = fake_mix(m->trace, what);
    m->trace = fake_mix(m->trace, value);
    m->trace = fake_mix(m->trace, (uint64_t)m->icount);
}

static void model_exception(Model *m, TargetCause cause, uint64_t vaddr, uint32_t fault,
                            uint32_t word)
{
    model_note(m, cause << 8 | fault, vaddr);
    model_note(m, word, m->pc);
    m->env[ENV_PC] = m->pc;
    m->env[ENV_WORD] = word;
    m->env[ENV_ADDRESS] = vaddr;
    m->env[ENV_CAUSE] = cause;
    m->env[ENV_COUNT]++;
    m->mode = m->state = 0;
    m->pc = target_vector(m->trace);
}

/* Offset in RAM; false after the exception. */
static bool model_translate(Model *m, uint64_t vaddr, MmuAccess access, uint32_t word,
                            uint64_t *offset)
{
    uint32_t fault = FAULT_INVALID;
    uint64_t desc, phys = 0;

    if (target_in_window(vaddr)) {
        memcpy(&desc, &m->ram[target_desc_address(vaddr) - TARGET_RAM], 8);
        fault = target_walk_desc(desc, access, &phys);
    }
    if (fault) {
        model_exception(m, CAUSE_ABORT, vaddr, fault | access << 4, word);
        return false;
    }
    *offset = phys - TARGET_RAM + vaddr % PAGE_SIZE;
    return true;
}

static bool model_access(Model *m, uint64_t vaddr, MmuAccess access, uint32_t word,
                         uint64_t *value)
{
    unsigned first = MIN(8, PAGE_SIZE - vaddr % PAGE_SIZE);
    uint64_t part[2] = { 0, 0 };
    uint8_t *bytes = (uint8_t *)value;

    if (!model_translate(m, vaddr, access, word, &part[0]) ||
        (first < 8 && !model_translate(m, vaddr + first, access, word, &part[1]))) {
        return false;
    }
    for (unsigned n = 0; n < 8; n++) {
        uint8_t *at = &m->ram[n < first ? part[0] + n : part[1] + n - first];

        if (access == MMU_WRITE) {
            *at = bytes[n];
        } else {
            bytes[n] = *at;
        }
    }
    return true;
}

static bool model_fetch(Model *m, TargetInsn *out)
{
    unsigned half[2] = { 0, 0 }, rest = PAGE_SIZE - m->pc % PAGE_SIZE;
    uint64_t at;

    if (m->pc & (m->mode ? 3 : 1)) {
        model_exception(m, CAUSE_ALIGNMENT, m->pc, MMU_FETCH << 4, m->state);
        return false;
    }
    if (!model_translate(m, m->pc, MMU_FETCH, m->state, &at)) {
        return false;
    }
    half[0] = m->ram[at] | m->ram[at + 1] << 8;
    if (target_bytes(m->mode, half[0]) == 4) {
        at += 2;
        if (rest == 2 && !model_translate(m, m->pc + 2, MMU_FETCH, m->state, &at)) {
            return false;
        }
        half[1] = m->ram[at] | m->ram[at + 1] << 8;
    }
    *out = target_decode(m->mode, half[0], half[1]);
    return true;
}

/* What an instruction does to the PC, which is behind it already, and to the state. */
typedef struct Effect {
    uint64_t pc;
    uint32_t state;
} Effect;

/* False after an exception. */
static bool model_long(Model *m, const TargetInsn *i, uint32_t word, Effect *e)
{
    uint64_t *rd = &m->r[i->rd];

    switch (i->op) {
    case LONG_MOV:
        *rd = (uint64_t)i->imm;
        return true;
    case LONG_LD:
        return model_access(m, target_address(i->imm), MMU_READ, word, rd);
    case LONG_ST:
        return model_access(m, target_address(i->imm), MMU_WRITE, word, rd);
    case LONG_B:
        *e = (Effect){ .pc = m->pc + 2 * (uint64_t)target_sext(i->imm, 11) };
        return true;
    case LONG_TRAP:
        if (i->rd == 0) {
            model_exception(m, CAUSE_TRAP, 0, 0, word);
        }
        return i->rd != 0;
    case LONG_MODE:
        m->mode ^= i->rd < 4;
        return true;
    default:
        *rd += (uint64_t)i->imm;
        return true;
    }
}

static bool model_short(Model *m, const TargetInsn *i, uint32_t word, Effect *e)
{
    uint64_t *rd = &m->r[i->rd], rm = m->r[i->low & 15];

    switch (i->op) {
    case OP_ADD:
        *rd += (uint64_t)target_sext(i->low, 8);
        return true;
    case OP_ADDR:
        *rd += rm;
        return true;
    case OP_LD:
        return model_access(m, target_address(rm), MMU_READ, word, rd);
    case OP_ST:
        return model_access(m, target_address(rm), MMU_WRITE, word, rd);
    case OP_BNZ:
        if (*rd) {
            *e = (Effect){ .pc = m->pc + 2 * (uint64_t)target_sext(i->low, 8) };
        }
        return true;
    case OP_WHEN:
        e->state = target_when(i);
        return true;
    case OP_NOTE:
        model_note(m, word, *rd);
        model_note(m, 0x2000, m->pc);
        *rd += m->trace & 0xff;
        return true;
    default:
        *e = (Effect){ .pc = target_address(*rd) };
        return true;
    }
}

static void model_insn(Model *m, const TargetInsn *i)
{
    uint32_t word = target_word(i, m->state);
    Effect e = { m->pc + i->bytes, target_next_state(m->state) };

    if ((m->state && !m->r[m->state >> 4]) ||
        (i->is_long ? model_long(m, i, word, &e) : model_short(m, i, word, &e))) {
        m->pc = e.pc;
        m->state = e.state;
    }
}

static void model_step(Model *m)
{
    TargetInsn i;

    if (m->irq) {
        m->irq = false;
        model_exception(m, CAUSE_INTERRUPT, 0, 0, m->state);
    } else if (model_fetch(m, &i)) {
        model_insn(m, &i);
    }
    m->icount++;
}

static void model_check(const Model *m, TargetMachine *t, uint64_t seed, unsigned shape)
{
    bool same = m->pc == t->vcpu->pc && m->state == t->vcpu->insn_word && m->mode == t->cpu->mode &&
                m->trace == t->cpu->trace && memcmp(m->r, t->vcpu->slot, sizeof(m->r)) == 0 &&
                memcmp(m->env, t->cpu->env, sizeof(m->env)) == 0;

    if (!same) {
        g_error("seed %" PRIu64 ", shape %u, after %" PRId64 " instructions: pc 0x%" PRIx64
                " (model 0x%" PRIx64 "), state 0x%x (0x%x), mode %u (%u), exceptions %" PRIu64
                " (%" PRIu64 ")", seed, shape, t->icount, t->vcpu->pc, m->pc, t->vcpu->insn_word,
                m->state, t->cpu->mode, m->mode, t->cpu->env[ENV_COUNT], m->env[ENV_COUNT]);
    }
}

/* ---- random programs ---- */

static void both_write(Model *m, TargetMachine *t, uint64_t offset, uint64_t value, unsigned bytes)
{
    target_write(t, TARGET_RAM + offset, &value, bytes);
    memcpy(&m->ram[offset], &value, bytes);
}

/* Halfwords at ends of pages are long more often than not, and few branches are so far. */
static void random_program(Model *m, TargetMachine *t, Rng *r)
{
    for (unsigned offset = 0; offset < TARGET_PAGES * PAGE_SIZE; offset += 2) {
        uint64_t half = rng_next(r);

        if (TARGET_RAM + offset >= TARGET_TABLE) {
            memory_read(t->m->memory, TARGET_RAM + offset, &half, 2);
        } else if (offset % PAGE_SIZE == PAGE_SIZE - 2 && rng_percent(r, 70)) {
            half |= 0x8000;
        } else if (rng_percent(r, 10)) {
            /* To the end of the page. */
            half = SHORT(OP_BNZ, rng_below(r, TARGET_REGS), rng_below(r, 100));
        }
        both_write(m, t, offset, half, 2);
    }
    for (unsigned n = 0; n < TARGET_REGS; n++) {
        m->r[n] = t->vcpu->slot[n] = rng_value(r);
    }
    m->pc = t->vcpu->pc;
}

/* Seen by the guest: the same for both. */
static void visible_event(Model *m, TargetMachine *t, Rng *r)
{
    uint64_t page = rng_below(r, TARGET_PAGES), value = rng_next(r);

    switch (rng_below(r, 6)) {
    case 0:
        vcpu_set_irq_pending(t->vcpu, true);
        m->irq = true;
        break;
    case 1:
        /* Around the end of a page. */
        both_write(m, t, page % 8 * PAGE_SIZE + PAGE_SIZE - 2 * (value & 3), value >> 8,
                   2 + (value & 6));
        break;
    case 2:
        both_write(m, t, TARGET_TABLE - TARGET_RAM + 8 * page, value, 8);
        break;
    case 3:
        m->pc = t->vcpu->pc = TARGET_BASE + (1 + page % 8) * PAGE_SIZE - 2 * (value & 15);
        m->state = t->vcpu->insn_word = 0;
        break;
    default:
        /* Most pages are good ones most of the time. */
        both_write(m, t, TARGET_TABLE - TARGET_RAM + 8 * page,
                   target_desc(TARGET_RAM + (value & 1 ? page : value >> 8 & 7) * PAGE_SIZE, GOOD),
                   8);
        break;
    }
}

/* Not seen by the guest. */
static void invisible_event(TargetMachine *t, Rng *r)
{
    uint64_t vaddr = TARGET_BASE + rng_below(r, 9) * PAGE_SIZE - 16 + 2 * rng_below(r, 16);

    switch (rng_below(r, 24)) {
    case 0: tcg_flush(t->tcg); break;
    case 1: tcg_flush_tlb(t->tcg); break;
    case 2: case 3: tcg_breakpoint_insert(t->tcg, vaddr); break;
    case 4: tcg_breakpoint_clear(t->tcg); break;
    case 5: tcg_watchpoint_insert(t->tcg, WATCH_ACCESSES, vaddr, 8); break;
    case 6: tcg_watchpoint_clear(t->tcg); break;
    default: break;
    }
}

static void random_run(unsigned shape, uint64_t seed, int64_t insns)
{
    Rng r = { seed }, events = { seed ^ 0x5555 }, slices = { seed * 100 + shape };
    Model *m = g_new0(Model, 1);
    uint8_t *ram = g_malloc(sizeof(m->ram));
    int64_t next_event = 50;
    TargetMachine t;

    target_open(&t, &shapes[shape]);
    random_program(m, &t, &r);
    while (t.icount < insns) {
        int64_t slice = 1 + rng_below(&slices, 100);

        invisible_event(&t, &slices);
        slice = MIN(slice, next_event - t.icount);
        t.vcpu->skip_breakpoint = target_run(&t, slice) == TCG_STOP_DEBUG;
        while (m->icount < t.icount) {
            model_step(m);
        }
        model_check(m, &t, seed, shape);
        if (t.icount == next_event) {
            visible_event(m, &t, &events);
            next_event += 1 + rng_below(&events, 100);
        }
    }
    g_assert_true(memory_read(t.m->memory, TARGET_RAM, ram, sizeof(m->ram)));
    g_assert_cmpmem(ram, sizeof(m->ram), m->ram, sizeof(m->ram));
    g_free(ram);
    g_free(m);
    target_close(&t);
}

static void run_seeds(uint64_t first, uint64_t count)
{
    for (uint64_t seed = first; seed < first + count; seed++) {
        for (unsigned shape = 0; shape < ARRAY_SIZE(shapes); shape++) {
            random_run(shape, seed, 4000);
        }
    }
}

static void test_random(void)
{
    run_seeds(1, 10);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (rng_hunt("TARGET_SEEDS", run_seeds)) {
        return 0;
    }
    g_test_add_func("/target/random", test_random);
    return g_test_run();
}
