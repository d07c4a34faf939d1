/*
 * What the two runners of the A64 oracle test read and write. Files are arrays of these
 * structures, little-endian. oracle.py knows the same layout.
 *
 * Guest memory: one page of code at CODE_BASE and a window of data at
 * DATA_BASE, filled with oracle_data_word(). The code page is all BRK #0 but for
 * the case's words at CODE_START; a case ends at the first exception.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_ORACLE_CASE_FORMAT_H
#define TESTS_ORACLE_CASE_FORMAT_H

#include <stdint.h>

#define CODE_BASE   0x48000000ull
#define CODE_SIZE   4096u
#define CODE_START  0x800u          /* offset of the case's first word */
#define DATA_BASE   0x50000000ull
#define DATA_SIZE   0x40000u
#define MAX_WORDS   64
#define BRK_WORD    0xd4200000u
#define GRANULE     16u

typedef struct CaseState {
    uint64_t x[31];
    uint64_t sp;
    uint64_t pc;
    uint32_t nzcv;                  /* bits 31..28 */
    uint32_t fpcr, fpsr;
    uint32_t pad;
    uint64_t v[32][2];
} CaseState;

typedef struct CaseInput {
    CaseState state;                /* pc is not used */
    uint32_t num_words;
    uint32_t pad;
    uint32_t words[MAX_WORDS];
} CaseInput;

enum CaseStatus {
    CASE_END = 0,                   /* reached a BRK */
    CASE_UNDEFINED = 1,
    CASE_FAULT = 2,                 /* data or instruction abort, alignment */
    CASE_OTHER = 3,
    CASE_TIMEOUT = 4,
};

/* Followed by num_granules of MemGranule, those that changed, in address order. */
typedef struct CaseOutput {
    uint32_t status;
    uint32_t num_granules;
    CaseState state;
} CaseOutput;

typedef struct MemGranule {
    uint32_t offset;                /* from DATA_BASE */
    uint32_t pad;
    uint8_t bytes[GRANULE];
} MemGranule;

/* The data window before each case, by 64-bit word. */
static inline uint64_t oracle_data_word(uint64_t index)
{
    uint64_t z = (index + 1) * 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

#endif
