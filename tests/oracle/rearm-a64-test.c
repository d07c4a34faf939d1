/*
 * Rearm's side of the A64 oracle test: runs the cases of one file and writes
 * their results to another. See case-format.h and oracle.py.
 *
 * The CPU is at EL0 with the MMU off, in a flat memory of one page of code and the
 * data window; everything else is an external abort.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <glib.h>

#include "accel/tcg/ir-info.h"
#include "accel/tcg/nzcv.h"
#include "accel/tcg/opt/opt.h"
#include "accel/tcg/tcg-internal.h"
#include "tests/oracle/case-format.h"
#include "tests/oracle/oracle-cpu.h"

#define CASE_INSNS 100000

static gboolean option_opt, option_trace, option_sp_align;
static int option_unit_insns = 64;


static const GOptionEntry options[] = {
    { "opt", 0, 0, G_OPTION_ARG_NONE, &option_opt, "run the optimisation passes", NULL },
    { "unit-insns", 0, 0, G_OPTION_ARG_INT, &option_unit_insns, "instructions a unit", "N" },
    { "sp-align", 0, 0, G_OPTION_ARG_NONE, &option_sp_align, "check the alignment of SP", NULL },
    { "trace", 0, 0, G_OPTION_ARG_NONE, &option_trace, "print the IR of each unit", NULL },
    { NULL },
};

typedef struct Runner {
    Machine *machine;
    ArmCpu *cpu;
    IrUnit *unit;
    MemRegion *code, *data;
    uint64_t *pristine;
} Runner;

/* ---- one case ---- */

static void check_unit(const Runner *r, const char *when)
{
    unsigned at;
    const char *what = ir_verify(r->unit, &at);

    if (what) {
        fprintf(stderr, "%s: instruction %u: %s\n", when, at, what);
        ir_print(r->unit, stderr);
        exit(1);
    }
}

/* False when pc is outside the code page. */
static bool translate(Runner *r, uint64_t pc)
{
    Vcpu *cpu = &r->cpu->vcpu;
    uint64_t offset = pc - CODE_BASE;

    if (offset >= CODE_SIZE) {
        return false;
    }
    ir_unit_reset(r->unit, pc);
    a64_translate(cpu, r->unit, pc, cpu->ops->mode(cpu), r->code->host + offset,
                  CODE_SIZE - offset, option_unit_insns);
    check_unit(r, "translated");
    if (option_opt) {
        ir_optimize(r->unit);
        check_unit(r, "optimised");
    } else {
        ir_mark_flags(r->unit);
    }
    if (option_trace) {
        ir_print(r->unit, stdout);
    }
    return true;
}

static uint32_t run_case(Runner *r)
{
    Vcpu *cpu = &r->cpu->vcpu;

    oracle_cpu_status(cpu)->raised = false;
    cpu->left = CASE_INSNS;
    while (cpu->left > 0) {
        if (!translate(r, cpu->pc)) {
            return CASE_FAULT;
        }
        interp_run(cpu, r->unit, cpu->left);
        if (oracle_cpu_status(cpu)->raised) {
            return oracle_cpu_status(cpu)->status;
        }
    }
    return CASE_TIMEOUT;
}

static void load_state(Runner *r, const CaseInput *c)
{
    Vcpu *cpu = &r->cpu->vcpu;

    for (unsigned n = 0; n < CODE_SIZE; n += 4) {
        memcpy(r->code->host + n, &(uint32_t){ BRK_WORD }, 4);
    }
    memcpy(r->code->host + CODE_START, c->words, c->num_words * 4);
    memcpy(cpu->slot, c->state.x, sizeof(c->state.x));
    cpu->slot[SLOT_SP] = c->state.sp;
    cpu->pc = CODE_BASE + CODE_START;
    cpu->nzcv = nzcv_pack(c->state.nzcv);
    cpu->excl_addr = UINT64_MAX;
    cpu->exit_request = 0;
    memcpy(r->cpu->s.v, c->state.v, sizeof(c->state.v));
    r->cpu->s.fpcr = c->state.fpcr;
    r->cpu->s.fpsr = c->state.fpsr;
}

static void save_state(Runner *r, CaseState *s)
{
    Vcpu *cpu = &r->cpu->vcpu;

    memcpy(s->x, cpu->slot, sizeof(s->x));
    s->sp = cpu->slot[SLOT_SP];
    s->pc = cpu->pc;
    s->nzcv = nzcv_unpack(cpu->nzcv);
    s->fpcr = r->cpu->s.fpcr;
    s->fpsr = r->cpu->s.fpsr;
    memcpy(s->v, r->cpu->s.v, sizeof(s->v));
}

/* ---- files ---- */

static void write_out(FILE *out, const void *data, size_t size)
{
    if (fwrite(data, size, 1, out) != 1) {
        perror("write");
        exit(1);
    }
}

static void write_result(Runner *r, uint32_t status, FILE *out)
{
    static MemGranule changed[DATA_SIZE / GRANULE];
    const uint8_t *was = (const uint8_t *)r->pristine;
    CaseOutput o = { .status = status };

    save_state(r, &o.state);
    for (uint32_t n = 0; n < DATA_SIZE; n += GRANULE) {
        if (memcmp(r->data->host + n, was + n, GRANULE)) {
            MemGranule *g = &changed[o.num_granules++];

            *g = (MemGranule){ .offset = n };
            memcpy(g->bytes, r->data->host + n, GRANULE);
        }
    }
    write_out(out, &o, sizeof(o));
    if (o.num_granules) {
        write_out(out, changed, o.num_granules * sizeof(changed[0]));
        memcpy(r->data->host, r->pristine, DATA_SIZE);
    }
}

static void runner_init(Runner *r)
{
    r->machine = machine_new(NULL);
    r->code = memory_add_ram(r->machine->memory, "code", CODE_BASE, CODE_SIZE, false, NULL);
    r->data = memory_add_ram(r->machine->memory, "data", DATA_BASE, DATA_SIZE, false, NULL);
    r->pristine = g_malloc(DATA_SIZE);
    for (unsigned n = 0; n < DATA_SIZE / 8; n++) {
        r->pristine[n] = oracle_data_word(n);
    }
    memcpy(r->data->host, r->pristine, DATA_SIZE);
    r->cpu = oracle_cpu_new(r->machine, option_sp_align);
    r->unit = ir_unit_new();
    mmu_init_spaces(&r->cpu->vcpu);
}

static void runner_free(Runner *r)
{
    mmu_free_spaces(&r->cpu->vcpu);
    oracle_cpu_free(r->cpu);
    ir_unit_free(r->unit);
    machine_free(r->machine);
    g_free(r->pristine);
}

int main(int argc, char **argv)
{
    GOptionContext *context = g_option_context_new("CASES RESULTS");
    GError *error = NULL;
    CaseInput *c = g_new(CaseInput, 1);
    Runner r = { 0 };
    FILE *in, *out;

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 3) {
        fprintf(stderr, "%s\n", error ? error->message : "two files are needed");
        return 2;
    }
    g_option_context_free(context);
    in = fopen(argv[1], "rb");
    out = fopen(argv[2], "wb");
    if (!in || !out) {
        perror("open");
        return 2;
    }
    runner_init(&r);
    while (fread(c, sizeof(*c), 1, in) == 1) {
        assert(c->num_words <= MAX_WORDS);
        load_state(&r, c);
        write_result(&r, run_case(&r), out);
    }
    runner_free(&r);
    g_free(c);
    fclose(in);
    if (fclose(out)) {
        perror("close");
        return 1;
    }
    return 0;
}
