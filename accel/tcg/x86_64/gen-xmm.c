/*
 * Copies of vector registers in XMM6 to XMM15, so that one floating-point operation
 * does not wait for the store of the one before.
 *
 * 1. Memory is always right: a copy can be dropped anywhere, and exits know nothing of it.
 * 2. The low 8 bytes of a copy are the register's, and all 16 if it is `whole`. From byte
 *    `zero_from` on there is nothing but zeros.
 * 3. Calls in the main path drop all copies; calls in cold code preserve them.
 * 4. Copies are made where every path to what follows passes: not behind a jump to cold code
 *    that comes back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen.h"

static XmmCopy *find(Gen *g, uint32_t offset)
{
    for (unsigned n = 0; n < GEN_XMM_COPIES; n++) {
        if (g->xmm[n].offset == offset) {
            return &g->xmm[n];
        }
    }
    return NULL;
}

static unsigned touch(Gen *g, XmmCopy *copy)
{
    copy->last_use = ++g->xmm_clock;
    return GEN_XMM_FIRST + (copy - g->xmm);
}

static bool enabled(Gen *g)
{
    return gen_stubs(g->t)->features & GEN_HAS_SSE42;
}

unsigned gen_xmm_define(Gen *g, uint32_t offset, unsigned zero_from)
{
    XmmCopy *copy = find(g, offset);

    if (!enabled(g)) {
        return 0;
    }
    if (!copy) {
        copy = &g->xmm[0];
        for (unsigned n = 1; n < GEN_XMM_COPIES; n++) {
            if (g->xmm[n].last_use < copy->last_use) {
                copy = &g->xmm[n];
            }
        }
    }
    *copy = (XmmCopy){ .offset = offset, .zero_from = zero_from, .whole = true };
    return touch(g, copy);
}

void gen_xmm_prepare(Gen *g, uint32_t offset, unsigned bytes)
{
    XmmCopy *copy = find(g, offset);

    if (!offset || !enabled(g)) {
        return;
    }
    if (copy && (copy->whole || bytes <= 8)) {
        touch(g, copy);
    } else if (bytes <= 8) {
        asm_op_rm(&g->a, false, 0xf3, 0x0f7e, gen_xmm_define(g, offset, 8), RBP, offset);
        find(g, offset)->whole = false;
    } else {
        asm_op_rm(&g->a, false, 0, 0x0f28, gen_xmm_define(g, offset, 16), RBP, offset);
    }
}

unsigned gen_xmm_find(Gen *g, uint32_t offset, unsigned *zero_from)
{
    XmmCopy *copy = offset ? find(g, offset) : NULL;

    if (!copy) {
        return 0;
    }
    *zero_from = copy->zero_from;
    return touch(g, copy);
}

void gen_xmm_forget(Gen *g, uint32_t offset)
{
    XmmCopy *copy = find(g, offset & ~15u);

    if (copy) {
        *copy = (XmmCopy){ 0 };
    }
}

void gen_xmm_forget_all(Gen *g)
{
    memset(g->xmm, 0, sizeof(g->xmm));
}

bool gen_xmm_any(const Gen *g)
{
    for (unsigned n = 0; n < GEN_XMM_COPIES; n++) {
        if (g->xmm[n].offset) {
            return true;
        }
    }
    return false;
}

void gen_xmm_save(Asm *a, int32_t disp)
{
    for (unsigned n = 0; n < GEN_XMM_COPIES; n++) {
        asm_op_rm(a, false, 0, 0x0f29, GEN_XMM_FIRST + n, RSP, disp + 16 * n);   /* MOVAPS */
    }
}

void gen_xmm_restore(Asm *a, int32_t disp)
{
    for (unsigned n = 0; n < GEN_XMM_COPIES; n++) {
        asm_op_rm(a, false, 0, 0x0f28, GEN_XMM_FIRST + n, RSP, disp + 16 * n);
    }
}
