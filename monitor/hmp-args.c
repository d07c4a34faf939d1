/*
 * Arguments of commands that people type.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/hmp-args.h"
#include "util/keyval.h"

#define BLANKS " \t"

/* ---- the spec ---- */

static HmpType type_of(const char *name, const char *type)
{
    if (*name == '-' && strlen(name) == 2) {
        return HMP_FLAG;
    }
    if (*name == '/') {
        return HMP_FORMAT;
    }
    if (!type) {
        return HMP_WORD;
    }
    if (!strcmp(type, "rest")) {
        return HMP_REST;
    }
    if (!strcmp(type, "uint")) {
        return HMP_UINT;
    }
    assert(!strcmp(type, "expr"));
    return HMP_EXPR;
}

/* One of the words of a spec: "[NAME:type]". */
static HmpArg spec_arg(const char *word)
{
    bool optional = *word == '[';
    size_t length = strlen(word += optional);
    g_autofree char *bare = NULL;
    char *colon;

    while (optional && length && word[length - 1] == ']') {
        length--;
    }
    bare = g_strndup(word, length);
    colon = strchr(bare, ':');
    if (colon) {
        *colon++ = '\0';
    }
    return (HmpArg){ .name = g_strdup(bare), .type = type_of(bare, colon),
                     .optional = optional || *bare == '/' };
}

static void read_spec(HmpArgs *a, const char *spec)
{
    g_auto(GStrv) words = g_strsplit(spec, " ", -1);

    for (unsigned i = 0; words[i]; i++) {
        if (*words[i]) {
            assert(a->num < HMP_MAX_ARGS);
            a->arg[a->num++] = spec_arg(words[i]);
        }
    }
}

void hmp_args_usage(const char *spec, GString *out)
{
    for (; *spec; spec++) {
        if (*spec == ':') {
            spec += strcspn(spec, " ]") - 1;
        } else {
            g_string_append_c(out, *spec);
        }
    }
}

/* ---- the line ---- */

/* A word off the start of *line; NULL: its quotes do not end. */
static char *take_word(const char **line, Error **errp)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const char *p = *line;

    if (*p != '"') {
        size_t length = strcspn(p, BLANKS);

        *line = p + length;
        return g_strndup(p, length);
    }
    for (p++; *p && *p != '"'; p++) {
        p += *p == '\\' && p[1];
        g_string_append_c(out, *p);
    }
    if (!*p) {
        error_setg(errp, "%s: the quotes do not end", *line);
        return NULL;
    }
    *line = p + 1;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static bool take_format(HmpArg *arg, const char **line, Error **errp)
{
    if (**line != '/') {
        return true;
    }
    (*line)++;
    arg->text = take_word(line, errp);
    if (arg->text && strcmp(arg->name, "/FMT") && strcmp(arg->text, arg->name + 1)) {
        error_setg(errp, "'/%s': only %s can stand there", arg->text, arg->name);
        return false;
    }
    return arg->text != NULL;
}

static bool check_choice(const HmpArg *arg, Error **errp)
{
    g_auto(GStrv) choices = strchr(arg->name, '|') ? g_strsplit(arg->name, "|", -1) : NULL;

    if (choices && !g_strv_contains((const char *const *)choices, arg->text)) {
        error_setg(errp, "'%s': expected %s", arg->text, arg->name);
        return false;
    }
    return true;
}

static bool take_arg(HmpArg *arg, bool last, const char **line, HmpEval *eval, void *opaque,
                     Error **errp)
{
    if (arg->type == HMP_REST || (arg->type == HMP_EXPR && last)) {
        arg->text = g_strdup(*line);
        *line += strlen(*line);
    } else {
        arg->text = take_word(line, errp);
    }
    if (!arg->text) {
        return false;
    }
    switch (arg->type) {
    case HMP_UINT:
        if (!parse_u64(arg->text, &arg->number)) {
            error_setg(errp, "'%s' is no number; expected %s", arg->text, arg->name);
            return false;
        }
        return true;
    case HMP_EXPR:
        return eval(opaque, arg->text, &arg->number, errp);
    default:
        return check_choice(arg, errp);
    }
}

static HmpArg *find_flag(HmpArgs *a, const char *line)
{
    for (unsigned i = 0; i < a->num; i++) {
        if (a->arg[i].type == HMP_FLAG && g_str_has_prefix(line, a->arg[i].name) &&
            strchr(BLANKS, line[2])) {
            return &a->arg[i];
        }
    }
    return NULL;
}

static void unexpected(const HmpArgs *a, const char *line, Error **errp)
{
    g_autoptr(GString) flags = g_string_new(NULL);

    for (unsigned i = 0; *line == '-' && i < a->num; i++) {
        if (a->arg[i].type == HMP_FLAG) {
            g_string_append_printf(flags, "%s%s", flags->len ? ", " : "; known are ",
                                   a->arg[i].name);
        }
    }
    error_setg(errp, "unexpected argument '%s'%s", line, flags->str);
}

static const char *skip(const char *line)
{
    return line + strspn(line, BLANKS);
}

bool hmp_args_parse(HmpArgs *a, const char *spec, const char *usage, const char *line,
                    HmpEval *eval, void *opaque, Error **errp)
{
    HmpArg *flag;

    *a = (HmpArgs){ .num = 0 };
    read_spec(a, spec);
    while ((flag = find_flag(a, line))) {
        g_free(flag->text);
        flag->text = g_strdup("");
        line = skip(line + 2);
    }
    for (unsigned i = 0; i < a->num; i++) {
        HmpArg *arg = &a->arg[i];

        if (arg->type == HMP_FLAG) {
            continue;
        }
        if (arg->type == HMP_FORMAT) {
            if (!take_format(arg, &line, errp)) {
                return false;
            }
        } else if (*line) {
            if (!take_arg(arg, i + 1 == a->num, &line, eval, opaque, errp)) {
                return false;
            }
        } else if (!arg->optional) {
            error_setg(errp, "%s is missing: %s", arg->name, usage);
            return false;
        }
        line = skip(line);
    }
    if (*line) {
        unexpected(a, line, errp);
    }
    return !*line;
}

void hmp_args_clear(HmpArgs *a)
{
    for (unsigned i = 0; i < a->num; i++) {
        g_free(a->arg[i].name);
        g_free(a->arg[i].text);
    }
    a->num = 0;
}

/* ---- for commands ---- */

static const HmpArg *find(const HmpArgs *a, const char *name)
{
    for (unsigned i = 0; i < a->num; i++) {
        if (!strcmp(a->arg[i].name, name)) {
            return &a->arg[i];
        }
    }
    g_assert_not_reached();
}

bool hmp_given(const HmpArgs *a, const char *name)
{
    return find(a, name)->text != NULL;
}

char *hmp_text(const HmpArgs *a, const char *name)
{
    return find(a, name)->text;
}

uint64_t hmp_number(const HmpArgs *a, const char *name)
{
    return find(a, name)->number;
}
