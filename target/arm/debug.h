/*
 * Self-hosted debug: breakpoints, watchpoints and software step (DDI 0487 D2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_DEBUG_H
#define TARGET_ARM_DEBUG_H

#include "target/arm/cpu.h"

/* Debug exceptions, were they raised at `el`, would be taken; masked: with PSTATE.D set. */
bool arm_debug_exceptions_from(const ArmCpu *cpu, unsigned el, bool masked);

/*
 * The bits of the translation mode by which translated code looks for debug exceptions:
 * MODE_SS, MODE_BREAKPOINT and what belongs to it, MODE_WATCH, MODE_WATCH_UNPRIV,
 * MODE_DEBUG_BY_D. None when nothing is enabled.
 */
uint32_t arm_debug_mode(const ArmCpu *cpu);

/* Some breakpoint matches the instruction at pc at the current EL. */
bool arm_breakpoint_hit(const ArmCpu *cpu, uint64_t pc);

/*
 * Some watchpoint matches an access of `bytes` bytes at vaddr from the current EL, or from EL0
 * with unpriv; *which is the first that does. Neither function asks whether debug exceptions
 * are enabled: the mode does.
 */
bool arm_watchpoint_hit(const ArmCpu *cpu, uint64_t vaddr, unsigned bytes, bool write,
                        bool unpriv, unsigned *which);

#endif
