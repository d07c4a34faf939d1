/*
 * The IR's rules as code: run after the front end and after every pass in
 * debug builds and in the tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/ir-info.h"
#include <glib.h>

typedef struct Verifier {
    const IrUnit *unit;
    uint8_t *defined;       /* by value id */
    bool insn_changed;      /* state was changed within this guest instruction */
    unsigned guest_insns;
} Verifier;

static const char *check_value(Verifier *v, uint16_t id, bool may_be_none)
{
    if (id == 0) {
        return may_be_none ? NULL : "an argument is missing";
    }
    if (id > v->unit->num_values) {
        return "a value id is out of range";
    }
    return v->defined[id] ? NULL : "a value is used before its definition";
}

static const char *check_args(Verifier *v, const IrInsn *i)
{
    for (unsigned n = 0; n < ir_op_info[i->op].num_args; n++) {
        bool may_be_none = i->op == IR_call || (i->op == IR_stx && n == 2);
        const char *what = check_value(v, i->arg[n], may_be_none);

        if (what) {
            return what;
        }
    }
    return NULL;
}

static const char *define(Verifier *v, uint16_t id)
{
    if (id > v->unit->num_values) {
        return "a result id is out of range";
    }
    if (id && v->defined[id]) {
        return "a value is defined twice";
    }
    v->defined[id] = 1;
    return NULL;
}

static const char *check_insn(Verifier *v, const IrInsn *i, bool last)
{
    const char *what;

    if (i->op >= IR_NUM_OPS) {
        return "unknown opcode";
    }
    what = check_args(v, i);
    if (!what) {
        what = define(v, i->dst);
        if (!what) {
            what = define(v, i->dst2);
        }
        v->defined[0] = 0;
    }
    if (what) {
        return what;
    }
    if (ir_op_has(i->op, 'E') != last) {
        return last ? "the last instruction is not a final exit"
                    : "a final exit stands before the end";
    }
    if (i->op == IR_insn) {
        v->insn_changed = false;
        v->guest_insns++;
    } else if (v->guest_insns == 0) {
        return "an instruction stands before the first guest instruction";
    }
    if (ir_op_has(i->op, 'M') && v->insn_changed) {
        return "a guest access follows a change of state in one guest instruction";
    }
    if (i->op == IR_set || i->op == IR_st_env || (i->flags & IRF_SETS_NZCV)) {
        v->insn_changed = true;
    }
    return NULL;
}

const char *ir_verify(const IrUnit *u, unsigned *index_out)
{
    Verifier v = { .unit = u, .defined = g_malloc0(u->num_values + 1) };
    const char *what = u->num_insns ? NULL : "the unit is empty";
    unsigned n = 0;

    for (; !what && n < u->num_insns; n++) {
        what = check_insn(&v, &u->insns[n], n + 1 == u->num_insns);
    }
    if (!what && v.guest_insns != u->num_guest_insns) {
        what = "the count of guest instructions is wrong";
    }
    if (index_out) {
        *index_out = n ? n - 1 : 0;
    }
    g_free(v.defined);
    return what;
}
