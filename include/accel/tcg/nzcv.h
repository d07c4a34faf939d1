/*
 * The packed form of NZCV in vcpu->nzcv, chosen so that x86's LAHF and SETO
 * produce it in one 16-bit register: N in bit 15, Z in bit 14, the inverse of C
 * in bit 8, V in bit 0. Other bits are noise.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_NZCV_H
#define ACCEL_TCG_NZCV_H

#include "util/osdep.h"

/* From NZCV in bits 31..28 (PSTATE, SPSR). */
static inline uint16_t nzcv_pack(uint32_t nzcv)
{
    return (nzcv >> 31 & 1) << 15 | (nzcv >> 30 & 1) << 14 |
           (~nzcv >> 29 & 1) << 8 | (nzcv >> 28 & 1);
}

static inline uint32_t nzcv_unpack(uint16_t packed)
{
    return (uint32_t)(packed >> 15 & 1) << 31 | (uint32_t)(packed >> 14 & 1) << 30 |
           (uint32_t)(~packed >> 8 & 1) << 29 | (uint32_t)(packed & 1) << 28;
}

#endif
