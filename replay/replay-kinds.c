/*
 * Record kinds: names and the rendering of payloads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "replay/replay-kinds.h"
#include "replay/replay.h"
#include "util/bytes.h"

/* A dump line stays a line: longer payloads are cut here. */
#define SHOWN_BYTES 32

static const ReplayKindInfo kinds[] = {
#define REPLAY_KIND(number, name_, class__, payload_, doc_) \
    [number] = { #name_, REPLAY_CLASS_##class__, payload_, doc_ },
#include "replay/replay-kinds.def"
#undef REPLAY_KIND
};

/* A record's head byte has six bits for the kind. */
_Static_assert(ARRAY_SIZE(kinds) <= 64, "too many record kinds for the log format");

static const char *const checkpoints[] = {
    [CHECKPOINT_INIT] = "init",
    [CHECKPOINT_RESET] = "reset",
    [CHECKPOINT_RESET_REQUESTED] = "reset-requested",
};

const ReplayKindInfo *replay_kind_info(uint64_t kind)
{
    return kind < ARRAY_SIZE(kinds) && kinds[kind].name ? &kinds[kind] : NULL;
}

unsigned replay_kind_by_name(const char *name)
{
    for (unsigned k = 0; k < ARRAY_SIZE(kinds); k++) {
        if (kinds[k].name && strcmp(kinds[k].name, name) == 0) {
            return k;
        }
    }
    return 0;
}

bool replay_kind_has_source(unsigned kind)
{
    ReplayClass c = replay_kind_info(kind)->class_;

    return c == REPLAY_CLASS_POSTED || c == REPLAY_CLASS_VALUE;
}

const char *replay_checkpoint_name(unsigned checkpoint)
{
    return checkpoint < ARRAY_SIZE(checkpoints) ? checkpoints[checkpoint] : "?";
}

static void format_bytes(GString *out, const uint8_t *payload, size_t length)
{
    size_t shown = MIN(length, SHOWN_BYTES);

    g_string_append_printf(out, "%zu bytes", length);
    for (size_t i = 0; i < shown; i++) {
        g_string_append_printf(out, " %02x", payload[i]);
    }
    g_string_append(out, shown < length ? " ..." : "");
    g_string_append(out, shown ? "  \"" : "");
    for (size_t i = 0; i < shown; i++) {
        g_string_append_c(out, g_ascii_isprint(payload[i]) ? (char)payload[i] : '.');
    }
    g_string_append(out, shown ? "\"" : "");
}

static bool format_rest(GString *out, ByteReader *in)
{
    size_t length = byte_reader_left(in);

    g_string_append(out, ": ");
    format_bytes(out, bytes_get_data(in, length), length);
    return !in->failed;
}

/* A debugger's write: docs/replay-log-format.md. */
static bool format_write(GString *out, ByteReader *in)
{
    uint64_t what = bytes_get_u8(in), cpu = what < 3 ? bytes_get_varint(in) : 0, place;

    switch (what) {
    case 1:
        place = bytes_get_varint(in);
        g_string_append_printf(out, "cpu %" PRIu64 " register %" PRIu64, cpu, place);
        return format_rest(out, in);
    case 2:
        place = bytes_get_le64(in);
        g_string_append_printf(out, "cpu %" PRIu64 " memory at 0x%" PRIx64, cpu, place);
        return format_rest(out, in);
    case 3:
        g_string_append_printf(out, "physical memory at 0x%" PRIx64, bytes_get_le64(in));
        return format_rest(out, in);
    default:
        return false;
    }
}

/* The frame's length, its addresses and type. */
static bool format_frame(GString *out, ByteReader *in)
{
    static const char *const links[] = { "link down", "link up" };
    uint8_t what = bytes_get_u8(in);
    const uint8_t *f;

    if (what == 1 || what == 2) {
        g_string_append(out, links[what - 1]);
        return !in->failed && !byte_reader_left(in);
    }
    g_string_append_printf(out, "frame of %zu bytes", byte_reader_left(in));
    f = bytes_get_data(in, 14);
    if (what != 0 || !f) {
        return false;
    }
    g_string_append_printf(out, ", %02x:%02x:%02x:%02x:%02x:%02x to %02x:%02x:%02x:%02x:%02x:%02x, type %02x%02x",
                           f[6], f[7], f[8], f[9], f[10], f[11], f[0], f[1], f[2], f[3], f[4], f[5], f[12], f[13]);
    bytes_get_data(in, byte_reader_left(in));
    return true;
}

/* False when the payload is not what the table says. */
static bool format_decoded(GString *out, unsigned kind, ByteReader *in)
{
    uint64_t a, b;

    switch (kind) {
    case REPLAY_KIND_END:
        a = bytes_get_u8(in);
        b = bytes_get_le64(in);
        if (a == REPLAY_END_SAVED) {
            g_string_append_printf(out, "saved, digest %016" PRIx64, b);
            break;
        }
        g_string_append_printf(out, "cause %" PRIu64 " digest %016" PRIx64, a, b);
        break;
    case REPLAY_KIND_HOST_CLOCK:
        g_string_append_printf(out, "%" PRId64 " ns", (int64_t)bytes_get_le64(in));
        break;
    case REPLAY_KIND_WARP:
        if (byte_reader_left(in) == 0) {
            g_string_append(out, "to the next timer");
            break;
        }
        g_string_append_printf(out, "%" PRId64 " ns", bytes_get_svarint(in));
        break;
    case REPLAY_KIND_REQUEST:
        g_string_append_printf(out, "%u", bytes_get_u8(in));
        while (byte_reader_left(in)) {
            g_string_append_printf(out, " %u", bytes_get_u8(in));
        }
        break;
    case REPLAY_KIND_SHIFT:
    case REPLAY_KIND_CHAR_EVENT:
        g_string_append_printf(out, "%u", bytes_get_u8(in));
        break;
    case REPLAY_KIND_CHECKPOINT:
        g_string_append(out, replay_checkpoint_name(bytes_get_u8(in)));
        break;
    case REPLAY_KIND_CHECK_DIGEST:
        g_string_append_printf(out, "%016" PRIx64, bytes_get_le64(in));
        bytes_get_data(in, byte_reader_left(in));   /* details */
        break;
    case REPLAY_KIND_CHECK_EVENT:
        a = bytes_get_u8(in);
        b = bytes_get_le64(in);
        g_string_append_printf(out, "vector %" PRIu64 " pc 0x%" PRIx64, a, b);
        break;
    case REPLAY_KIND_NET:
        return format_frame(out, in);
    case REPLAY_KIND_MONITOR:
        return format_write(out, in);
    default:
        return false;
    }
    return !in->failed && byte_reader_left(in) == 0;
}

void replay_payload_format(GString *out, unsigned kind, const uint8_t *payload, size_t length)
{
    gsize start = out->len;
    ByteReader in;

    byte_reader_init(&in, payload, length);
    if (!format_decoded(out, kind, &in)) {
        g_string_truncate(out, start);
        format_bytes(out, payload, length);
    }
}
