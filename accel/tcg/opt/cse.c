/*
 * Common subexpressions: in a straight line, an operation without side effects that
 * was computed before from the same values has the same result.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/ir-info.h"
#include "accel/tcg/opt/opt.h"

#define TABLE_SIZE 256
/*
 * How far back a result is taken from. It bounds how many values live at once,
 * whatever the guest's code: back ends count on it for their spill space.
 */
#define WINDOW 128

/* What depends on its arguments alone. */
static bool is_candidate(const IrInsn *i)
{
    return !(i->flags & IRF_SETS_NZCV) && !ir_op_has(i->op, 'R') &&
           (i->op == IR_const || i->op == IR_pcrel || (i->op >= IR_add && i->op <= IR_deposit) ||
            i->op == IR_cmp || i->op == IR_selnz);
}

static unsigned hash(const IrInsn *i)
{
    uint32_t h = i->op | i->flags << 8 | i->aux << 16;

    h = (h ^ i->arg[0]) * 0x9e3779b1u;
    h = (h ^ i->arg[1]) * 0x85ebca77u;
    h = (h ^ i->arg[2]) * 0xc2b2ae3du;
    h = (h ^ (uint32_t)i->imm ^ (uint32_t)(i->imm >> 32)) * 0x27d4eb2fu;
    return h >> 24;
}

static bool same(const IrInsn *x, const IrInsn *y)
{
    return x->op == y->op && x->flags == y->flags && x->aux == y->aux &&
           x->arg[0] == y->arg[0] && x->arg[1] == y->arg[1] && x->arg[2] == y->arg[2] &&
           x->imm == y->imm;
}

void ir_opt_cse(IrUnit *u)
{
    uint16_t map[IR_MAX_INSNS * 2], table[TABLE_SIZE];
    unsigned kept = 0;

    memset(table, 0xff, sizeof(table));
    for (unsigned n = 0; n <= u->num_values; n++) {
        map[n] = n;
    }
    for (unsigned n = 0; n < u->num_insns; n++) {
        IrInsn i = u->insns[n];

        ir_replace_args(&i, map);
        if (is_candidate(&i)) {
            uint16_t *known = &table[hash(&i)];

            if (*known != UINT16_MAX && kept - *known < WINDOW &&
                same(&u->insns[*known], &i)) {
                map[i.dst] = u->insns[*known].dst;
                continue;
            }
            *known = kept;
        }
        u->insns[kept++] = i;
    }
    u->num_insns = kept;
}
