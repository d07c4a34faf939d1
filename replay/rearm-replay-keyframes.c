/*
 * rearm-replay: what it does with keyframes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <unistd.h>
#include "replay/rearm-replay.h"

/* ---- one after the other ---- */

void tool_keyframes_open(ToolKeyframes *k, const ReplayCursor *c, const char *path)
{
    *k = (ToolKeyframes){ .path = path, .reader = replay_cursor_open_again(c, NULL) };
    if (k->reader) {
        k->list = replay_log_reader_keyframes(k->reader);
    }
}

void tool_keyframes_close(ToolKeyframes *k)
{
    g_clear_pointer(&k->list, g_array_unref);
    g_clear_pointer(&k->reader, replay_log_reader_free);
}

static void tell_damage(ToolKeyframes *k, Error *err)
{
    fprintf(stderr, "rearm-replay: %s: %s; a replay does without it and those behind it\n", k->path,
            error_get_pretty(err));
    error_free(err);
    k->damaged = true;
    g_array_set_size(k->list, 0);
}

const ReplayIndexEntry *tool_keyframes_peek(const ToolKeyframes *k)
{
    return k->list && k->next < k->list->len ?
           &g_array_index(k->list, ReplayIndexEntry, k->next) : NULL;
}

ReplayKeyframeHead *tool_keyframes_next(ToolKeyframes *k, bool check)
{
    ReplayKeyframeHead *h;
    Error *err = NULL;

    if (!tool_keyframes_peek(k)) {
        return NULL;
    }
    h = replay_keyframe_read_head(k->reader, k->list, k->next, REPLAY_COPY_MAX_PAGES, &err);
    if (h && check && !replay_keyframe_check(k->reader, h, &err)) {
        g_clear_pointer(&h, replay_keyframe_head_free);
    }
    if (h) {
        k->next++;
    } else {
        tell_damage(k, err);
    }
    return h;
}

bool tool_check_keyframes(const ReplayCursor *c, const char *path)
{
    ReplayKeyframeHead *h;
    ToolKeyframes k;

    tool_keyframes_open(&k, c, path);
    while ((h = tool_keyframes_next(&k, true)) != NULL) {
        replay_keyframe_head_free(h);
    }
    tool_keyframes_close(&k);
    return !k.damaged;
}

/* ---- print them ---- */

bool tool_print_keyframes(const ReplayCursor *c, const char *path)
{
    uint64_t bytes = 0, pages = 0;
    ReplayKeyframeHead *h;
    ToolKeyframes k;

    tool_keyframes_open(&k, c, path);
    while ((h = tool_keyframes_next(&k, false)) != NULL) {
        bytes += h->bytes;
        pages += h->num_pages + h->num_zeros;
        replay_keyframe_head_free(h);
    }
    printf("keyframes: %u", k.next);
    if (k.next) {
        printf(" in %" PRIu64 " bytes, with %" PRIu64 " pages", bytes, pages);
    }
    printf("%s\n", k.damaged ? ", and damaged ones behind them" : "");
    tool_keyframes_close(&k);
    return !k.damaged;
}

static void dump_text(const ReplayKeyframeHead *h, uint64_t pos)
{
    printf("keyframe #%" PRIu64 " position %" PRIu64 ": time %" PRId64 ".%09" PRId64 " s, %" PRIu64
           " bytes, %" PRIu64 " pages changed, %" PRIu64 " of them to zeros", h->number, pos,
           h->time / 1000000000, h->time % 1000000000, h->bytes, h->num_pages + h->num_zeros,
           h->num_zeros);
    if (h->chain) {
        printf(", needs those from #%" PRIu64 " on", h->number - h->chain);
    }
    printf("\n");
}

static void dump_json(const ReplayKeyframeHead *h, uint64_t pos)
{
    struct json_object *o = json_object_new_object();

    tool_json_add_int(o, "keyframe", h->number);
    tool_json_add_int(o, "position", pos);
    tool_json_add_int(o, "records", h->records);
    tool_json_add_int(o, "time-ns", (uint64_t)h->time);
    tool_json_add_int(o, "bytes", h->bytes);
    tool_json_add_int(o, "pages", h->num_pages + h->num_zeros);
    tool_json_add_int(o, "zero-pages", h->num_zeros);
    tool_json_add_int(o, "first-needed", h->number - h->chain);
    puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
    json_object_put(o);
}

void tool_dump_keyframes(ToolKeyframes *k, uint64_t records, bool json)
{
    const ReplayIndexEntry *e;

    while ((e = tool_keyframes_peek(k)) != NULL && e->first_record <= records) {
        uint64_t pos = e->first_pos;
        ReplayKeyframeHead *h = tool_keyframes_next(k, false);

        if (h) {
            (json ? dump_json : dump_text)(h, pos);
            replay_keyframe_head_free(h);
        }
    }
}

/* ---- add them ---- */

/* The emulator, as it is installed and as it is built. */
static char *find_rearm(void)
{
    static const char *const places[] = { "rearm", "../system/rearm" };
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *dir = self ? g_path_get_dirname(self) : NULL;

    for (unsigned i = 0; dir && i < ARRAY_SIZE(places); i++) {
        char *path = g_build_filename(dir, places[i], NULL);

        if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE)) {
            return path;
        }
        g_free(path);
    }
    return g_strdup("rearm");
}

/* Only a machine has states: this program becomes one. */
int tool_run_keyframes(char **files, bool option)
{
    g_autofree char *rearm = find_rearm();
    g_auto(GStrv) parts = g_strsplit(files[0], ",", 0);
    g_autofree char *file = g_strjoinv(",,", parts);
    g_autofree char *icount = g_strdup_printf("rr=replay,rrfile=%s,rrkeyframe=%s", file,
                                              files[1] ? files[1] : "1");
    const char *argv[] = { rearm, "-nodefaults", "-display", "none", "-icount", icount, NULL };
    Error *err = NULL;

    execvp(rearm, (char **)argv);
    error_setg_errno(&err, errno, "cannot run '%s', which has to replay the recording", rearm);
    return tool_complain(err);
}
