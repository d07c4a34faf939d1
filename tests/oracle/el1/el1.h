/*
 * Random code at EL0 and EL1: what the generator (el1_cases.py) and the guest's C code share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef EL1_H
#define EL1_H

/* Offsets of struct Frame, for start.S. */
#define FRAME_SP_EL0 248
#define FRAME_SP_EL1 256
#define FRAME_ELR 264
#define FRAME_SPSR 272
#define FRAME_VECTOR 280
#define FRAME_SIZE 288

#ifndef __ASSEMBLER__
#include <stdint.h>

/* The registers of what was interrupted, or is to be started. */
typedef struct Frame {
    uint64_t x[31];
    uint64_t sp_el0, sp_el1;
    uint64_t elr, spsr;
    uint64_t vector;
} Frame;

#define MAX_STORES 8

/* One sequence: the state it begins in, descriptors that change before, and its code. */
typedef struct Sequence {
    Frame start;
    uint64_t sctlr, tcr, mair, cpacr, cntkctl, ttbr0, ttbr1;
    struct { uint64_t addr, value; } store[MAX_STORES];     /* addr 0: none */
    uint32_t number;
    uint32_t trace;             /* print every exception */
} Sequence;

extern const Sequence sequences[];
extern const uint32_t num_sequences;
/* Tables that the sequences see, and behind them pages of 64 KiB with data. */
extern uint64_t pool[];
extern const uint64_t pool_start[][2];      /* index, value; ends with index ~0 */
extern const uint32_t pool_tables, pool_words;      /* without and with the data */

/* start.S */
void run_frame(const Frame *f);             /* returns when handle() says so */
#endif
#endif
