/*
 * rearm-replay: what it does with keyframes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <unistd.h>
#include "replay/rearm-replay.h"

/* ---- check them ---- */

/* What a machine of 1 TiB has; whether the pages fit the machine is not known here. */
#define MAX_PAGES (1ull << 28)

static void skip_page(void *opaque, uint64_t number, const uint8_t *content)
{
}

static bool check_keyframe(ReplayLogReader *reader, const GArray *keyframes, guint n, Error **errp)
{
    const ReplayKeyframeSink sink = { .page = skip_page };
    ReplayKeyframeHead *h = replay_keyframe_read_head(reader, keyframes, n, MAX_PAGES, errp);
    GByteArray *state = g_byte_array_new();
    GArray *marked = g_array_new(false, false, sizeof(uint64_t));
    bool ok = h && replay_keyframe_read_state(reader, h, state, marked, errp) &&
              replay_keyframe_read_pages(reader, h, &sink, errp);

    g_clear_pointer(&h, replay_keyframe_head_free);
    g_byte_array_unref(state);
    g_array_unref(marked);
    return ok;
}

int tool_count_keyframes(const ReplayCursor *c, const char *path, bool check)
{
    ReplayLogReader *reader = replay_cursor_open_again(c, NULL);
    GArray *keyframes = reader ? replay_log_reader_keyframes(reader) : NULL;
    int count = keyframes ? (int)keyframes->len : 0;
    Error *err = NULL;

    for (guint n = 0; check && n < (guint)count; n++) {
        if (!check_keyframe(reader, keyframes, n, &err)) {
            fprintf(stderr, "rearm-replay: %s: %s; a replay does without it and those behind it\n",
                    path, error_get_pretty(err));
            error_free(err);
            count = -1;
            break;
        }
    }
    g_clear_pointer(&keyframes, g_array_unref);
    g_clear_pointer(&reader, replay_log_reader_free);
    return count;
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
int tool_run_keyframes(char **files, bool json)
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
