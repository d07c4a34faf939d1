/*
 * The self-description: to and from JSON, and the comparison that refuses to
 * replay a recording on another machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json.h>
#include "replay/replay-describe.h"
#include "replay/replay-kinds.h"
#include "replay/replay-log.h"

#define MAX_DEPTH 8
#define MAX_NAMES 4096

static const char *const check_names[] = {
    [REPLAY_CHECK_OFF] = "off",
    [REPLAY_CHECK_EVENTS] = "events",
    [REPLAY_CHECK_DIGEST] = "digest",
};

const char *replay_check_name(ReplayCheck check)
{
    return check_names[check];
}

static void source_clear(void *source)
{
    g_free(((ReplayDescribedSource *)source)->name);
}

ReplayDescription *replay_description_new(void)
{
    ReplayDescription *d = g_new0(ReplayDescription, 1);

    d->build = g_strdup("");
    d->engine = REPLAY_ENGINE_REVISION;
    d->names = g_ptr_array_new_with_free_func(g_free);
    d->values = g_ptr_array_new_with_free_func(g_free);
    d->sources = g_array_new(false, false, sizeof(ReplayDescribedSource));
    g_array_set_clear_func(d->sources, source_clear);
    d->ancestors = g_array_new(false, false, sizeof(ReplayPlace));
    return d;
}

void replay_description_free(ReplayDescription *d)
{
    g_ptr_array_unref(d->names);
    g_ptr_array_unref(d->values);
    g_array_unref(d->sources);
    g_array_unref(d->ancestors);
    g_free(d->build);
    g_free(d);
}

void replay_description_add(ReplayDescription *d, const char *name, const char *value)
{
    assert(!replay_description_get(d, name));
    g_ptr_array_add(d->names, g_strdup(name));
    g_ptr_array_add(d->values, g_strdup(value));
}

const char *replay_description_get(const ReplayDescription *d, const char *name)
{
    for (guint i = 0; i < d->names->len; i++) {
        if (strcmp(g_ptr_array_index(d->names, i), name) == 0) {
            return g_ptr_array_index(d->values, i);
        }
    }
    return NULL;
}

void replay_description_add_source(ReplayDescription *d, ReplayKind kind, const char *name)
{
    ReplayDescribedSource s = { kind, g_strdup(name) };

    g_array_append_val(d->sources, s);
}

const ReplayDescribedSource *replay_description_source(const ReplayDescription *d,
                                                       uint32_t index)
{
    assert(index < d->sources->len);
    return &g_array_index(d->sources, ReplayDescribedSource, index);
}

uint32_t replay_description_find_source(const ReplayDescription *d, ReplayKind kind,
                                        const char *name)
{
    for (guint i = 0; i < d->sources->len; i++) {
        const ReplayDescribedSource *s = replay_description_source(d, i);

        if (s->kind == kind && strcmp(s->name, name) == 0) {
            return i;
        }
    }
    return REPLAY_NO_SOURCE;
}

/* ---- JSON ---- */

static struct json_object *ancestors_to_json(const GArray *ancestors)
{
    struct json_object *array = json_object_new_array();

    for (guint i = 0; i < ancestors->len; i++) {
        const ReplayPlace *p = &g_array_index(ancestors, ReplayPlace, i);
        struct json_object *entry = json_object_new_object();
        char id[2 * REPLAY_LOG_ID_SIZE + 1];

        replay_id_format(p->id, id);
        json_object_object_add(entry, "id", json_object_new_string(id));
        json_object_object_add(entry, "records", json_object_new_int64((int64_t)p->records));
        json_object_object_add(entry, "position", json_object_new_int64((int64_t)p->pos));
        json_object_array_add(array, entry);
    }
    return array;
}

char *replay_description_to_json(const ReplayDescription *d)
{
    struct json_object *root = json_object_new_object();
    struct json_object *machine = json_object_new_object();
    struct json_object *sources = json_object_new_array();
    char *text;

    json_object_object_add(root, "build", json_object_new_string(d->build));
    json_object_object_add(root, "engine", json_object_new_int64((int64_t)d->engine));
    json_object_object_add(root, "check",
                           json_object_new_string(replay_check_name(d->check)));
    json_object_object_add(root, "check-period",
                           json_object_new_int64((int64_t)d->check_period));
    for (guint i = 0; i < d->names->len; i++) {
        json_object_object_add(machine, g_ptr_array_index(d->names, i),
                               json_object_new_string(g_ptr_array_index(d->values, i)));
    }
    json_object_object_add(root, "machine", machine);
    for (guint i = 0; i < d->sources->len; i++) {
        const ReplayDescribedSource *s = replay_description_source(d, i);
        struct json_object *entry = json_object_new_object();

        json_object_object_add(entry, "kind",
                               json_object_new_string(replay_kind_info(s->kind)->name));
        json_object_object_add(entry, "name", json_object_new_string(s->name));
        json_object_array_add(sources, entry);
    }
    json_object_object_add(root, "sources", sources);
    if (d->ancestors->len) {
        json_object_object_add(root, "ancestors", ancestors_to_json(d->ancestors));
    }
    text = g_strdup(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN |
                                                         JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(root);
    return text;
}

/* A member of a given type, or NULL. */
static struct json_object *member(struct json_object *object, const char *name,
                                  enum json_type type)
{
    struct json_object *value;

    if (!json_object_object_get_ex(object, name, &value) ||
        !json_object_is_type(value, type)) {
        return NULL;
    }
    return value;
}

static const char *string_member(struct json_object *object, const char *name)
{
    struct json_object *value = member(object, name, json_type_string);

    return value ? json_object_get_string(value) : NULL;
}

static bool parse_check(ReplayDescription *d, struct json_object *root)
{
    const char *name = string_member(root, "check");
    struct json_object *period = member(root, "check-period", json_type_int);

    if (!name || !period || json_object_get_int64(period) < 0) {
        return false;
    }
    d->check_period = (uint64_t)json_object_get_int64(period);
    for (guint i = 0; i < ARRAY_SIZE(check_names); i++) {
        if (strcmp(check_names[i], name) == 0) {
            d->check = (ReplayCheck)i;
            return d->check != REPLAY_CHECK_DIGEST || d->check_period > 0;
        }
    }
    return false;
}

static bool parse_machine(ReplayDescription *d, struct json_object *root)
{
    struct json_object *machine = member(root, "machine", json_type_object);

    if (!machine || json_object_object_length(machine) > MAX_NAMES) {
        return false;
    }
    json_object_object_foreach(machine, name, value) {
        if (!json_object_is_type(value, json_type_string)) {
            return false;
        }
        replay_description_add(d, name, json_object_get_string(value));
    }
    return true;
}

static bool parse_sources(ReplayDescription *d, struct json_object *root)
{
    struct json_object *sources = member(root, "sources", json_type_array);

    if (!sources || json_object_array_length(sources) > REPLAY_LOG_MAX_SOURCES) {
        return false;
    }
    for (size_t i = 0; i < json_object_array_length(sources); i++) {
        struct json_object *entry = json_object_array_get_idx(sources, i);
        const char *kind, *name;
        unsigned number;

        if (!json_object_is_type(entry, json_type_object)) {
            return false;
        }
        kind = string_member(entry, "kind");
        name = string_member(entry, "name");
        number = kind ? replay_kind_by_name(kind) : 0;
        if (!name || !number || !replay_kind_has_source(number) ||
            replay_description_find_source(d, number, name) != REPLAY_NO_SOURCE) {
            return false;
        }
        replay_description_add_source(d, number, name);
    }
    return true;
}

static bool parse_id(const char *text, uint8_t *id)
{
    for (unsigned i = 0; i < 2 * REPLAY_LOG_ID_SIZE; i++) {
        int digit = g_ascii_xdigit_value(text[i]);

        if (digit < 0) {
            return false;
        }
        id[i / 2] = (uint8_t)(id[i / 2] << 4 | digit);
    }
    return !text[2 * REPLAY_LOG_ID_SIZE];
}

static bool parse_ancestor(ReplayDescription *d, struct json_object *entry)
{
    struct json_object *records = member(entry, "records", json_type_int);
    struct json_object *position = member(entry, "position", json_type_int);
    const char *id = string_member(entry, "id");
    ReplayPlace place = { 0 };

    if (!id || !parse_id(id, place.id) || !records || json_object_get_int64(records) < 0 ||
        !position || json_object_get_int64(position) < 0) {
        return false;
    }
    place.records = (uint64_t)json_object_get_int64(records);
    place.pos = (uint64_t)json_object_get_int64(position);
    g_array_append_val(d->ancestors, place);
    return true;
}

/* Most recordings have none. */
static bool parse_ancestors(ReplayDescription *d, struct json_object *root)
{
    struct json_object *array;

    if (!json_object_object_get_ex(root, "ancestors", &array)) {
        return true;
    }
    if (!json_object_is_type(array, json_type_array) ||
        json_object_array_length(array) > REPLAY_MAX_ANCESTORS) {
        return false;
    }
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct json_object *entry = json_object_array_get_idx(array, i);

        if (!json_object_is_type(entry, json_type_object) || !parse_ancestor(d, entry)) {
            return false;
        }
    }
    return true;
}

static bool parse_root(ReplayDescription *d, struct json_object *root)
{
    struct json_object *engine;
    const char *build;

    if (!json_object_is_type(root, json_type_object)) {
        return false;
    }
    build = string_member(root, "build");
    engine = member(root, "engine", json_type_int);
    if (!build || !engine || json_object_get_int64(engine) < 0) {
        return false;
    }
    d->engine = (uint64_t)json_object_get_int64(engine);
    g_free(d->build);
    d->build = g_strdup(build);
    return parse_check(d, root) && parse_machine(d, root) && parse_sources(d, root) &&
           parse_ancestors(d, root);
}

ReplayDescription *replay_description_from_json(const char *json, Error **errp)
{
    struct json_tokener *tok = json_tokener_new_ex(MAX_DEPTH);
    ReplayDescription *d = replay_description_new();
    struct json_object *root;
    bool ok;

    json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
    /* With the terminating NUL, so that the end of the text ends a number, too. */
    root = json_tokener_parse_ex(tok, json, (int)strlen(json) + 1);
    ok = root && parse_root(d, root);
    json_object_put(root);
    json_tokener_free(tok);
    if (!ok) {
        error_setg(errp, "the recording's self-description is malformed");
        g_clear_pointer(&d, replay_description_free);
    }
    return d;
}

/* ---- comparison ---- */

bool replay_description_check_engine(const ReplayDescription *recorded, Error **errp)
{
    if (recorded->engine == REPLAY_ENGINE_REVISION) {
        return true;
    }
    error_setg(errp, "it was recorded by engine revision %" PRIu64 " (build %s), this program has "
               "revision %d, whose guests do not run alike: replay it with that build, or record "
               "again", recorded->engine, recorded->build, REPLAY_ENGINE_REVISION);
    return false;
}

static bool is_info(const char *name)
{
    return g_str_has_prefix(name, "info.");
}

static bool is_compared(const char *name, bool with_state)
{
    return !is_info(name) && (with_state || !g_str_has_prefix(name, REPLAY_STATE_PREFIX));
}

static bool compare_values(const ReplayDescription *recorded, const ReplayDescription *now,
                           bool with_state, Error **errp)
{
    for (guint i = 0; i < recorded->names->len; i++) {
        const char *name = g_ptr_array_index(recorded->names, i);
        const char *then = g_ptr_array_index(recorded->values, i);
        const char *value = replay_description_get(now, name);

        if (!is_compared(name, with_state) || (value && strcmp(then, value) == 0)) {
            continue;
        }
        if (value) {
            /* What has a digest is a file's content. */
            error_setg(errp, "'%s' differs: it was '%s' when recording and is '%s' now%s", name, then, value,
                       strstr(then, "xxh3:") ? "; if the file was moved, -icount rrpath=OLD=NEW says where it is now" : "");
        } else {
            error_setg(errp, "'%s' differs: it was '%s' when recording and is absent now",
                       name, then);
        }
        return false;
    }
    for (guint i = 0; i < now->names->len; i++) {
        const char *name = g_ptr_array_index(now->names, i);

        if (is_compared(name, with_state) && !replay_description_get(recorded, name)) {
            error_setg(errp, "'%s' differs: it was absent when recording and is '%s' now",
                       name, (const char *)g_ptr_array_index(now->values, i));
            return false;
        }
    }
    return true;
}

/* The first source of a that b lacks, or NULL. */
static const ReplayDescribedSource *missing_source(const ReplayDescription *a,
                                                   const ReplayDescription *b)
{
    for (guint i = 0; i < a->sources->len; i++) {
        const ReplayDescribedSource *s = replay_description_source(a, i);

        if (replay_description_find_source(b, s->kind, s->name) == REPLAY_NO_SOURCE) {
            return s;
        }
    }
    return NULL;
}

bool replay_description_compare(const ReplayDescription *recorded,
                                const ReplayDescription *now, bool with_state, Error **errp)
{
    const ReplayDescribedSource *s;

    if (!compare_values(recorded, now, with_state, errp)) {
        return false;
    }
    s = missing_source(recorded, now);
    if (s) {
        error_setg(errp, "the recorded machine had the %s source '%s', this one has none",
                   replay_kind_info(s->kind)->name, s->name);
        return false;
    }
    s = missing_source(now, recorded);
    if (s) {
        error_setg(errp, "this machine has the %s source '%s', the recorded one had none",
                   replay_kind_info(s->kind)->name, s->name);
        return false;
    }
    return true;
}
