/*
 * Rearm's side of the A64 oracle test: runs the cases of one file and writes
 * their results to another. See case-format.h and oracle.py.
 *
 * A whole CPU on the execution engine, at EL0 with the MMU on and 1 GB mapped
 * one to one; a breakpoint stands on the vector that every case ends at.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <glib.h>

#include "accel/tcg/nzcv.h"
#include "accel/tcg/opt/opt.h"
#include "accel/tcg/tcg-internal.h"
#include "target/arm/exceptions.h"
#include "target/arm/syndrome.h"
#include "target/arm/system.h"
#include "target/arm/translate.h"
#include "tests/oracle/case-format.h"
#include "util/log.h"

#define CASE_INSNS 100000

/* A page with the translation table and the vectors. */
#define SYSTEM_BASE 0x47000000ull
#define VECTOR_SYNC_EL0 (SYSTEM_BASE + 0x800 + 0x400)

static gboolean option_interp, option_no_opt, option_no_link, option_sp_align;
static int option_unit_insns = 64;
static char *option_log, *option_model;

static const GOptionEntry options[] = {
    { "interp", 0, 0, G_OPTION_ARG_NONE, &option_interp, "no code generation", NULL },
    { "no-opt", 0, 0, G_OPTION_ARG_NONE, &option_no_opt, "no optimisation", NULL },
    { "no-link", 0, 0, G_OPTION_ARG_NONE, &option_no_link, "no links between units", NULL },
    { "sp-align", 0, 0, G_OPTION_ARG_NONE, &option_sp_align, "check the alignment of SP", NULL },
    { "unit-insns", 0, 0, G_OPTION_ARG_INT, &option_unit_insns, "instructions a unit", "N" },
    { "cpu", 0, 0, G_OPTION_ARG_STRING, &option_model, "CPU model", "NAME" },
    { "d", 'd', 0, G_OPTION_ARG_STRING, &option_log, "log these items (op,op_opt,out_asm)",
      "ITEMS" },
    { NULL },
};

typedef struct Runner {
    Machine *machine;
    TcgContext *tcg;
    ArmCpu *cpu;
    IrUnit *unit;               /* for the verifier */
    MemRegion *data;
    uint64_t *pristine;
} Runner;

NORETURN static void die(const char *what)
{
    fprintf(stderr, "rearm-a64-test: %s\n", what);
    exit(1);
}

/* ---- one case ---- */

static void check_unit(const Runner *r, const char *when)
{
    unsigned at;
    const char *what = ir_verify(r->unit, &at);

    if (what) {
        ir_print(r->unit, stderr);
        fprintf(stderr, "%s, IR instruction %u: ", when, at);
        die(what);
    }
}

/* The engine verifies in debug builds only; here the case's first unit always is. */
static void verify_first_unit(Runner *r, const CaseInput *c)
{
    Vcpu *cpu = &r->cpu->vcpu;
    uint8_t page[CODE_SIZE];

    if (!memory_read(r->machine->memory, CODE_BASE, page, sizeof(page))) {
        die("no code page");
    }
    ir_unit_reset(r->unit, cpu->pc);
    a64_translate(cpu, r->unit, cpu->pc, cpu->mode, page + CODE_START, CODE_SIZE - CODE_START,
                  option_unit_insns);
    check_unit(r, "translated");
    ir_optimize(r->unit);
    check_unit(r, "optimised");
}

static void load_state(Runner *r, const CaseInput *c)
{
    Vcpu *cpu = &r->cpu->vcpu;
    uint32_t code[CODE_SIZE / 4];

    for (unsigned n = 0; n < ARRAY_SIZE(code); n++) {
        code[n] = BRK_WORD;
    }
    memcpy((char *)code + CODE_START, c->words, c->num_words * 4);
    if (!memory_write(r->machine->memory, CODE_BASE, code, sizeof(code))) {
        die("no code page");
    }
    arm_set_el_sp(r->cpu, 0, 0);
    memcpy(cpu->slot, c->state.x, sizeof(c->state.x));
    cpu->slot[SLOT_SP] = c->state.sp;
    cpu->pc = CODE_BASE + CODE_START;
    cpu->nzcv = nzcv_pack(c->state.nzcv);
    cpu->excl_addr = UINT64_MAX;
    memcpy(r->cpu->s.v, c->state.v, sizeof(c->state.v));
    r->cpu->s.fpcr = c->state.fpcr;
    r->cpu->s.fpsr = c->state.fpsr;
    r->cpu->s.esr_el[1] = 0;
    cpu->left = CASE_INSNS;
    verify_first_unit(r, c);
}

static uint32_t run_case(Runner *r)
{
    Vcpu *cpu = &r->cpu->vcpu;

    while (tcg_run(r->tcg, cpu) != TCG_STOP_DEBUG) {
        if (cpu->left <= 0) {
            return CASE_TIMEOUT;
        }
    }
    switch (r->cpu->s.esr_el[1] >> 26) {
    case EC_BRK:
        return CASE_END;
    case EC_UNKNOWN:
        return CASE_UNDEFINED;
    case EC_INSN_ABORT_LOWER:
    case EC_PC_ALIGNMENT:
    case EC_DATA_ABORT_LOWER:
    case EC_SP_ALIGNMENT:
        return CASE_FAULT;
    default:
        return CASE_OTHER;
    }
}

static void save_state(Runner *r, CaseState *s)
{
    memcpy(s->x, r->cpu->vcpu.slot, sizeof(s->x));
    s->sp = arm_sp_read(r->cpu, 0);
    s->pc = r->cpu->s.elr_el[1];
    s->nzcv = r->cpu->s.spsr_el[1] & PSTATE_NZCV;
    s->fpcr = r->cpu->s.fpcr;
    s->fpsr = r->cpu->s.fpsr;
    memcpy(s->v, r->cpu->s.v, sizeof(s->v));
}

/* ---- files ---- */

static void write_out(FILE *out, const void *data, size_t size)
{
    if (fwrite(data, size, 1, out) != 1) {
        die("cannot write the results");
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
    fflush(out);
}

/* ---- the machine ---- */

static MemRegion *add_ram(Runner *r, const char *name, uint64_t base, uint64_t size)
{
    MemRegion *region = memory_add_ram(r->machine->memory, name, base, size, false, NULL);

    if (!region) {
        die("no memory");
    }
    return region;
}

/* A level 1 table of four entries: the second gigabyte is one EL0-accessible block. */
static void set_up_mmu(ArmCpu *cpu, const MemRegion *system)
{
    const uint64_t block = 0x40000000 | 1 /* block */ | 1 << 6 /* AP: EL0 too */ |
                           3 << 8 /* inner shareable */ | 1 << 10 /* AF */;

    memcpy(system->host + 8, &block, sizeof(block));
    cpu->s.ttbr_el[1][0] = SYSTEM_BASE;
    cpu->s.mair_el[1] = 0xff;                             /* attribute 0: Normal */
    cpu->s.tcr_el[1] = 32 /* T0SZ: 4 GB */ | 1 << 23 /* EPD1 */;
    cpu->s.vbar_el[1] = SYSTEM_BASE + 0x800;
    cpu->s.cpacr_el1 = 3 << 20;
    cpu->s.sctlr_el[1] = SCTLR_RES1 | SCTLR_M | SCTLR_C | SCTLR_I | SCTLR_DZE | SCTLR_UCI |
                       SCTLR_UCT | (option_sp_align ? SCTLR_SA0 : 0);
}

static void runner_init(Runner *r)
{
    TcgConfig config = {
        .interp = option_interp, .no_opt = option_no_opt, .no_link = option_no_link,
        .unit_insns = option_unit_insns,
    };

    r->machine = machine_new(NULL);
    add_ram(r, "code", CODE_BASE, CODE_SIZE);
    r->data = add_ram(r, "data", DATA_BASE, DATA_SIZE);
    r->pristine = g_malloc(DATA_SIZE);
    for (unsigned n = 0; n < DATA_SIZE / 8; n++) {
        r->pristine[n] = oracle_data_word(n);
    }
    memcpy(r->data->host, r->pristine, DATA_SIZE);
    r->cpu = arm_cpu_new(option_model ? option_model : "cortex-a72", r->machine, 0, NULL);
    r->tcg = tcg_new(r->machine, &config, NULL);
    if (!r->cpu || !r->tcg) {
        die("no such CPU model, or no memory");
    }
    set_up_mmu(r->cpu, add_ram(r, "system", SYSTEM_BASE, 4096));
    tcg_add_vcpu(r->tcg, &r->cpu->vcpu);
    tcg_breakpoint_insert(r->tcg, VECTOR_SYNC_EL0);
    r->unit = ir_unit_new();
}

static void runner_free(Runner *r)
{
    tcg_free(r->tcg);
    r->cpu->vcpu.ops->free(&r->cpu->vcpu);
    ir_unit_free(r->unit);
    machine_free(r->machine);
    g_free(r->pristine);
}

static void parse_options(int *argc, char ***argv)
{
    GOptionContext *context = g_option_context_new("CASES RESULTS");
    GError *error = NULL;
    Error *log_error = NULL;

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, argc, argv, &error) || *argc != 3) {
        die(error ? error->message : "two files are needed");
    }
    g_option_context_free(context);
    if (option_log && !log_set_items(option_log, &log_error)) {
        die(error_get_pretty(log_error));
    }
}

int main(int argc, char **argv)
{
    CaseInput *c = g_new(CaseInput, 1);
    Runner r = { 0 };
    FILE *in, *out;

    parse_options(&argc, &argv);
    in = fopen(argv[1], "rb");
    out = fopen(argv[2], "wb");
    if (!in || !out) {
        die("cannot open the files");
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
        die("cannot write the results");
    }
    return 0;
}
