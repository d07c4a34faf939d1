/*
 * A guest to go backwards in, with symbols: every CPU calls functions for ever, and stores what
 * they give. CPU 0 switches the others on (PSCI CPU_ON).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
typedef unsigned long u64;

#define MAX_CPUS 4
#define CPU_ON 0xc4000003

volatile u64 total, table[8], rounds[MAX_CPUS];
volatile u64 limit = 8;
volatile u64 wide[4] __attribute__((aligned(16)));
char stacks[MAX_CPUS][4096] __attribute__((aligned(16)));

__asm__("    .globl _start\n"
        "_start:\n"
        "    mrs x0, mpidr_el1\n"
        "    and x0, x0, #0xff\n"
        "    ldr x1, =stacks + 4096\n"
        "    add x1, x1, x0, lsl #12\n"
        "    mov sp, x1\n"
        "    mov x1, #0x300000\n"
        "    msr cpacr_el1, x1\n"      /* FP does not trap */
        "    isb\n"
        "    b start\n");
extern void _start(void);

static void switch_on(u64 cpu)
{
    register u64 x0 __asm__("x0") = CPU_ON;
    register u64 x1 __asm__("x1") = cpu;
    register u64 x2 __asm__("x2") = (u64)_start;
    register u64 x3 __asm__("x3") = 0;

    __asm__ volatile("hvc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3) : "memory");
}

__attribute__((noinline)) u64 inner(u64 n)
{
    u64 sum = 0;

    for (u64 i = 1; i <= n; i++) {
        sum += i;
    }
    return sum;
}

__attribute__((noinline)) u64 outer(u64 n)
{
    u64 a = inner(n);
    u64 b = inner(n + 1);

    return a + b;
}

__attribute__((noinline)) void store(u64 n, u64 value)
{
    table[n & 7] = value;
}

/* An instruction of two accesses: stp q0, q1, [x2]. The compiler must not use these registers. */
__attribute__((noinline)) void store_pair(u64 value)
{
    register u64 x2 __asm__("x2") = (u64)wide;
    register u64 x3 __asm__("x3") = value;

    __asm__ volatile(".inst 0x9e670060\n"        /* fmov d0, x3 */
                     ".inst 0x9e670061\n"        /* fmov d1, x3 */
                     ".globl pair\n"
                     "pair: .inst 0xad000440\n"
                     : : "r"(x2), "r"(x3) : "memory");
}

void start(u64 cpu)
{
    for (u64 n = 1; cpu == 0 && n < MAX_CPUS; n++) {
        switch_on(n);
    }
    for (u64 round = 1; ; round++) {
        u64 value = outer(round % limit);

        total += value;
        store(round, value);
        rounds[cpu] = round;
        store_pair(round);
    }
}
