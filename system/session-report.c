/*
 * What is said at the end of a recording or replay: a line or two on stderr.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <sys/stat.h>
#include "system/session.h"

static const char *cause_name(ShutdownCause cause)
{
    switch (cause) {
    case SHUTDOWN_CAUSE_NONE: return "none";
    case SHUTDOWN_CAUSE_GUEST_SHUTDOWN: return "guest-shutdown";
    case SHUTDOWN_CAUSE_GUEST_RESET: return "guest-reset";
    case SHUTDOWN_CAUSE_GUEST_PANIC: return "guest-panic";
    case SHUTDOWN_CAUSE_HOST_QUIT: return "host-quit";
    case SHUTDOWN_CAUSE_HOST_RESET: return "host-reset";
    case SHUTDOWN_CAUSE_HOST_POWERDOWN: return "host-powerdown";
    }
    return "unknown";
}

static void report_recording(const Session *s, const ExecResult *r)
{
    const char *file = replay_file(s->replay);
    struct stat st = { 0 };

    if (!r->exit_code && !r->digest_valid) {
        error_report("left in the past, after %" PRIu64 " instructions%s%s", r->icount,
                file ? "; up to its newest place, the run can be replayed from " : "",
                file ? file : "");
        return;
    }
    if (!file) {
        error_report("recorded %" PRIu64 " instructions in memory, digest %016" PRIx64
                ", cause %s", r->icount, r->digest, cause_name(r->cause));
        return;
    }
    stat(file, &st);
    if (r->exit_code) {
        error_report("the recording %s is incomplete: it ends before the run did, "
                "after %" PRIu64 " instructions", file, r->icount);
        return;
    }
    error_report("recorded %" PRIu64 " instructions to %s (%" PRId64 " bytes), "
            "digest %016" PRIx64 ", cause %s", r->icount, file, (int64_t)st.st_size, r->digest,
            cause_name(r->cause));
}

static void report_replay(Session *s, const ExecResult *r)
{
    if (r->exit_code || replay_failed(s->replay)) {
        error_report("replay of %s failed after %" PRIu64 " instructions",
                replay_file(s->replay), r->icount);
    } else if (!replay_at_end(s->replay)) {
        error_report("replay left after %" PRIu64 " instructions, before its end",
                r->icount);
    } else if (replay_is_truncated(s->replay)) {
        error_report("replayed %" PRIu64 " instructions, digest %016" PRIx64
                " (the recording was %s: nothing to compare with)", r->icount, r->digest,
                replay_was_saved(s->replay) ? "saved in mid-run" : "cut off");
    } else {
        error_report("replayed %" PRIu64 " instructions, digest %016" PRIx64
                " (equal%s)", r->icount, r->digest,
                replay_was_saved(s->replay) ? ", where the recording was saved" : "");
    }
}

static int report_added(Session *s, const ReplayAdded *added)
{
    const char *file = replay_file(s->replay);

    if (added->failure) {
        fprintf(stderr, "rearm: %s has got no keyframes and is what it was: %s\n", file,
                added->failure);
        return EXIT_FAILURE;
    }
    fprintf(stderr, "rearm: %s has %u keyframes now; as it was before it is %s\n", file,
            added->keyframes, added->old);
    return EXIT_SUCCESS;
}

int session_report(Session *s, const ExecResult *result)
{
    const ReplayAdded *added = replay_added(s->replay);
    int code = EXIT_SUCCESS;

    if (replay_is_recording(s->replay)) {
        report_recording(s, result);
    } else if (!replay_is_live(s->replay)) {
        report_replay(s, result);
    }
    if (added) {
        code = report_added(s, added);
    }
    /* A replay tells whether it was equal. */
    if (result->guest_failed && replay_is_live(s->replay)) {
        code = EXIT_FAILURE;
    }
    return result->exit_code ? result->exit_code : code;
}
