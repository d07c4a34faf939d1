/*
 * Checks of a replay against its recording, and the one report that follows when they,
 * or anything else, fail.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "replay/replay-int.h"

ReplayCheck replay_check_kind(Replay *r)
{
    return r->check;
}

uint64_t replay_check_period(Replay *r)
{
    return r->check_period;
}

static void mark(Replay *r, ReplayKind kind, GByteArray *payload)
{
    r->ops->mark(r, kind, payload->data, payload->len);
    g_byte_array_unref(payload);
}

void replay_check_digest(Replay *r, uint64_t digest, const uint8_t *details, size_t length)
{
    GByteArray *payload;

    assert(length <= REPLAY_MAX_DETAILS);
    if (r->check == REPLAY_CHECK_DIGEST) {
        payload = g_byte_array_sized_new(8 + (guint)length);
        bytes_put_le64(payload, digest);
        bytes_put_data(payload, details, length);
        mark(r, REPLAY_KIND_CHECK_DIGEST, payload);
    }
}

void replay_check_event(Replay *r, unsigned vector, uint64_t pc)
{
    GByteArray *payload;

    if (r->check == REPLAY_CHECK_EVENTS) {
        payload = g_byte_array_sized_new(9);
        bytes_put_u8(payload, (uint8_t)vector);
        bytes_put_le64(payload, pc);
        mark(r, REPLAY_KIND_CHECK_EVENT, payload);
    }
}

bool replay_end(Replay *r, unsigned cause, uint64_t digest)
{
    GByteArray *payload = g_byte_array_sized_new(9);
    bool ok;

    bytes_put_u8(payload, (uint8_t)cause);
    bytes_put_le64(payload, digest);
    ok = r->ops->end(r, payload->data, payload->len);
    g_byte_array_unref(payload);
    return ok;
}

/* ---- the report ---- */

char *replay_expected(Replay *r)
{
    const ReplayRecord *rec = replay_cursor_peek(r->cursor);
    GString *text = g_string_new(NULL);

    if (rec) {
        replay_record_format(text, rec, r->recorded);
    } else {
        g_string_append(text, "the end of the log");
    }
    return g_string_free(text, false);
}

static void report_place(Replay *r, GString *out)
{
    g_string_append_printf(out, "  position: %" PRIu64, replay_position(r));
    if (r->host.icount) {
        g_string_append_printf(out, " (icount %" PRIu64 ")", r->host.icount(r->host.opaque));
    }
    if (r->host.pc) {
        g_string_append_printf(out, ", PC 0x%" PRIx64, r->host.pc(r->host.opaque));
    }
    g_string_append_c(out, '\n');
}

static void report_next(Replay *r, GString *out)
{
    const ReplayRecord *rec = replay_cursor_peek(r->cursor);
    uint64_t pos = replay_position(r);

    if (!rec) {
        g_string_append(out, "  next record: none\n");
    } else if (rec->pos >= pos) {
        g_string_append_printf(out, "  next record: %" PRIu64 " ahead, in frame %" PRIu32 "\n",
                               rec->pos - pos, replay_cursor_frame(r->cursor));
    } else {
        g_string_append_printf(out, "  next record: passed %" PRIu64 " ago, in frame %" PRIu32
                               "\n", pos - rec->pos, replay_cursor_frame(r->cursor));
    }
}

/* The recorded digest is the next record, and this machine's is another one. */
static void report_difference(Replay *r, GString *out)
{
    const ReplayRecord *rec = replay_cursor_peek(r->cursor);

    if (r->digest_differs && rec && rec->length > 8 && r->host.describe_digest) {
        g_string_append(out, "  what differs, as far as one can tell:\n");
        r->host.describe_digest(r->host.opaque, rec->payload + 8, rec->length - 8, out);
    }
}

/* The first report counts: what follows is its consequence. */
static void publish(Replay *r, GString *text)
{
    if (replay_failed(r)) {
        g_string_free(text, true);
        return;
    }
    report_difference(r, text);
    report_place(r, text);
    report_next(r, text);
    g_string_append(text, "  last records replayed:\n");
    replay_cursor_history(r->cursor, text);
    if (r->host.describe_cpu) {
        g_string_append(text, "  CPU:\n");
        r->host.describe_cpu(r->host.opaque, text);
    }
    while (text->len && text->str[text->len - 1] == '\n') {
        g_string_truncate(text, text->len - 1);
    }
    r->report = g_string_free(text, false);
    g_atomic_int_set(&r->failed, 1);
    error_report("%s", r->report);
}

void replay_diverged(Replay *r, const char *expected, const char *found)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "the replay of '%s' diverged from the recording\n"
                           "  expected: %s\n  found: %s\n", replay_name(r), expected, found);
    publish(r, text);
}

void replay_damaged(Replay *r, const char *what)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "the recording '%s' is damaged: %s\n", replay_name(r), what);
    publish(r, text);
}
