/*
 * Expressions: precedence climbing over | ^ & << >> + - * / % and unary - ~ + ( ).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib.h>
#include "monitor/expr.h"

#define MAX_DEPTH 64

typedef struct Parser {
    const char *p;
    ExprRegister *lookup;
    void *opaque;
    Error **errp;
    unsigned depth;
} Parser;

static bool parse_binary(Parser *s, int level, uint64_t *out);

static void skip_spaces(Parser *s)
{
    while (g_ascii_isspace(*s->p)) {
        s->p++;
    }
}

static bool parse_number(Parser *s, uint64_t *out)
{
    char *end;

    if (s->p[0] == '\'' && s->p[1] && s->p[2] == '\'') {
        *out = (uint8_t)s->p[1];
        s->p += 3;
        return true;
    }
    if (!g_ascii_isdigit(*s->p)) {
        if (*s->p) {
            error_setg(s->errp, "expected a number at '%s'", s->p);
        } else {
            error_setg(s->errp, "expected a number at the end");
        }
        return false;
    }
    errno = 0;
    *out = g_ascii_strtoull(s->p, &end, 0);
    if (errno || g_ascii_isalnum(*end)) {
        error_setg(s->errp, "'%s' is not a 64-bit number", s->p);
        return false;
    }
    s->p = end;
    return true;
}

static bool parse_register(Parser *s, uint64_t *out)
{
    const char *start = ++s->p;
    g_autofree char *name = NULL;

    while (g_ascii_isalnum(*s->p) || *s->p == '_') {
        s->p++;
    }
    name = g_strndup(start, (gsize)(s->p - start));
    if (!s->lookup || !s->lookup(s->opaque, name, out)) {
        error_setg(s->errp, "unknown register '$%s'", name);
        return false;
    }
    return true;
}

static bool parse_unary(Parser *s, uint64_t *out)
{
    bool ok;

    skip_spaces(s);
    if (*s->p == '$') {
        return parse_register(s, out);
    }
    if (!*s->p || !strchr("-~+(", *s->p)) {
        return parse_number(s, out);
    }
    if (s->depth == MAX_DEPTH) {
        error_setg(s->errp, "the expression is nested too deeply");
        return false;
    }
    s->depth++;
    switch (*s->p++) {
    case '-':
        ok = parse_unary(s, out);
        *out = -*out;
        break;
    case '~':
        ok = parse_unary(s, out);
        *out = ~*out;
        break;
    case '+':
        ok = parse_unary(s, out);
        break;
    default:
        ok = parse_binary(s, 0, out);
        if (ok && *s->p != ')') {
            error_setg(s->errp, "')' is missing");
            ok = false;
        }
        s->p += ok;
        break;
    }
    s->depth--;
    skip_spaces(s);
    return ok;
}

static int operator_level(const char *p)
{
    switch (*p) {
    case '|': return 0;
    case '^': return 1;
    case '&': return 2;
    case '<':
    case '>': return p[1] == p[0] ? 3 : -1;
    case '+':
    case '-': return 4;
    case '*':
    case '/':
    case '%': return 5;
    default: return -1;
    }
}

static bool apply(Parser *s, char operator, uint64_t *a, uint64_t b)
{
    switch (operator) {
    case '|': *a |= b; return true;
    case '^': *a ^= b; return true;
    case '&': *a &= b; return true;
    case '<': *a = b < 64 ? *a << b : 0; return true;
    case '>': *a = b < 64 ? *a >> b : 0; return true;
    case '+': *a += b; return true;
    case '-': *a -= b; return true;
    case '*': *a *= b; return true;
    }
    if (b == 0) {
        error_setg(s->errp, "division by zero");
        return false;
    }
    *a = operator == '/' ? *a / b : *a % b;
    return true;
}

static bool parse_binary(Parser *s, int level, uint64_t *out)
{
    *out = 0;
    if (!parse_unary(s, out)) {
        return false;
    }
    for (;;) {
        uint64_t right;
        char operator;
        int at;

        skip_spaces(s);
        operator = *s->p;
        at = operator ? operator_level(s->p) : -1;
        if (at < level) {
            return true;
        }
        s->p += at == 3 ? 2 : 1;
        if (!parse_binary(s, at + 1, &right) || !apply(s, operator, out, right)) {
            return false;
        }
    }
}

bool expr_eval(const char *text, ExprRegister *lookup, void *opaque, uint64_t *out, Error **errp)
{
    Parser s = { .p = text, .lookup = lookup, .opaque = opaque, .errp = errp };

    if (!parse_binary(&s, 0, out)) {
        return false;
    }
    if (*s.p) {
        error_setg(errp, "'%s' makes no sense behind an expression", s.p);
        return false;
    }
    return true;
}
