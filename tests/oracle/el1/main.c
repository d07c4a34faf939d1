/*
 * Run random sequences at EL0 and EL1, and print a digest of all that they could see: registers
 * at each exception with syndrome, address and saved state, system registers at the end,
 * and the memory. Two emulators that are right print the same.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdbool.h>
#include "el1.h"

#define UART ((volatile uint32_t *)0x09000000)
#define MAX_EXCEPTIONS 40
#define SVC_END 0xffff
#define SCTLR_RESET 0x30d00801ull       /* MMU on, caches do not matter */
#define PAR_OPEN 0x380ull                /* NS is UNKNOWN, SH is wrong in QEMU */
#define MAIR_RESET 0x00ffull
#define TCR_RESET 0x580803510ull        /* 48 bits below, 40-bit outputs; the upper half is off */

#define READ(reg) ({ uint64_t v_; __asm__ volatile("mrs %0, " reg : "=r"(v_)); v_; })
#define WRITE(reg, v) __asm__ volatile("msr " reg ", %0" :: "r"((uint64_t)(v)) : "memory")

enum { EC_ILLEGAL = 0x0e, EC_SVC = 0x15, EC_FETCH_LOWER = 0x20, EC_FETCH = 0x21,
       EC_PC_ALIGNMENT = 0x22, EC_DATA_LOWER = 0x24, EC_DATA = 0x25 };

static uint64_t level0[512] __attribute__((aligned(4096)));
static uint64_t level1[512] __attribute__((aligned(4096)));
static uint64_t level2[512] __attribute__((aligned(4096)));

static struct {
    const Sequence *seq;
    uint64_t hash;
    unsigned exceptions;
} now;

/* ---- output ---- */

static void put(char c)
{
    *UART = (unsigned char)c;
}

static void put_text(const char *s)
{
    while (*s) {
        put(*s++);
    }
}

static void put_hex(const char *name, uint64_t v)
{
    put_text(name);
    for (int shift = 60; shift >= 0; shift -= 4) {
        put("0123456789abcdef"[v >> shift & 15]);
    }
}

/* Into the digest; in a trace, with its name. */
static void note(const char *name, uint64_t v)
{
    now.hash = (now.hash ^ v) * 0x9e3779b97f4a7c15u;
    now.hash ^= now.hash >> 29;
    if (now.seq->trace) {
        put_hex(name, v);
    }
}

/* ---- exceptions ---- */

static void note_frame(const Frame *f)
{
    static const char *const name[] = {
        "\n  x0 ", " x1 ", " x2 ", " x3 ", " x4 ", " x5 ", " x6 ", " x7 ",
        "\n  x8 ", " x9 ", " x10 ", " x11 ", " x12 ", " x13 ", " x14 ", " x15 ",
        "\n  x16 ", " x17 ", " x18 ", " x19 ", " x20 ", " x21 ", " x22 ", " x23 ",
        "\n  x24 ", " x25 ", " x26 ", " x27 ", " x28 ", " x29 ", " x30 ",
    };

    for (unsigned n = 0; n < 31; n++) {
        note(name[n], f->x[n]);
    }
    note("\n  sp_el0 ", f->sp_el0);
    note(" sp_el1 ", f->sp_el1);
}

/* True: go on with the frame. */
bool handle(Frame *f);
bool handle(Frame *f)
{
    uint64_t esr = READ("esr_el1");
    unsigned ec = esr >> 26 & 0x3f;

    note("\nvector ", f->vector);
    note(" esr ", esr);
    note(" elr ", f->elr);
    note(" spsr ", f->spsr);
    if (ec == EC_FETCH_LOWER || ec == EC_FETCH || ec == EC_PC_ALIGNMENT || ec == EC_DATA_LOWER ||
        ec == EC_DATA) {
        note(" far ", READ("far_el1"));
    }
    note_frame(f);
    if (++now.exceptions == MAX_EXCEPTIONS || ec == EC_ILLEGAL || ec == EC_FETCH_LOWER ||
        ec == EC_FETCH || ec == EC_PC_ALIGNMENT || (f->vector & 0x1ff) ||
        (ec == EC_SVC && (esr & 0xffff) == SVC_END)) {
        return false;
    }
    f->elr += ec == EC_SVC ? 0 : 4;
    return true;
}

/* ---- sequences ---- */

static void sync(void)
{
    __asm__ volatile("dsb sy; tlbi vmalle1; dsb sy; isb" ::: "memory");
}

static void reset_registers(void)
{
    WRITE("cpacr_el1", 3 << 20);
    __asm__ volatile("msr daifset, #15; isb");
    WRITE("mair_el1", MAIR_RESET);
    WRITE("tcr_el1", TCR_RESET);
    WRITE("ttbr0_el1", (uintptr_t)level0);
    WRITE("ttbr1_el1", 0);
    __asm__ volatile("isb");
    WRITE("sctlr_el1", SCTLR_RESET);
    sync();
}

static void note_registers(void)
{
    uint64_t v;

    note("\nend: par ", READ("par_el1") & ~PAR_OPEN);
    note(" tpidr_el0 ", READ("tpidr_el0"));
    note(" tpidrro ", READ("tpidrro_el0"));
    note(" contextidr ", READ("contextidr_el1"));
    note(" csselr ", READ("csselr_el1"));
    note(" cntkctl ", READ("cntkctl_el1"));
    note(" cpacr ", READ("cpacr_el1"));
    note(" sctlr ", READ("sctlr_el1"));
    WRITE("cpacr_el1", 3 << 20);
    __asm__ volatile("isb");
    note("\n  fpcr ", READ("fpcr"));
    note(" fpsr ", READ("fpsr"));
    __asm__ volatile("msr fpcr, xzr");
    __asm__ volatile(".arch_extension fp\n fmov %0, d0" : "=r"(v));
    note(" d0 ", v);
    __asm__ volatile("fmov %0, v1.d[1]" : "=r"(v));
    note(" v1.d[1] ", v);
    __asm__ volatile("fmov %0, d2" : "=r"(v));
    note(" d2 ", v);
}

static uint64_t hash_words(uint64_t h, unsigned first, unsigned count)
{
    for (unsigned n = first; n < first + count; n++) {
        h = (h ^ pool[n]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return h;
}

/* The parts of the data pages that the sequences' addresses are in. */
static void note_memory(void)
{
    const unsigned page = 0x10000 / 8, begin = 0x1200 / 8, end = 0x200 / 8;
    uint64_t h = 0;

    for (unsigned n = pool_tables; n < pool_words; n += page) {
        h = hash_words(h, n, begin);
        h = hash_words(h, n + page - end, end);
    }
    note("\n  memory ", h);
}

static void run(const Sequence *s)
{
    now.seq = s;
    now.hash = 0;
    now.exceptions = 0;
    for (unsigned n = 0; n < MAX_STORES && s->store[n].addr; n++) {
        *(uint64_t *)s->store[n].addr = s->store[n].value;
    }
    __asm__ volatile(".arch_extension fp\n"
                     "fmov d0, xzr; movi v1.2d, #0; fmov d2, xzr; movi v3.2d, #0");
    WRITE("fpsr", 0);
    level0[1] = s->ttbr0;
    WRITE("ttbr0_el1", (uintptr_t)level0 | (uint64_t)(s->number & 0xff) << 48);
    WRITE("ttbr1_el1", s->ttbr1);
    WRITE("mair_el1", s->mair);
    WRITE("tcr_el1", s->tcr);
    WRITE("cntkctl_el1", s->cntkctl);
    WRITE("cpacr_el1", s->cpacr);
    WRITE("sctlr_el1", s->sctlr);
    sync();
    run_frame(&s->start);
    note_registers();
    reset_registers();
    note_memory();
    put_text(s->trace ? "\n" : "");
    put_hex("", s->number);
    put_hex(" ", now.hash);
    put('\n');
}

int main(void);
int main(void)
{
    level0[0] = (uintptr_t)level1 | 3;
    level1[0] = 0x0060000000000405;                                 /* devices */
    level1[1] = (uintptr_t)level2 | 3;
    level2[0] = 0x0060000040000701;
    level2[1] = 0x402007c1;                         /* text: read-only for all */
    level2[2] = 0x0060000040400701;                 /* data: EL1's, not to be executed */
    level2[3] = 0x0060000040600701;
    for (unsigned n = 0; pool_start[n][0] != ~0ull; n++) {
        pool[pool_start[n][0]] = pool_start[n][1];
    }
    reset_registers();
    /* Emulators leave their device tree there. */
    for (volatile uint64_t *p = (uint64_t *)0x40000000; p < (uint64_t *)0x40200000; p++) {
        *p = 0;
    }
    for (unsigned n = 0; n < num_sequences; n++) {
        run(&sequences[n]);
    }
    put_hex("all memory ", hash_words(0, 0, pool_words));
    put_text("\ndone\n");
    return 0;
}
