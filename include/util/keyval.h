/*
 * "-option value,key=value,..." lists: parsed once into an ordered list, with
 * ",," for a literal comma. A key without '=' is either the implied first key
 * or a flag ("on"; "nokey" means key=off). Each getter marks its key as used,
 * so keyval_check_unused() can name what nobody understood.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_KEYVAL_H
#define UTIL_KEYVAL_H

#include <glib.h>
#include "util/error.h"

typedef struct KeyVal KeyVal;

/* implied_key names the first element when it has no '='; may be NULL. */
KeyVal *keyval_parse(const char *text, const char *implied_key, Error **errp);
void keyval_free(KeyVal *kv);

/* The last value given for key, or NULL. Owned by kv. */
const char *keyval_get(KeyVal *kv, const char *key);
bool keyval_has(KeyVal *kv, const char *key);

/* Each element in order; a flag ("key" or "nokey") has the value NULL. Marks nothing as used. */
void keyval_foreach(const KeyVal *kv, void (*fn)(const char *key, const char *value, void *opaque),
                    void *opaque);
/* Forget all elements about key. */
void keyval_remove(KeyVal *kv, const char *key);
/* The list as text that keyval_parse() takes, every element with its key. To be freed. */
char *keyval_format(const KeyVal *kv);
/* Append "key=value" or, with value NULL, the flag, behind a comma if there is something before it. */
void keyval_append(GString *out, const char *key, const char *value);

/* False and *errp when present but malformed; *out is untouched when absent. */
bool keyval_get_bool(KeyVal *kv, const char *key, bool *out, Error **errp);
bool keyval_get_u64(KeyVal *kv, const char *key, uint64_t *out, Error **errp);

/*
 * Fail on a key that no getter asked for, naming the nearest key that one did
 * ask for. `what` is the option's name for the message ("-icount").
 */
bool keyval_check_unused(KeyVal *kv, const char *what, Error **errp);

/* Parse "512", "1G", "0x1000" and so on; the whole string must be used. */
bool parse_size(const char *text, uint64_t unit, uint64_t *out);
bool parse_u64(const char *text, uint64_t *out);
/* "on", "yes", "true", "y" and their opposites; *out is untouched when it is neither. */
bool parse_bool(const char *text, bool *out);

/*
 * The known name nearest to `name`, or NULL when none differs by a slip only
 * (one in four letters). names is NULL-terminated.
 */
const char *suggest_nearest(const char *name, const char *const *names);

#endif
