/*
 * Property tables: text to values and back, and help.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/property.h"

typedef union PropertyValue {
    bool on;
    uint64_t number;
    const char *text;
} PropertyValue;

const Property *property_find(const Property *table, const char *name)
{
    for (const Property *p = table; p && p->name; p++) {
        if (strcmp(p->name, name) == 0) {
            return p;
        }
    }
    return NULL;
}

static uint64_t largest(const Property *p)
{
    if (p->max) {
        return p->max;
    }
    return p->size && p->size < 8 ? (1ull << (p->size * 8)) - 1 : UINT64_MAX;
}

/* "'a', 'b' or 'c'" */
static char *list_values(const Property *p)
{
    GString *list = g_string_new(NULL);

    for (unsigned i = 0; p->values[i]; i++) {
        const char *join = i == 0 ? "" : p->values[i + 1] ? ", " : " or ";

        g_string_append_printf(list, "%s'%s'", join, p->values[i]);
    }
    return g_string_free(list, FALSE);
}

static bool same_value(const Property *p, const char *a, const char *b)
{
    uint64_t x, y;

    if (p->type == PROPERTY_UINT && parse_u64(a, &x) && parse_u64(b, &y)) {
        return x == y;
    }
    return strcmp(a, b) == 0;
}

/* The place of text among the values; a bool goes by either word, a number by its value. */
static bool find_value(const Property *p, const char *text, uint64_t *index)
{
    bool on;

    if (p->type == PROPERTY_BOOL && parse_bool(text, &on)) {
        text = on ? "on" : "off";
    }
    for (unsigned i = 0; p->values[i]; i++) {
        if (same_value(p, p->values[i], text)) {
            *index = i;
            return true;
        }
    }
    return false;
}

static bool parse_listed(const Property *p, const char *text, PropertyValue *out,
                         const char *what, Error **errp)
{
    g_autofree char *list = NULL;
    const char *near;
    bool on;

    if (find_value(p, text, &out->number)) {
        return true;
    }
    if (p->type == PROPERTY_BOOL && !parse_bool(text, &on)) {
        error_setg(errp, "%s: %s=%s: expected 'on' or 'off'", what, p->name, text);
        return false;
    }
    near = suggest_nearest(text, p->values);
    if (p->refused && !near) {
        error_setg(errp, "%s: %s=%s is not supported; %s", what, p->name, text, p->refused);
        return false;
    }
    list = list_values(p);
    error_setg(errp, "%s: %s=%s: expected %s%s%s%s", what, p->name, text, list,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return false;
}

static bool parse_number(const Property *p, const char *text, PropertyValue *out,
                         const char *what, Error **errp)
{
    bool size = p->type == PROPERTY_SIZE;

    if (size ? !parse_size(text, 1, &out->number) : !parse_u64(text, &out->number)) {
        error_setg(errp, "%s: %s=%s: expected %s", what, p->name, text,
                   size ? "a size such as 512M or 2G" : "a number");
        return false;
    }
    if (out->number < p->min || out->number > largest(p)) {
        error_setg(errp, "%s: %s=%s is out of range: %" PRIu64 "..%" PRIu64, what, p->name, text,
                   p->min, largest(p));
        return false;
    }
    return true;
}

static bool parse_value(const Property *p, const char *text, PropertyValue *out,
                        const char *what, Error **errp)
{
    if (p->values) {
        return parse_listed(p, text, out, what, errp);
    }
    if (p->refused) {
        error_setg(errp, "%s: %s=%s is not supported; %s", what, p->name, text, p->refused);
        return false;
    }
    switch (p->type) {
    case PROPERTY_BOOL:
        if (!parse_bool(text, &out->on)) {
            error_setg(errp, "%s: %s=%s: expected 'on' or 'off'", what, p->name, text);
            return false;
        }
        return true;
    case PROPERTY_UINT:
    case PROPERTY_SIZE:
        return parse_number(p, text, out, what, errp);
    case PROPERTY_STRING:
        out->text = text;
        return true;
    case PROPERTY_ENUM:
        break;
    }
    g_assert_not_reached();
}

static void store_number(void *to, uint8_t size, uint64_t number)
{
    switch (size) {
    case 1:
        *(uint8_t *)to = (uint8_t)number;
        return;
    case 2:
        *(uint16_t *)to = (uint16_t)number;
        return;
    case 4:
        *(uint32_t *)to = (uint32_t)number;
        return;
    default:
        *(uint64_t *)to = number;
        return;
    }
}

static uint64_t load_number(const void *from, uint8_t size)
{
    switch (size) {
    case 1:
        return *(const uint8_t *)from;
    case 2:
        return *(const uint16_t *)from;
    case 4:
        return *(const uint32_t *)from;
    default:
        return *(const uint64_t *)from;
    }
}

static void store_value(const Property *p, void *config, PropertyValue value)
{
    void *to = (char *)config + p->offset;

    if (!p->size) {
        return;
    }
    if (p->type == PROPERTY_BOOL) {
        *(bool *)to = value.on;
    } else if (p->type == PROPERTY_STRING) {
        g_free(*(char **)to);
        *(char **)to = g_strdup(value.text);
    } else {
        store_number(to, p->size, value.number);
    }
}

void properties_init(const Property *table, void *config)
{
    for (const Property *p = table; p && p->name; p++) {
        PropertyValue value = { 0 };

        if (p->initial) {
            bool ok = parse_value(p, p->initial, &value, "", NULL);

            assert(ok);
            store_value(p, config, value);
        }
    }
}

void properties_clear(const Property *table, void *config)
{
    for (const Property *p = table; p && p->name; p++) {
        if (p->type == PROPERTY_STRING && p->size) {
            char **text = (char **)((char *)config + p->offset);

            g_free(*text);
            *text = NULL;
        }
    }
}

static void unknown_property(const Property *table, const char *name, const char *what,
                             Error **errp)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    for (const Property *p = table; p && p->name; p++) {
        g_ptr_array_add(names, (char *)p->name);
    }
    g_ptr_array_add(names, NULL);
    near = suggest_nearest(name, (const char *const *)names->pdata);
    error_setg(errp, "%s: no such property '%s'%s%s%s", what, name,
               near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

bool property_set(const Property *table, void *config, const char *name, const char *value,
                  const char *what, Error **errp)
{
    const Property *p = property_find(table, name);
    PropertyValue parsed;

    if (!p) {
        unknown_property(table, name, what, errp);
        return false;
    }
    if (!parse_value(p, value, &parsed, what, errp)) {
        return false;
    }
    if (config) {
        store_value(p, config, parsed);
    }
    return true;
}

bool properties_take(const Property *table, void *config, KeyVal *kv, const char *what,
                     Error **errp)
{
    for (const Property *p = table; p && p->name; p++) {
        const char *value = keyval_get(kv, p->name);

        if (value && !property_set(table, config, p->name, value, what, errp)) {
            return false;
        }
    }
    return true;
}

const char *property_default(const Property *p)
{
    if (p->initial) {
        return p->initial;
    }
    if (p->values) {
        return p->values[0];
    }
    switch (p->type) {
    case PROPERTY_BOOL:
        return "off";
    case PROPERTY_UINT:
    case PROPERTY_SIZE:
        return "0";
    case PROPERTY_STRING:
    case PROPERTY_ENUM:
        return NULL;
    }
    g_assert_not_reached();
}

char *property_format(const Property *p, const void *config)
{
    const void *from = (const char *)config + p->offset;

    if (!p->size) {
        return g_strdup(property_default(p));
    }
    switch (p->type) {
    case PROPERTY_BOOL:
        return g_strdup(*(const bool *)from ? "on" : "off");
    case PROPERTY_STRING:
        return g_strdup(*(char *const *)from);
    case PROPERTY_ENUM:
        return g_strdup(p->values[*(const unsigned *)from]);
    case PROPERTY_UINT:
    case PROPERTY_SIZE:
        return g_strdup_printf("%" PRIu64, load_number(from, p->size));
    }
    g_assert_not_reached();
}

char *property_type_text(const Property *p)
{
    if (p->values) {
        return g_strjoinv("|", (char **)p->values);
    }
    switch (p->type) {
    case PROPERTY_BOOL:
        return g_strdup("on|off");
    case PROPERTY_UINT:
        return g_strdup_printf("%" PRIu64 "..%" PRIu64, p->min, largest(p));
    case PROPERTY_SIZE:
        return g_strdup("size");
    case PROPERTY_STRING:
    case PROPERTY_ENUM:
        return g_strdup("str");
    }
    g_assert_not_reached();
}

void properties_help(const Property *table, GString *out)
{
    for (const Property *p = table; p && p->name; p++) {
        g_autofree char *type = property_type_text(p);
        g_autofree char *left = g_strdup_printf("%s=<%s>", p->name, type);

        if (p->refused && !p->values) {
            continue;
        }
        g_string_append_printf(out, "  %-30s %s", left, p->doc);
        if (property_default(p)) {
            g_string_append_printf(out, " (default: %s)", property_default(p));
        }
        g_string_append_c(out, '\n');
    }
}
