/*
 * The oracle's side of the A64 test: a static AArch64 Linux program that runs the
 * cases of one file and writes their results to another. It is meant for qemu-aarch64
 * or a real machine.
 *
 * Everything happens in one signal handler: a case is entered by returning from
 * it with the case's registers in the context, and left through the signal of
 * the exception that ends it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "case-format.h"

#define CASE_SECONDS 2

static FILE *in, *out;
static uint64_t *pristine;
static int started;

static void die(const char *what)
{
    perror(what);
    _Exit(1);
}

static void *map_at(uint64_t addr, size_t size, int prot)
{
    void *p = mmap((void *)addr, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    if (p == MAP_FAILED) {
        die("mmap");
    }
    return p;
}

static struct fpsimd_context *fp_context(ucontext_t *uc)
{
    struct _aarch64_ctx *c = (struct _aarch64_ctx *)uc->uc_mcontext.__reserved;

    while (c->magic != FPSIMD_MAGIC) {
        if (c->magic == 0 || c->size == 0) {
            die("no FP/SIMD context");
        }
        c = (struct _aarch64_ctx *)((char *)c + c->size);
    }
    return (struct fpsimd_context *)c;
}

static uint32_t status_of(int sig)
{
    switch (sig) {
    case SIGTRAP:
        return CASE_END;
    case SIGILL:
        return CASE_UNDEFINED;
    case SIGSEGV:
    case SIGBUS:
        return CASE_FAULT;
    case SIGALRM:
        return CASE_TIMEOUT;
    default:
        return CASE_OTHER;
    }
}

static void write_out(const void *data, size_t size)
{
    if (fwrite(data, size, 1, out) != 1) {
        die("write");
    }
}

static void write_result(int sig, ucontext_t *uc)
{
    struct fpsimd_context *fp = fp_context(uc);
    CaseOutput o = { .status = status_of(sig) };
    const char *data = (const char *)DATA_BASE, *was = (const char *)pristine;
    static MemGranule changed[DATA_SIZE / GRANULE];

    memcpy(o.state.x, uc->uc_mcontext.regs, sizeof(o.state.x));
    o.state.sp = uc->uc_mcontext.sp;
    o.state.pc = uc->uc_mcontext.pc;
    o.state.nzcv = uc->uc_mcontext.pstate & 0xf0000000u;
    o.state.fpcr = fp->fpcr;
    o.state.fpsr = fp->fpsr;
    memcpy(o.state.v, fp->vregs, sizeof(o.state.v));
    for (uint32_t n = 0; n < DATA_SIZE; n += GRANULE) {
        if (memcmp(data + n, was + n, GRANULE)) {
            MemGranule *g = &changed[o.num_granules++];

            *g = (MemGranule){ .offset = n };
            memcpy(g->bytes, data + n, GRANULE);
        }
    }
    write_out(&o, sizeof(o));
    if (o.num_granules) {
        write_out(changed, o.num_granules * sizeof(changed[0]));
        memcpy((void *)DATA_BASE, pristine, DATA_SIZE);
    }
    fflush(out);
}

/* Prepare the next case; ends the program when there is none. */
static void next_case(ucontext_t *uc)
{
    static CaseInput c;
    struct fpsimd_context *fp = fp_context(uc);
    uint32_t *code = (uint32_t *)CODE_BASE;

    if (fread(&c, sizeof(c), 1, in) != 1) {
        if (fclose(out)) {
            die("close");
        }
        _Exit(0);
    }
    for (unsigned n = 0; n < CODE_SIZE / 4; n++) {
        code[n] = BRK_WORD;
    }
    memcpy((char *)code + CODE_START, c.words, c.num_words * 4);
    __builtin___clear_cache((char *)code, (char *)code + CODE_SIZE);
    memcpy(uc->uc_mcontext.regs, c.state.x, sizeof(c.state.x));
    uc->uc_mcontext.sp = c.state.sp;
    uc->uc_mcontext.pc = CODE_BASE + CODE_START;
    uc->uc_mcontext.pstate = c.state.nzcv;
    fp->fpcr = c.state.fpcr;
    fp->fpsr = c.state.fpsr;
    memcpy(fp->vregs, c.state.v, sizeof(c.state.v));
}

static void handler(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    if (started) {
        write_result(sig, uc);
    }
    started = 1;
    next_case(uc);
    alarm(CASE_SECONDS);
}

int main(int argc, char **argv)
{
    static const int signals[] = { SIGTRAP, SIGILL, SIGSEGV, SIGBUS, SIGALRM, SIGUSR1 };
    static char stack[1 << 18];
    stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    uint64_t *data;

    if (argc != 3 || !(in = fopen(argv[1], "rb")) || !(out = fopen(argv[2], "wb"))) {
        fprintf(stderr, "usage: %s CASES RESULTS\n", argv[0]);
        return 1;
    }
    map_at(CODE_BASE, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
    data = map_at(DATA_BASE, DATA_SIZE, PROT_READ | PROT_WRITE);
    pristine = malloc(DATA_SIZE);
    for (unsigned n = 0; n < DATA_SIZE / 8; n++) {
        pristine[n] = oracle_data_word(n);
    }
    memcpy(data, pristine, DATA_SIZE);
    sigaltstack(&alt, NULL);
    for (unsigned n = 0; n < sizeof(signals) / sizeof(signals[0]); n++) {
        sigaction(signals[n], &sa, NULL);
    }
    raise(SIGUSR1);
    return 1;
}
