/*
 * rearm: the program.
 *
 * Exit codes: 0 the run ended normally; 1 bad usage or environment, or the recording is
 * incomplete; 2 a replay did not reproduce its recording, or the recording is damaged or
 * of another machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/session.h"

int main(int argc, char **argv)
{
    Error *err = NULL;
    Options *options = options_parse(argc, argv, &err);
    Session *session;
    int code;

    if (!options) {
        error_report_err(err);
        return EXIT_FAILURE;
    }
    if (options->action != ACTION_RUN) {
        code = options_print_topic(options, &err) && !fflush(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
        if (err) {
            error_report_err(err);
        }
        options_free(options);
        return code;
    }
    error_set_prefix(options->msg_timestamp, options->msg_guest_name ? options->name : NULL);
    if (options->daemonize && !session_daemonize(options, &err)) {
        error_report_err(err);
        return EXIT_FAILURE;
    }
    session = session_new(options, &code, &err);
    if (!session) {
        error_report_err(err);
        return code;
    }
    code = session_run(session);
    session_free(session);
    return code;
}
