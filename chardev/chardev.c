/*
 * Character back ends: the set, the output queue and the client.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <poll.h>
#include "chardev/chardev-int.h"
#include "util/trace.h"

/* How long chardev_set_free() waits for a peer that takes nothing. */
#define DRAIN_TIMEOUT_MS 3000

static const ChardevType *const chardev_types[] = {
    &chardev_stdio_type, &chardev_file_type, &chardev_null_type,
    &chardev_socket_type, &chardev_pty_type, &chardev_ringbuf_type,
};

/* ---- client ---- */

void chardev_set_client(Chardev *c, const ChardevClient *client, void *opaque)
{
    c->client = client;
    c->client_opaque = opaque;
    if (c->is_open && client && client->event) {
        client->event(opaque, CHAR_EVENT_OPENED);
    }
}

size_t chardev_room(Chardev *c)
{
    if (!c->client) {
        return 0;
    }
    return c->client->can_receive ? c->client->can_receive(c->client_opaque) : SIZE_MAX;
}

void chardev_received(Chardev *c, const uint8_t *data, size_t length)
{
    trace_chardev_received(c->id, length);
    if (c->client && c->client->receive && length) {
        c->client->receive(c->client_opaque, data, length);
    }
}

void chardev_event(Chardev *c, CharEvent event)
{
    trace_chardev_event(c->id, event);
    if (event == CHAR_EVENT_OPENED) {
        c->is_open = true;
        c->wait = false;
    } else if (event == CHAR_EVENT_CLOSED) {
        c->is_open = false;
    }
    if (c->client && c->client->event) {
        c->client->event(c->client_opaque, event);
    }
}

const char *chardev_id(const Chardev *c)
{
    return c->id;
}

const char *chardev_label(const Chardev *c)
{
    return c->label ? c->label : c->type->name;
}

const char *chardev_kind_of(const Chardev *c)
{
    return c->type->name;
}

int chardev_take_fd(Chardev *c)
{
    return c->type->take_fd ? c->type->take_fd(c) : -1;
}

bool chardev_has_client(const Chardev *c)
{
    return c->client != NULL;
}

bool chardev_is_open(const Chardev *c)
{
    return c->is_open;
}

void chardev_set_label(Chardev *c, const char *fmt, ...)
{
    va_list ap;

    g_free(c->label);
    va_start(ap, fmt);
    c->label = g_strdup_vprintf(fmt, ap);
    va_end(ap);
}

/* ---- output ---- */

void chardev_write(Chardev *c, const uint8_t *data, size_t length)
{
    bool was_empty, warn = false;

    if (length == 0) {
        return;
    }
    trace_chardev_write(c->id, length);
    if (c->type->write_now) {
        c->type->write_now(c, data, length);
        return;
    }
    g_mutex_lock(&c->lock);
    was_empty = c->out->len == 0;
    if (c->out->len - c->out_pos + length <= CHARDEV_MAX_QUEUE) {
        g_byte_array_append(c->out, data, length);
    } else {
        warn = !c->overflowed;
        c->overflowed = true;
    }
    g_mutex_unlock(&c->lock);
    if (warn) {
        warn_report("chardev '%s': nobody reads its output and %u MiB are waiting; the rest "
                    "is dropped", c->id, CHARDEV_MAX_QUEUE >> 20);
    }
    if (was_empty) {
        g_source_set_ready_time(c->flusher, 0);
    }
}

void chardev_puts(Chardev *c, const char *text)
{
    chardev_write(c, (const uint8_t *)text, strlen(text));
}

bool chardev_has_output(Chardev *c)
{
    bool any;

    g_mutex_lock(&c->lock);
    any = c->out->len != 0;
    g_mutex_unlock(&c->lock);
    return any;
}

/*
 * Write what the peer takes. Only the main thread removes bytes, so what was looked up
 * under the lock stays in front; the array may move meanwhile, hence the copy.
 */
void chardev_flush(Chardev *c)
{
    uint8_t piece[65536];

    for (;;) {
        size_t length;
        ssize_t done;

        g_mutex_lock(&c->lock);
        length = MIN(c->out->len - c->out_pos, sizeof(piece));
        if (length) {   /* without output there is no array yet */
            memcpy(piece, c->out->data + c->out_pos, length);
        }
        g_mutex_unlock(&c->lock);
        if (length == 0) {
            return;
        }
        done = c->type->write(c, piece, length);
        if (done == 0) {
            return;
        }
        g_mutex_lock(&c->lock);
        c->out_pos = done < 0 ? c->out->len : c->out_pos + (size_t)done;
        if (c->out_pos == c->out->len) {
            g_byte_array_set_size(c->out, 0);
            c->out_pos = 0;
            c->overflowed = false;
        } else if (c->out_pos >= (1u << 20)) {
            g_byte_array_remove_range(c->out, 0, c->out_pos);
            c->out_pos = 0;
        }
        g_mutex_unlock(&c->lock);
    }
}

static gboolean flusher_dispatch(GSource *source, GSourceFunc fn, gpointer opaque)
{
    g_source_set_ready_time(source, -1);
    return fn(opaque);
}

static GSourceFuncs flusher_funcs = { .dispatch = flusher_dispatch };

static gboolean flusher_run(gpointer opaque)
{
    chardev_flush(opaque);
    return G_SOURCE_CONTINUE;
}

/* At the end: write all, as long as the peer takes some now and then. A signal ends it. */
static void chardev_drain(Chardev *c)
{
    while (chardev_has_output(c)) {
        struct pollfd p = { .fd = c->type->write_fd(c), .events = POLLOUT };

        if (p.fd >= 0 && poll(&p, 1, DRAIN_TIMEOUT_MS) <= 0) {
            return;
        }
        chardev_flush(c);
        if (p.fd < 0) {
            return;
        }
    }
}

/* ---- the set ---- */

ChardevSet *chardev_set_new(GMainContext *context)
{
    ChardevSet *set = g_new0(ChardevSet, 1);

    set->context = context ? g_main_context_ref(context)
                           : g_main_context_ref(g_main_context_default());
    set->chardevs = g_ptr_array_new();
    set->escape = 0x01;
    return set;
}

void chardev_set_quit_hook(ChardevSet *set, void (*quit)(void *opaque), void *opaque)
{
    set->quit = quit;
    set->quit_opaque = opaque;
}

void chardev_set_escape(ChardevSet *set, uint8_t escape)
{
    set->escape = escape;
}

static void chardev_free(Chardev *c)
{
    if (c->type->close) {
        c->type->close(c);
    }
    if (c->out->len) {
        warn_report("chardev '%s': nobody reads its output; %u bytes are lost", c->id,
                    (unsigned)(c->out->len - c->out_pos));
    }
    g_source_destroy(c->flusher);
    g_source_unref(c->flusher);
    g_byte_array_unref(c->out);
    g_mutex_clear(&c->lock);
    g_free(c->id);
    g_free(c->label);
    g_free(c);
}

void chardev_set_free(ChardevSet *set)
{
    if (!set) {
        return;
    }
    for (unsigned i = 0; i < set->chardevs->len; i++) {
        Chardev *c = g_ptr_array_index(set->chardevs, i);

        c->client = NULL;
        if (c->type->write) {
            chardev_drain(c);
        }
    }
    while (set->chardevs->len) {
        /* Newest first: a multiplexer stands behind what it wraps. */
        chardev_free(g_ptr_array_steal_index(set->chardevs, set->chardevs->len - 1));
    }
    g_ptr_array_unref(set->chardevs);
    g_main_context_unref(set->context);
    g_free(set);
}

Chardev *chardev_new(ChardevSet *set, const ChardevType *type, const char *id,
                     KeyVal *options, Error **errp)
{
    Chardev *c = g_malloc0(type->size);

    assert(type->size >= sizeof(Chardev));
    c->type = type;
    c->set = set;
    c->id = g_strdup(id);
    g_mutex_init(&c->lock);
    c->out = g_byte_array_new();
    c->flusher = g_source_new(&flusher_funcs, sizeof(GSource));
    g_source_set_callback(c->flusher, flusher_run, c, NULL);
    g_source_attach(c->flusher, set->context);
    if (type->open && !type->open(c, options, errp)) {
        chardev_free(c);
        return NULL;
    }
    g_ptr_array_add(set->chardevs, c);
    return c;
}

Chardev *chardev_find(ChardevSet *set, const char *id)
{
    for (unsigned i = 0; i < set->chardevs->len; i++) {
        Chardev *c = g_ptr_array_index(set->chardevs, i);

        if (c->id && !strcmp(c->id, id)) {
            return c;
        }
    }
    return NULL;
}

static void remove_one(Chardev *c)
{
    chardev_set_client(c, NULL, NULL);
    if (c->type->write) {
        chardev_flush(c);
    }
    g_ptr_array_remove(c->set->chardevs, c);
    chardev_free(c);
}

bool chardev_remove(Chardev *c, Error **errp)
{
    bool mux = c->type == &chardev_mux_type;

    if (mux ? chardev_mux_has_ports(c) : c->claimed) {
        error_setg(errp, "Chardev '%s' is busy", c->id);
        return false;
    }
    if (mux) {
        remove_one(chardev_mux_base(c));
    }
    remove_one(c);
    return true;
}

void chardev_send_break(Chardev *c)
{
    /* The multiplexer listens to what it wraps. */
    chardev_event(c->type == &chardev_mux_type ? chardev_mux_base(c) : c, CHAR_EVENT_BREAK);
}

const char *chardev_kind(unsigned n)
{
    return n < ARRAY_SIZE(chardev_types) ? chardev_types[n]->name : NULL;
}

void chardev_foreach(ChardevSet *set, void (*fn)(Chardev *c, void *opaque), void *opaque)
{
    for (unsigned i = 0; i < set->chardevs->len; i++) {
        fn(g_ptr_array_index(set->chardevs, i), opaque);
    }
}

void chardev_print_kinds(FILE *out)
{
    fprintf(out, "Kinds of -chardev KIND,id=ID[,mux=on], and their further options:\n");
    for (unsigned i = 0; i < ARRAY_SIZE(chardev_types); i++) {
        g_auto(GStrv) lines = g_strsplit(chardev_types[i]->help, "\n", -1);

        for (unsigned n = 0; lines[n]; n++) {
            fprintf(out, "  %-8s %s\n", n ? "" : chardev_types[i]->name, lines[n]);
        }
    }
}

static const ChardevType *chardev_type_find(const char *name, Error **errp)
{
    const char *names[ARRAY_SIZE(chardev_types) + 1] = { NULL };
    const char *near;

    for (unsigned i = 0; i < ARRAY_SIZE(chardev_types); i++) {
        names[i] = chardev_types[i]->name;
        if (!strcmp(names[i], name)) {
            return chardev_types[i];
        }
    }
    near = suggest_nearest(name, names);
    if (near) {
        error_setg(errp, "-chardev: no back end '%s'; did you mean '%s'?", name, near);
    } else {
        error_setg(errp, "-chardev: no back end '%s'; -chardev help lists them", name);
    }
    return NULL;
}

static Chardev *chardev_create_kv(ChardevSet *set, KeyVal *kv, Error **errp)
{
    const char *kind = keyval_get(kv, "backend");
    const char *id = keyval_get(kv, "id");
    const ChardevType *type;
    bool mux = false;
    Chardev *c;

    if (!kind) {
        error_setg(errp, "-chardev needs a back end, such as -chardev stdio,id=NAME");
        return NULL;
    }
    type = chardev_type_find(kind, errp);
    if (!type || !keyval_get_bool(kv, "mux", &mux, errp)) {
        return NULL;
    }
    if (!id || !*id) {
        error_setg(errp, "-chardev %s needs id=NAME", kind);
        return NULL;
    }
    if (chardev_find(set, id)) {
        error_setg(errp, "-chardev %s: the id '%s' is already taken", kind, id);
        return NULL;
    }
    c = chardev_new(set, type, id, kv, errp);
    return c && mux ? chardev_mux_new(c) : c;
}

Chardev *chardev_create(ChardevSet *set, const char *options, Error **errp)
{
    KeyVal *kv = keyval_parse(options, "backend", errp);
    Chardev *c;

    if (!kv) {
        return NULL;
    }
    c = chardev_create_kv(set, kv, errp);
    keyval_free(kv);
    return c;
}

Chardev *chardev_claim(Chardev *c, Error **errp)
{
    if (c->type == &chardev_mux_type) {
        return chardev_mux_port(c);
    }
    if (c->claimed) {
        error_setg(errp, "chardev '%s' is already in use; mux=on lets several share it", c->id);
        return NULL;
    }
    c->claimed = true;
    return c;
}

/* ---- waiting for clients ---- */

static bool anybody_waits(ChardevSet *set)
{
    for (unsigned i = 0; i < set->chardevs->len; i++) {
        Chardev *c = g_ptr_array_index(set->chardevs, i);

        if (c->wait) {
            return true;
        }
    }
    return false;
}

bool chardev_set_wait_connected(ChardevSet *set)
{
    for (unsigned i = 0; i < set->chardevs->len; i++) {
        Chardev *c = g_ptr_array_index(set->chardevs, i);

        if (c->wait) {
            fprintf(stderr, "rearm: waiting for a connection on %s\n", chardev_label(c));
        }
    }
    while (!set->cancelled && anybody_waits(set)) {
        g_main_context_iteration(set->context, TRUE);
    }
    return !set->cancelled;
}

void chardev_set_cancel_wait(ChardevSet *set)
{
    set->cancelled = true;
    g_main_context_wakeup(set->context);
}
