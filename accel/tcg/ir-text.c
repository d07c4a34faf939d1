/*
 * The text form of the IR: one instruction a line,
 *
 *     v3 = add.64.f v1 v2
 *     v4, v5 = ld2.64 v3 aux=0x3
 *     exit_cond.64 aux=0x0 imm=0x40001000
 *
 * `.f` sets NZCV, `.dead` and `.home` are the flags pass's marks. A helper is
 * printed as @name. Blank lines and lines starting with '#' are skipped on reading.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/ir-info.h"
#include <ctype.h>
#include <glib.h>

static void print_args(const IrInsn *i, FILE *out)
{
    if (i->op == IR_vec || i->op == IR_fp_vec) {
        fprintf(out, " @%s d=0x%x a=0x%x b=0x%x desc=0x%x",
                i->op == IR_vec ? ir_insn_vec(i)->name : ir_insn_fp_vec(i)->name,
                i->arg[0] * 8, i->arg[1] * 8, i->arg[2] * 8, ir_insn_vec_desc(i));
        return;
    }
    if (ir_op_is_fp(i->op)) {
        fprintf(out, " @%s operands=0x%" PRIx64, ir_insn_fp(i)->h.name, ir_insn_fp_operands(i));
    }
    if (i->op == IR_call) {
        fprintf(out, " @%s", ir_insn_helper(i)->name);
    }
    for (unsigned n = 0; n < ir_op_info[i->op].num_args; n++) {
        if (i->arg[n]) {
            fprintf(out, " v%u", i->arg[n]);
        }
    }
    if (i->aux) {
        fprintf(out, " aux=0x%x", i->aux);
    }
    if (i->imm && i->op != IR_call && !ir_op_is_fp(i->op)) {
        fprintf(out, " imm=0x%" PRIx64, i->imm);
    }
    if (ir_op_has_word(i->op) && ir_insn_word(i)) {
        fprintf(out, " word=0x%x", ir_insn_word(i));
    }
}

void ir_print(const IrUnit *u, FILE *out)
{
    for (unsigned n = 0; n < u->num_insns; n++) {
        const IrInsn *i = &u->insns[n];

        if (i->dst2) {
            fprintf(out, "v%u, v%u = ", i->dst, i->dst2);
        } else if (i->dst) {
            fprintf(out, "v%u = ", i->dst);
        }
        fprintf(out, "%s.%s%s%s%s%s", ir_op_name(i->op), i->flags & IRF_W64 ? "64" : "32",
                i->flags & IRF_SETS_NZCV ? ".f" : "", i->flags & IRF_NZCV_DEAD ? ".dead" : "",
                i->flags & IRF_NZCV_HOME ? ".home" : "", i->flags & IRF_NZCV_BAIL ? ".bail" : "");
        print_args(i, out);
        fputc('\n', out);
    }
}

/* ---- reading ---- */

static bool parse_number(const char *text, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = g_ascii_strtoull(text, &end, 0);
    return end != text && *end == 0 && errno == 0;
}

static bool parse_value(const char *word, IrUnit *u, uint16_t *out)
{
    uint64_t id;

    if (word[0] != 'v' || !parse_number(word + 1, &id) || id == 0 || id >= IR_MAX_INSNS * 2) {
        return false;
    }
    *out = id;
    if (id > u->num_values) {
        u->num_values = id;
    }
    return true;
}

static bool parse_opcode(char *word, IrInsn *i)
{
    char **part = g_strsplit(word, ".", -1);
    bool ok = false;

    for (unsigned op = 0; op < IR_NUM_OPS; op++) {
        if (strcmp(part[0], ir_op_info[op].name) == 0) {
            i->op = op;
            ok = true;
        }
    }
    for (unsigned n = 1; ok && part[n]; n++) {
        if (strcmp(part[n], "64") == 0) {
            i->flags |= IRF_W64;
        } else if (strcmp(part[n], "f") == 0) {
            i->flags |= IRF_SETS_NZCV;
        } else if (strcmp(part[n], "dead") == 0) {
            i->flags |= IRF_NZCV_DEAD;
        } else if (strcmp(part[n], "home") == 0) {
            i->flags |= IRF_NZCV_HOME;
        } else if (strcmp(part[n], "bail") == 0) {
            i->flags |= IRF_NZCV_BAIL;
        } else {
            ok = strcmp(part[n], "32") == 0;
        }
    }
    g_strfreev(part);
    return ok;
}

static bool parse_operand(const char *word, IrUnit *u, IrInsn *i, unsigned *num_args)
{
    uint64_t value;

    if (g_str_has_prefix(word, "aux=")) {
        if (!parse_number(word + 4, &value) || value > UINT16_MAX) {
            return false;
        }
        i->aux = value;
        return true;
    }
    if (g_str_has_prefix(word, "imm=")) {
        return parse_number(word + 4, &i->imm);
    }
    if (g_str_has_prefix(word, "word=")) {
        if (!parse_number(word + 5, &value) || value > UINT32_MAX || !ir_op_has_word(i->op)) {
            return false;
        }
        ir_insn_set_word(i, value);
        return true;
    }
    return *num_args < 4 && parse_value(word, u, &i->arg[(*num_args)++]);
}

static bool parse_line(char *line, IrUnit *u)
{
    IrInsn insn = { 0 };
    char *equals = strstr(line, " = ");
    unsigned num_args = 0, num_words = 0;
    char **words;
    bool ok = true;

    if (equals) {
        char **dsts;

        *equals = 0;
        dsts = g_strsplit(line, ",", 2);
        ok = parse_value(g_strstrip(dsts[0]), u, &insn.dst) &&
             (!dsts[1] || parse_value(g_strstrip(dsts[1]), u, &insn.dst2));
        g_strfreev(dsts);
        line = equals + 3;
    }
    words = g_strsplit_set(g_strstrip(line), " \t", -1);
    for (char **w = words; ok && *w; w++) {
        if (**w) {
            ok = num_words++ ? parse_operand(*w, u, &insn, &num_args) : parse_opcode(*w, &insn);
        }
    }
    g_strfreev(words);
    ok = ok && num_words && u->num_insns < IR_MAX_INSNS &&
         insn.op != IR_call && insn.op != IR_vec && insn.op != IR_fp_vec &&
         !ir_op_is_fp(insn.op);
    if (ok) {
        u->insns[u->num_insns++] = insn;
        u->num_guest_insns += insn.op == IR_insn;
        u->is_const[insn.dst] = insn.op == IR_const;
        u->const_of[insn.dst] = insn.imm;
    }
    return ok;
}

IrUnit *ir_parse(const char *text, unsigned *line_out)
{
    char **lines = g_strsplit(text, "\n", -1);
    IrUnit *u = ir_unit_new();

    for (unsigned n = 0; lines[n]; n++) {
        char *line = g_strstrip(lines[n]);

        if (*line && *line != '#' && !parse_line(line, u)) {
            if (line_out) {
                *line_out = n + 1;
            }
            ir_unit_free(u);
            u = NULL;
            break;
        }
    }
    g_strfreev(lines);
    return u;
}
