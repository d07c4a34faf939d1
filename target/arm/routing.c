/*
 * Routing of exceptions as tables: what the control registers say selects a row, the
 * EL at which the exception occurs a column (DDI 0487 D1.13.1, D1.13.4).
 *
 * There is no Secure EL2 (FEAT_SEL2): EL2 is enabled in Non-secure state alone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/routing.h"
#include "target/arm/cpu-models.h"
#include "target/arm/exceptions.h"
#include "target/arm/system.h"
#include "util/bitops.h"

/* What the control bits come to for one kind of exception. */
enum RouteRow {
    ROW_TO_EL3,         /* SCR_EL3.{EA,IRQ,FIQ} */
    ROW_NO_EL2,         /* EL2 is not there or not enabled */
    ROW_EL1,            /* EL2 is enabled and does not want it */
    ROW_TO_EL2,         /* HCR_EL2.{AMO,IMO,FMO}, MDCR_EL2.TDE, stage 2 */
    ROW_TGE,            /* HCR_EL2.TGE */
    NUM_ROWS,
};

/*
 * The target by row and by the EL it comes from. EL2 when it is not enabled and EL1
 * with TGE set do not occur.
 */
static const uint8_t sync_targets[NUM_ROWS][ARM_NUM_ELS] = {
    [ROW_TO_EL3] = { 3, 3, 3, 3 },
    [ROW_NO_EL2] = { 1, 1, 2, 3 },
    [ROW_EL1]    = { 1, 1, 2, 3 },
    [ROW_TO_EL2] = { 2, 2, 2, 3 },
    [ROW_TGE]    = { 2, 2, 2, 3 },
};

#define PEND ROUTE_PENDING
static const uint8_t interrupt_targets[NUM_ROWS][ARM_NUM_ELS] = {
    [ROW_TO_EL3] = { 3, 3, 3, 3 },
    [ROW_NO_EL2] = { 1, 1, PEND, PEND },
    [ROW_EL1]    = { 1, 1, PEND, PEND },
    [ROW_TO_EL2] = { 2, 2, 2, PEND },
    [ROW_TGE]    = { 2, 2, 2, PEND },
};

/* The bits that route each kind to EL3 and EL2, and PSTATE's mask of it. */
static const struct {
    uint64_t scr, hcr, mdcr;
    uint32_t mask;
    bool interrupt, stage2;
} routes[] = {
    [ROUTE_SYNC] = { 0 },
    [ROUTE_DEBUG] = { .mdcr = MDCR_TDE },
    [ROUTE_EXTERNAL] = { .scr = SCR_EA },
    [ROUTE_STAGE2] = { .stage2 = true },
    [ROUTE_IRQ] = { SCR_IRQ, HCR_IMO, .mask = PSTATE_I, .interrupt = true },
    [ROUTE_FIQ] = { SCR_FIQ, HCR_FMO, .mask = PSTATE_F, .interrupt = true },
    [ROUTE_SERROR] = { SCR_EA, HCR_AMO, .mask = PSTATE_A, .interrupt = true },
};

bool arm_has_el(const ArmCpu *cpu, unsigned el)
{
    return extract64(cpu->model->id[4][0], el * 4, 4) != 0;
}

bool arm_el2_enabled(const ArmCpu *cpu)
{
    return arm_has_el(cpu, 2) && (!arm_has_el(cpu, 3) || (cpu->s.scr_el3 & SCR_NS));
}

bool arm_in_host(const ArmCpu *cpu)
{
    return arm_el2_enabled(cpu) && (cpu->s.hcr_el2 & HCR_TGE) && (cpu->s.hcr_el2 & HCR_E2H);
}

bool arm_el_is_aa64(const ArmCpu *cpu, unsigned el)
{
    if (el == 3) {
        return true;
    }
    if (arm_has_el(cpu, 3) && !(cpu->s.scr_el3 & SCR_RW)) {
        return false;
    }
    return el == 2 || !arm_el2_enabled(cpu) || (cpu->s.hcr_el2 & HCR_RW) || arm_in_host(cpu);
}

static enum RouteRow route_row(const ArmCpu *cpu, ArmRoute kind)
{
    const ArmState *s = &cpu->s;

    if (arm_has_el(cpu, 3) && (s->scr_el3 & routes[kind].scr)) {
        return ROW_TO_EL3;
    }
    if (!arm_el2_enabled(cpu)) {
        return ROW_NO_EL2;
    }
    if (s->hcr_el2 & HCR_TGE) {
        return ROW_TGE;
    }
    return (s->hcr_el2 & routes[kind].hcr) || (s->mdcr_el[2] & routes[kind].mdcr) ||
           routes[kind].stage2 ? ROW_TO_EL2 : ROW_EL1;
}

unsigned arm_route(const ArmCpu *cpu, ArmRoute kind, unsigned from)
{
    enum RouteRow row = route_row(cpu, kind);

    return routes[kind].interrupt ? interrupt_targets[row][from] : sync_targets[row][from];
}

bool arm_interrupt_taken(const ArmCpu *cpu, ArmRoute kind, unsigned *target)
{
    *target = arm_route(cpu, kind, cpu->s.el);
    if (*target == ROUTE_PENDING) {
        return false;
    }
    /* A higher EL than EL1 is not kept out by the masks of a lower one that it does not host. */
    if (*target > cpu->s.el && *target > 1 && !(*target == 2 && arm_in_host(cpu))) {
        return true;
    }
    return !(cpu->s.daif & routes[kind].mask);
}
