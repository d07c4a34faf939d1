/*
 * "-option value,key=value,..." lists.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/keyval.h"
#include <glib.h>
#include <limits.h>

/* One mistake in so many letters is a slip; more is another word. */
#define SLIP_LETTERS 4
/* Parts of long names are words, too: virtio-blk-device is not virtio-rng-device. */
#define MAX_SLIPS 2

typedef struct KeyValItem {
    char *key;
    char *value;   /* NULL: a flag, "key" or "nokey" */
    bool used;
} KeyValItem;

struct KeyVal {
    GArray *items;     /* KeyValItem, in the order given */
    GPtrArray *asked;  /* every key that a getter asked for */
};

static void item_clear(void *p)
{
    KeyValItem *item = p;

    g_free(item->key);
    g_free(item->value);
}

/* Take one element up to a single ',' off *text; ",," stands for ','. */
static char *take_element(const char **text)
{
    GString *out = g_string_new(NULL);
    const char *p = *text;

    while (*p) {
        if (*p == ',') {
            if (p[1] != ',') {
                p++;
                break;
            }
            p++;
        }
        g_string_append_c(out, *p++);
    }
    *text = p;
    return g_string_free(out, FALSE);
}

/* Split "key=value" in place; false when the key is empty. */
static bool item_init(KeyValItem *item, const char *element, const char *implied_key)
{
    const char *eq = strchr(element, '=');

    *item = (KeyValItem) { 0 };
    if (eq == element || !*element) {
        return false;
    }
    if (eq) {
        item->key = g_strndup(element, (gsize)(eq - element));
        item->value = g_strdup(eq + 1);
    } else if (implied_key) {
        item->key = g_strdup(implied_key);
        item->value = g_strdup(element);
    } else {
        item->key = g_strdup(element);
    }
    return true;
}

KeyVal *keyval_parse(const char *text, const char *implied_key, Error **errp)
{
    KeyVal *kv = g_new0(KeyVal, 1);
    const char *p = text;

    kv->items = g_array_new(FALSE, FALSE, sizeof(KeyValItem));
    g_array_set_clear_func(kv->items, item_clear);
    kv->asked = g_ptr_array_new_with_free_func(g_free);

    while (*p) {
        char *element = take_element(&p);
        KeyValItem item;
        bool ok = item_init(&item, element, kv->items->len == 0 ? implied_key : NULL);

        g_free(element);
        if (!ok) {
            error_setg(errp, "'%s' is not a list of key=value: an element has no key", text);
            keyval_free(kv);
            return NULL;
        }
        g_array_append_val(kv->items, item);
    }
    return kv;
}

void keyval_free(KeyVal *kv)
{
    if (kv) {
        g_array_free(kv->items, TRUE);
        g_ptr_array_free(kv->asked, TRUE);
        g_free(kv);
    }
}

/* What item says about key: its value, or NULL when it is about another key. */
static const char *item_match(const KeyValItem *item, const char *key)
{
    if (strcmp(item->key, key) == 0) {
        return item->value ? item->value : "on";
    }
    if (!item->value && g_str_has_prefix(item->key, "no") && strcmp(item->key + 2, key) == 0) {
        return "off";
    }
    return NULL;
}

static void note_asked(KeyVal *kv, const char *key)
{
    for (unsigned i = 0; i < kv->asked->len; i++) {
        if (strcmp(g_ptr_array_index(kv->asked, i), key) == 0) {
            return;
        }
    }
    g_ptr_array_add(kv->asked, g_strdup(key));
}

const char *keyval_get(KeyVal *kv, const char *key)
{
    const char *last = NULL;

    note_asked(kv, key);
    for (unsigned i = 0; i < kv->items->len; i++) {
        KeyValItem *item = &g_array_index(kv->items, KeyValItem, i);
        const char *value = item_match(item, key);

        if (value) {
            item->used = true;
            last = value;
        }
    }
    return last;
}

bool keyval_has(KeyVal *kv, const char *key)
{
    return keyval_get(kv, key) != NULL;
}

void keyval_foreach(const KeyVal *kv, void (*fn)(const char *key, const char *value, void *opaque),
                    void *opaque)
{
    for (unsigned i = 0; i < kv->items->len; i++) {
        const KeyValItem *item = &g_array_index(kv->items, KeyValItem, i);

        fn(item->key, item->value, opaque);
    }
}

void keyval_remove(KeyVal *kv, const char *key)
{
    for (unsigned i = kv->items->len; i-- > 0; ) {
        if (item_match(&g_array_index(kv->items, KeyValItem, i), key)) {
            g_array_remove_index(kv->items, i);
        }
    }
}

void keyval_append(GString *out, const char *key, const char *value)
{
    g_string_append_printf(out, "%s%s%s", out->len ? "," : "", key, value ? "=" : "");
    for (; value && *value; value++) {
        g_string_append(out, *value == ',' ? ",," : (char[]){ *value, 0 });
    }
}

static void format_element(const char *key, const char *value, void *out)
{
    keyval_append(out, key, value);
}

char *keyval_format(const KeyVal *kv)
{
    GString *out = g_string_new(NULL);

    keyval_foreach(kv, format_element, out);
    return g_string_free(out, FALSE);
}

bool keyval_get_bool(KeyVal *kv, const char *key, bool *out, Error **errp)
{
    const char *value = keyval_get(kv, key);

    if (value && !parse_bool(value, out)) {
        error_setg(errp, "%s=%s: expected 'on' or 'off'", key, value);
        return false;
    }
    return true;
}

bool keyval_get_u64(KeyVal *kv, const char *key, uint64_t *out, Error **errp)
{
    const char *value = keyval_get(kv, key);

    if (value && !parse_u64(value, out)) {
        error_setg(errp, "%s=%s: expected a number", key, value);
        return false;
    }
    return true;
}

bool keyval_check_unused(KeyVal *kv, const char *what, Error **errp)
{
    for (unsigned i = 0; i < kv->items->len; i++) {
        const KeyValItem *item = &g_array_index(kv->items, KeyValItem, i);
        const char *near;

        if (item->used) {
            continue;
        }
        g_ptr_array_add(kv->asked, NULL);
        near = suggest_nearest(item->key, (const char *const *)kv->asked->pdata);
        if (near) {
            error_setg(errp, "%s: unknown option '%s', did you mean '%s'?", what, item->key,
                       near);
        } else {
            error_setg(errp, "%s: unknown option '%s'", what, item->key);
        }
        g_ptr_array_remove_index(kv->asked, kv->asked->len - 1);
        return false;
    }
    return true;
}

bool parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = { "on", "yes", "true", "y", NULL };
    static const char *const no[] = { "off", "no", "false", "n", NULL };

    if (g_strv_contains(yes, text)) {
        *out = true;
        return true;
    }
    if (g_strv_contains(no, text)) {
        *out = false;
        return true;
    }
    return false;
}

static int digit_value(char c)
{
    return g_ascii_isxdigit(c) ? g_ascii_xdigit_value(c) : -1;
}

/* Digits in base 10, or 16 after "0x"; *end is left behind the last digit. */
static bool parse_digits(const char *text, uint64_t *out, const char **end)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    unsigned base = hex ? 16 : 10;
    const char *p = hex ? text + 2 : text;
    const char *first = p;
    uint64_t value = 0;

    for (; ; p++) {
        int digit = digit_value(*p);

        if (digit < 0 || (unsigned)digit >= base) {
            break;
        }
        if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value)) {
            return false;
        }
    }
    *out = value;
    *end = p;
    return p != first;
}

bool parse_u64(const char *text, uint64_t *out)
{
    const char *end;
    uint64_t value;

    if (!parse_digits(text, &value, &end) || *end) {
        return false;
    }
    *out = value;
    return true;
}

/* Bytes that a suffix stands for, 0 when unknown. */
static uint64_t suffix_bytes(char c, uint64_t unit)
{
    switch (g_ascii_toupper(c)) {
    case '\0': return unit;
    case 'B': return 1;
    case 'K': return 1ull << 10;
    case 'M': return 1ull << 20;
    case 'G': return 1ull << 30;
    case 'T': return 1ull << 40;
    case 'P': return 1ull << 50;
    case 'E': return 1ull << 60;
    default: return 0;
    }
}

bool parse_size(const char *text, uint64_t unit, uint64_t *out)
{
    uint64_t value, multiplier, fraction = 0, scale = 1;
    const char *p;

    if (!parse_digits(text, &value, &p)) {
        return false;
    }
    if (*p == '.' && text[1] != 'x' && text[1] != 'X') {
        /* "1.5G": six digits keep the product below 2^64. */
        for (p++; g_ascii_isdigit(*p); p++) {
            if (scale == 1000000) {
                return false;
            }
            fraction = fraction * 10 + (uint64_t)(*p - '0');
            scale *= 10;
        }
        if (scale == 1) {
            return false;
        }
    }
    multiplier = suffix_bytes(*p, unit);
    if (!multiplier || (*p && p[1]) ||
        __builtin_mul_overflow(value, multiplier, &value)) {
        return false;
    }
    return !__builtin_add_overflow(value, fraction * multiplier / scale, out);
}

/*
 * How many letters have to be inserted, left out, changed or swapped with their neighbour
 * to make b of a (optimal string alignment).
 */
static unsigned edit_distance(const char *a, const char *b)
{
    size_t len_a = strlen(a), len_b = strlen(b), width = len_b + 1;
    g_autofree unsigned *cost = g_new(unsigned, (len_a + 1) * width);

    for (size_t i = 0; i <= len_a; i++) {
        for (size_t j = 0; j <= len_b; j++) {
            unsigned *here = &cost[i * width + j];

            if (!i || !j) {
                *here = (unsigned)(i + j);
                continue;
            }
            *here = MIN(here[-1], *(here - width)) + 1;
            *here = MIN(*here, *(here - width - 1) + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                *here = MIN(*here, *(here - 2 * width - 2) + 1);
            }
        }
    }
    return cost[len_a * width + len_b];
}

/*
 * Whether `name` may be a mistyped `known`. In a short word one letter too many or too few
 * is a slip; another letter makes another word ("qmp" is not "smp").
 */
static bool is_slip(const char *name, const char *known, unsigned *distance)
{
    size_t longer = MAX(strlen(name), strlen(known));
    size_t shorter = MIN(strlen(name), strlen(known));
    size_t most = MAX(MIN(longer / SLIP_LETTERS, MAX_SLIPS), shorter < longer && longer > 2);

    if (longer - shorter > most) {
        return false;
    }
    *distance = edit_distance(name, known);
    return *distance <= most;
}

const char *suggest_nearest(const char *name, const char *const *names)
{
    unsigned best = UINT_MAX, distance;
    const char *nearest = NULL;

    for (; *names; names++) {
        if (is_slip(name, *names, &distance) && distance < best) {
            best = distance;
            nearest = *names;
        }
    }
    return nearest;
}
